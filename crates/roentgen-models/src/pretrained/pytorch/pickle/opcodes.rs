//! The opcodes of pickles, as in Python's [pickletools].
//!
//! [pickletools]: https://github.com/python/cpython/blob/main/Lib/pickletools.py

use std::io::BufRead;

use super::Error;
use super::arguments::{bytes, line, some, whole};
use super::graph::{Group, OTHER, TRUTHS, Value};
use super::machine::{Machine, NO_INDEX, pairs};

impl Machine {
    /// Does one opcode; returns `false` at the end.
    pub(super) fn step(&mut self, reader: &mut impl BufRead) -> Result<bool, Error> {
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
}
