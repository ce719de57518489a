//! Pickles as data: the opcodes build a graph of values, and nothing is ever imported or called.
//!
//! A checkpoint keeps other things beside its weights: argument lists, optimizers, objects of
//! packages that are not installed. All of them are values here, whatever their class; what they
//! contain can be looked at, and what they would do never happens. Values refer to each other by
//! number, so a shared or circular value costs nothing. Opcodes as in Python's [pickletools].
//!
//! [pickletools]: https://github.com/python/cpython/blob/main/Lib/pickletools.py

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

/// Bytes of memory that the values of a pickle may take.
const MOST_BYTES: usize = 128 << 20;
/// Values that may be on the stack.
const MOST_STACKED: usize = 16 << 20;
/// The largest text, in bytes.
const LONGEST_TEXT: u64 = 64 << 20;

/// The number of a value.
pub(super) type Id = u32;

/// The number of all values that are of no interest: numbers with a point, `None`, bytes.
const OTHER: Id = 0;
/// The numbers of `False` and `True`, which are whole numbers in Python.
const TRUTHS: [Id; 2] = [1, 2];

/// A value of a pickle.
#[derive(Debug)]
pub(super) enum Value {
    /// A value of no interest.
    Other,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A class or function: its module and name, with a dot in between.
    Global(String),
    /// What a container refers to from outside the pickle: a storage.
    Persistent(Id),
    /// A list, tuple, set, dictionary or object.
    Group(Box<Group>),
}

/// A list, tuple, set, dictionary or object, or several of them at once: subclasses are.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Class or function, and its arguments, of an object.
    pub(super) call: Option<[Id; 2]>,
    /// Members in order.
    pub(super) items: Vec<Id>,
    /// Keys and their values in order.
    pub(super) pairs: Vec<[Id; 2]>,
    /// The attributes of an object.
    pub(super) state: Option<Id>,
}

/// The values of a pickle.
#[derive(Debug)]
pub(super) struct Graph {
    values: Vec<Value>,
    /// The whole.
    pub(super) root: Id,
}

/// Why a pickle could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(in crate::pretrained) enum Error {
    /// It could not be read, or ends early.
    #[error("the pickle is truncated or cannot be read")]
    Read(#[from] io::Error),
    /// A byte is no opcode, or one that PyTorch does not write.
    #[error("the pickle has the unknown opcode {0:#04x}")]
    Opcode(u8),
    /// An opcode does not find what it needs.
    #[error("the pickle is damaged: {0}")]
    Damaged(&'static str),
    /// It needs too much memory.
    #[error("the values beside the weights need more than {} MiB of memory", MOST_BYTES >> 20)]
    TooLarge,
}

impl Graph {
    /// Returns a value.
    pub(super) fn get(&self, id: Id) -> &Value {
        self.values.get(id as usize).unwrap_or(&Value::Other)
    }

    /// Returns a value as a group.
    pub(super) fn group(&self, id: Id) -> Option<&Group> {
        match self.get(id) {
            Value::Group(group) => Some(group),
            _ => None,
        }
    }

    /// Returns a value as text.
    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a value as a number that is not negative.
    pub(super) fn size(&self, id: Id) -> Option<usize> {
        match self.get(id) {
            Value::Int(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Returns a text or a number as text, as keys are.
    pub(super) fn key(&self, id: Id) -> Option<String> {
        match self.get(id) {
            Value::Text(text) => Some(text.clone()),
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Returns all values, in the order in which they were made.
    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }
}

/// Reads one pickle and leaves `reader` behind it.
///
/// # Errors
///
/// Returns an error if the pickle is truncated, damaged or too large.
pub(super) fn read(reader: &mut impl BufRead) -> Result<Graph, Error> {
    let mut machine = Machine {
        values: vec![Value::Other, Value::Int(0), Value::Int(1)],
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        room: MOST_BYTES,
    };
    while machine.step(reader)? {}
    let root = machine.pop()?;
    Ok(Graph { values: machine.values, root })
}

/// Python's stack machine for pickles.
struct Machine {
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    room: usize,
}

impl Machine {
    /// Does one opcode; returns `false` at the end.
    fn step(&mut self, reader: &mut impl BufRead) -> Result<bool, Error> {
        let [opcode] = bytes(reader)?;
        match opcode {
            b'.' => return Ok(false),
            0x80 => drop(bytes::<1>(reader)?),
            0x95 => drop(bytes::<8>(reader)?),

            // Values.
            b'N' => self.push_id(OTHER)?,
            0x88 => self.push_id(TRUTHS[1])?,
            0x89 => self.push_id(TRUTHS[0])?,
            b'F' => {
                line(reader)?;
                self.push_id(OTHER)?;
            }
            b'G' => {
                bytes::<8>(reader)?;
                self.push_id(OTHER)?;
            }
            b'I' | b'L' => {
                let line = line(reader)?;
                self.push_number(line.trim_end_matches('L').parse().ok())?;
            }
            b'J' => self.push_number(Some(i32::from_le_bytes(bytes(reader)?).into()))?,
            b'K' => self.push_number(Some(u8::from_le_bytes(bytes(reader)?).into()))?,
            b'M' => self.push_number(Some(u16::from_le_bytes(bytes(reader)?).into()))?,
            0x8A => {
                let length = u8::from_le_bytes(bytes(reader)?).into();
                let digits = some(reader, length)?;
                self.push_number(whole(&digits))?;
            }
            0x8B => {
                let length = u32::from_le_bytes(bytes(reader)?).into();
                let digits = some(reader, length)?;
                self.push_number(whole(&digits))?;
            }

            // Texts. Those of Python 2 may be bytes.
            b'V' | b'S' => {
                let text = line(reader)?;
                self.push_text(text.trim_matches(['\'', '"']).to_owned())?;
            }
            b'U' | 0x8C => {
                let length = u8::from_le_bytes(bytes(reader)?).into();
                let text = some(reader, length)?;
                self.push_bytes(text)?;
            }
            b'T' | b'X' => {
                let length = u32::from_le_bytes(bytes(reader)?).into();
                let text = some(reader, length)?;
                self.push_bytes(text)?;
            }
            0x8D => {
                let length = u64::from_le_bytes(bytes(reader)?);
                let text = some(reader, length)?;
                self.push_bytes(text)?;
            }
            b'C' => {
                let length = u8::from_le_bytes(bytes(reader)?).into();
                self.pass(reader, length)?;
            }
            b'B' => {
                let length = u32::from_le_bytes(bytes(reader)?).into();
                self.pass(reader, length)?;
            }
            0x8E | 0x96 => {
                let length = u64::from_le_bytes(bytes(reader)?);
                self.pass(reader, length)?;
            }

            // Groups.
            b')' | b']' | b'}' | 0x8F => self.push_group(Group::default())?,
            0x85 => self.tuple(1)?,
            0x86 => self.tuple(2)?,
            0x87 => self.tuple(3)?,
            b't' | b'l' | 0x91 => {
                let items = self.pop_to_mark()?;
                self.push_group(Group { items, ..Group::default() })?;
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push_group(Group { pairs: pairs(&items), ..Group::default() })?;
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(&[item], &[])?;
            }
            b'e' | 0x90 => {
                let items = self.pop_to_mark()?;
                self.extend(&items, &[])?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.extend(&[], &[[key, value]])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.extend(&[], &pairs(&items))?;
            }

            // The stack and the memo.
            b'(' => {
                self.marks.push(self.stack.len());
                self.take_room(size_of::<usize>())?;
            }
            b'0' => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.push_id(top)?;
            }
            b'g' => {
                let index = line(reader)?.parse().map_err(|_| NO_INDEX)?;
                self.get(index)?;
            }
            b'h' => {
                let index = u8::from_le_bytes(bytes(reader)?).into();
                self.get(index)?;
            }
            b'j' => {
                let index = u32::from_le_bytes(bytes(reader)?);
                self.get(index)?;
            }
            b'p' => {
                let index = line(reader)?.parse().map_err(|_| NO_INDEX)?;
                self.put(index)?;
            }
            b'q' => {
                let index = u8::from_le_bytes(bytes(reader)?).into();
                self.put(index)?;
            }
            b'r' => {
                let index = u32::from_le_bytes(bytes(reader)?);
                self.put(index)?;
            }
            0x94 => self.put(self.memo.len() as u32)?,

            // Classes, functions, objects.
            b'c' => {
                let name = format!("{}.{}", line(reader)?, line(reader)?);
                self.push_global(name)?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let name = format!("{}.{}", self.named(module)?, self.named(name)?);
                self.push_global(name)?;
            }
            b'i' => {
                let name = format!("{}.{}", line(reader)?, line(reader)?);
                let items = self.pop_to_mark()?;
                self.push_global(name)?;
                self.push_group(Group { items, ..Group::default() })?;
                self.call()?;
            }
            b'o' => {
                let mut items = self.pop_to_mark()?;
                if items.is_empty() {
                    return Err(Error::Damaged("an object has no class"));
                }
                let class = items.remove(0);
                self.push_id(class)?;
                self.push_group(Group { items, ..Group::default() })?;
                self.call()?;
            }
            b'R' | 0x81 => self.call()?,
            0x92 => {
                self.pop()?;
                self.call()?;
            }
            b'b' => {
                let state = self.pop()?;
                let top = self.top()?;
                if let Some(Value::Group(group)) = self.values.get_mut(top as usize) {
                    group.state = Some(state);
                }
            }
            b'P' => {
                let name = line(reader)?;
                self.push_text(name)?;
                let name = self.pop()?;
                self.push(Value::Persistent(name), 0)?;
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Value::Persistent(id), 0)?;
            }
            other => return Err(Error::Opcode(other)),
        }
        Ok(true)
    }

    fn take_room(&mut self, bytes: usize) -> Result<(), Error> {
        self.room = self.room.checked_sub(bytes).ok_or(Error::TooLarge)?;
        Ok(())
    }

    fn push_id(&mut self, id: Id) -> Result<(), Error> {
        if self.stack.len() == MOST_STACKED {
            return Err(Error::TooLarge);
        }
        self.stack.push(id);
        Ok(())
    }

    /// Adds a value that takes `bytes` in addition to its own size.
    fn push(&mut self, value: Value, bytes: usize) -> Result<(), Error> {
        self.take_room(size_of::<Value>() + bytes)?;
        self.values.push(value);
        self.push_id((self.values.len() - 1) as Id)
    }

    fn push_number(&mut self, number: Option<i64>) -> Result<(), Error> {
        match number {
            Some(number) => self.push(Value::Int(number), 0),
            None => self.push_id(OTHER),
        }
    }

    fn push_text(&mut self, text: String) -> Result<(), Error> {
        let bytes = text.len();
        self.push(Value::Text(text), bytes)
    }

    fn push_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        match String::from_utf8(bytes) {
            Ok(text) => self.push_text(text),
            Err(_) => self.push_id(OTHER),
        }
    }

    fn push_global(&mut self, name: String) -> Result<(), Error> {
        let bytes = name.len();
        self.push(Value::Global(name), bytes)
    }

    fn push_group(&mut self, group: Group) -> Result<(), Error> {
        let bytes = size_of::<Group>() + members(&group.items, &group.pairs);
        self.push(Value::Group(Box::new(group)), bytes)
    }

    /// Reads past bytes, which are of no interest.
    fn pass(&mut self, reader: &mut impl BufRead, length: u64) -> Result<(), Error> {
        let passed = io::copy(&mut reader.take(length), &mut io::sink())?;
        if passed < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.push_id(OTHER)
    }

    fn top(&self) -> Result<Id, Error> {
        if self.marks.last() == Some(&self.stack.len()) {
            return Err(EMPTY);
        }
        self.stack.last().copied().ok_or(EMPTY)
    }

    fn pop(&mut self) -> Result<Id, Error> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, Error> {
        let mark = self.marks.pop().ok_or(Error::Damaged("there is no mark on the stack"))?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, length: usize) -> Result<(), Error> {
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push_group(Group { items, ..Group::default() })
    }

    /// Adds members to the group on top of the stack. What adds them itself, such as an object with
    /// a method `append`, passes them over.
    fn extend(&mut self, items: &[Id], pairs: &[[Id; 2]]) -> Result<(), Error> {
        let top = self.top()?;
        self.take_room(members(items, pairs))?;
        if let Some(Value::Group(group)) = self.values.get_mut(top as usize) {
            group.items.extend_from_slice(items);
            group.pairs.extend_from_slice(pairs);
        }
        Ok(())
    }

    /// Makes the object of a class or function and its arguments.
    fn call(&mut self) -> Result<(), Error> {
        let (arguments, class) = (self.pop()?, self.pop()?);
        self.push_group(Group { call: Some([class, arguments]), ..Group::default() })
    }

    fn get(&mut self, index: u32) -> Result<(), Error> {
        let id = *self.memo.get(&index).ok_or(NO_INDEX)?;
        self.push_id(id)
    }

    fn put(&mut self, index: u32) -> Result<(), Error> {
        let top = self.top()?;
        self.take_room(2 * size_of::<(u32, Id)>())?;
        self.memo.insert(index, top);
        Ok(())
    }

    fn named(&self, id: Id) -> Result<&str, Error> {
        match self.values.get(id as usize) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(Error::Damaged("the name of a class is not a text")),
        }
    }
}

const EMPTY: Error = Error::Damaged("a value is missing on the stack");
const NO_INDEX: Error = Error::Damaged("a value is used before it is there");

fn members(items: &[Id], pairs: &[[Id; 2]]) -> usize {
    2 * (size_of_val(items) + size_of_val(pairs))
}

fn pairs(items: &[Id]) -> Vec<[Id; 2]> {
    items.as_chunks().0.to_vec()
}

fn bytes<const N: usize>(reader: &mut impl BufRead) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn some(reader: &mut impl BufRead, length: u64) -> Result<Vec<u8>, Error> {
    if length > LONGEST_TEXT {
        return Err(Error::TooLarge);
    }
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

/// Reads a line without its end.
fn line(reader: &mut impl BufRead) -> Result<String, Error> {
    let mut bytes = Vec::new();
    reader.take(LONGEST_TEXT).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned())
}

/// Reads a number of few digits; larger ones are of no interest.
fn whole(digits: &[u8]) -> Option<i64> {
    let is_negative = digits.last().is_some_and(|last| last & 0x80 != 0);
    let mut all = [if is_negative { 0xFF } else { 0 }; 8];
    all.get_mut(..digits.len())?.copy_from_slice(digits);
    Some(i64::from_le_bytes(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(bytes: &[u8]) -> Result<Graph, Error> {
        read(&mut &*bytes)
    }

    #[test]
    fn values_of_all_protocols_are_read() {
        // pickle.dumps({"n": -3, "t": True, "big": 2**40, "x": 1 << 80}, protocol)
        let texts: [&[u8]; 3] = [
            b"(dp0\nVn\np1\nI-3\nsVt\np2\nI01\nsVbig\np3\nL1099511627776L\nsVx\np4\n\
              L1208925819614629174706176L\ns.",
            b"\x80\x02}q\x00(X\x01\x00\x00\x00nq\x01J\xfd\xff\xff\xffX\x01\x00\x00\x00tq\x02\x88\
              X\x03\x00\x00\x00bigq\x03\x8a\x06\x00\x00\x00\x00\x00\x01X\x01\x00\x00\x00xq\x04\
              \x8a\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01u.",
            b"\x80\x04\x95\x36\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01n\x94J\xfd\xff\xff\xff\
              \x8c\x01t\x94\x88\x8c\x03big\x94\x8a\x06\x00\x00\x00\x00\x00\x01\x8c\x01x\x94\
              \x8a\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01u.",
        ];
        for text in texts {
            let graph = parsed(text).unwrap();
            let pairs = &graph.group(graph.root).unwrap().pairs;
            let found: Vec<_> = pairs
                .iter()
                .map(|[key, value]| match graph.get(*value) {
                    Value::Int(number) => (graph.text(*key).unwrap(), Some(*number)),
                    _ => (graph.text(*key).unwrap(), None),
                })
                .collect();

            let big = Some(1 << 40);
            assert_eq!(found, [("n", Some(-3)), ("t", Some(1)), ("big", big), ("x", None)]);
        }
    }

    #[test]
    fn a_value_that_refers_to_itself_is_one_value() {
        let graph = parsed(b"]q\x00h\x00a.").unwrap();

        assert_eq!(graph.group(graph.root).unwrap().items, [graph.root]);
    }

    #[test]
    fn nonsense_is_an_error() {
        for bytes in
            [&b""[..], b".", b"(.", b"t.", b"h\x05.", b"a.", b"\xff.", b"N", b"(o.", b"NNQ"]
        {
            assert!(parsed(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn memory_is_limited_whatever_a_pickle_claims() {
        let claims = b"X\xff\xff\xff\xffhi.";
        let empty = vec![b'}'; 2 << 20];
        let marks = vec![b'('; 20 << 20];

        assert!(parsed(claims).is_err());
        for text in [empty, marks] {
            assert!(matches!(parsed(&text), Err(Error::TooLarge)));
        }
    }
}
