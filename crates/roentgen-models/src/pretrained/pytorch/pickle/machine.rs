//! The stack, the memo and the memory of Python's machine for pickles.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};

use super::Error;
use super::graph::{Graph, Group, Id, OTHER, Value};

/// Bytes of memory that the values of a pickle may take.
pub(super) const MOST_BYTES: usize = 128 << 20;
/// Values that may be on the stack.
const MOST_STACKED: usize = 16 << 20;

/// Python's stack machine for pickles.
pub(super) struct Machine {
    pub(super) values: Vec<Value>,
    pub(super) stack: Vec<Id>,
    pub(super) marks: Vec<usize>,
    pub(super) memo: HashMap<u32, Id>,
    room: usize,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self {
            values: vec![Value::Other, Value::Int(0), Value::Int(1)],
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            room: MOST_BYTES,
        }
    }

    /// Returns all values, with the one on top of the stack as the whole.
    pub(super) fn into_graph(mut self) -> Result<Graph, Error> {
        let root = self.pop()?;
        Ok(Graph { values: self.values, root })
    }

    pub(super) fn take_room(&mut self, bytes: usize) -> Result<(), Error> {
        self.room = self.room.checked_sub(bytes).ok_or(Error::TooLarge)?;
        Ok(())
    }

    pub(super) fn push_id(&mut self, id: Id) -> Result<(), Error> {
        if self.stack.len() == MOST_STACKED {
            return Err(Error::TooLarge);
        }
        self.stack.push(id);
        Ok(())
    }

    /// Adds a value that takes `bytes` in addition to its own size.
    pub(super) fn push(&mut self, value: Value, bytes: usize) -> Result<(), Error> {
        self.take_room(size_of::<Value>() + bytes)?;
        self.values.push(value);
        self.push_id((self.values.len() - 1) as Id)
    }

    pub(super) fn push_number(&mut self, number: Option<i64>) -> Result<(), Error> {
        match number {
            Some(number) => self.push(Value::Int(number), 0),
            None => self.push_id(OTHER),
        }
    }

    pub(super) fn push_text(&mut self, text: String) -> Result<(), Error> {
        let bytes = text.len();
        self.push(Value::Text(text), bytes)
    }

    pub(super) fn push_bytes(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        match String::from_utf8(bytes) {
            Ok(text) => self.push_text(text),
            Err(_) => self.push_id(OTHER),
        }
    }

    pub(super) fn push_global(&mut self, name: String) -> Result<(), Error> {
        let bytes = name.len();
        self.push(Value::Global(name), bytes)
    }

    pub(super) fn push_group(&mut self, group: Group) -> Result<(), Error> {
        let bytes = size_of::<Group>() + members(&group.items, &group.pairs);
        self.push(Value::Group(Box::new(group)), bytes)
    }

    /// Reads past bytes, which are of no interest.
    pub(super) fn pass(&mut self, reader: &mut impl BufRead, length: u64) -> Result<(), Error> {
        let passed = io::copy(&mut reader.take(length), &mut io::sink())?;
        if passed < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.push_id(OTHER)
    }

    pub(super) fn top(&self) -> Result<Id, Error> {
        if self.marks.last() == Some(&self.stack.len()) {
            return Err(EMPTY);
        }
        self.stack.last().copied().ok_or(EMPTY)
    }

    pub(super) fn pop(&mut self) -> Result<Id, Error> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    pub(super) fn pop_to_mark(&mut self) -> Result<Vec<Id>, Error> {
        let mark = self.marks.pop().ok_or(Error::Damaged("the stack has no mark"))?;
        Ok(self.stack.split_off(mark))
    }

    pub(super) fn tuple(&mut self, length: usize) -> Result<(), Error> {
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push_group(Group { items, ..Group::default() })
    }

    /// Adds members to the group on top of the stack. What adds them itself, such as an object with
    /// a method `append`, passes them over.
    pub(super) fn extend(&mut self, items: &[Id], pairs: &[[Id; 2]]) -> Result<(), Error> {
        let top = self.top()?;
        self.take_room(members(items, pairs))?;
        if let Some(Value::Group(group)) = self.values.get_mut(top as usize) {
            group.items.extend_from_slice(items);
            group.pairs.extend_from_slice(pairs);
        }
        Ok(())
    }

    /// Makes the object of a class or function and its arguments.
    pub(super) fn call(&mut self) -> Result<(), Error> {
        let (arguments, class) = (self.pop()?, self.pop()?);
        self.push_group(Group { call: Some([class, arguments]), ..Group::default() })
    }

    pub(super) fn get(&mut self, index: u32) -> Result<(), Error> {
        let id = *self.memo.get(&index).ok_or(NO_INDEX)?;
        self.push_id(id)
    }

    pub(super) fn put(&mut self, index: u32) -> Result<(), Error> {
        let top = self.top()?;
        self.take_room(2 * size_of::<(u32, Id)>())?;
        self.memo.insert(index, top);
        Ok(())
    }

    pub(super) fn named(&self, id: Id) -> Result<&str, Error> {
        match self.values.get(id as usize) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(Error::Damaged("the name of a class is not a text")),
        }
    }
}

const EMPTY: Error = Error::Damaged("a value is missing on the stack");
pub(super) const NO_INDEX: Error = Error::Damaged("a value is used before it is there");

fn members(items: &[Id], pairs: &[[Id; 2]]) -> usize {
    2 * (size_of_val(items) + size_of_val(pairs))
}

pub(super) fn pairs(items: &[Id]) -> Vec<[Id; 2]> {
    items.as_chunks().0.to_vec()
}
