//! Pickles as data: the opcodes build a graph of values, and nothing is ever imported or called.
//!
//! A checkpoint keeps other things beside its weights: argument lists, optimizers, objects of
//! packages that are not installed. All of them are values here, whatever their class; what they
//! contain can be looked at, and what they would do never happens. Values refer to each other by
//! number, so a shared or circular value costs nothing.

mod arguments;
mod graph;
mod machine;
mod opcodes;

use std::io::{self, BufRead};

use machine::{MOST_BYTES, Machine};

pub(super) use graph::{Graph, Group, Id, Value};

/// Why a pickle could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(in crate::pretrained) enum Error {
    /// It could not be read, or ends early.
    #[error("the pickle is truncated or cannot be read")]
    Read(#[from] io::Error),
    /// A byte is not an opcode, or is one that PyTorch does not write.
    #[error("the pickle has the unknown opcode {0:#04x}")]
    Opcode(u8),
    /// An opcode does not find what it needs.
    #[error("the pickle is damaged: {0}")]
    Damaged(&'static str),
    /// It needs too much memory.
    #[error("the values beside the weights need more than {} MiB of memory", MOST_BYTES >> 20)]
    TooLarge,
}

/// Reads one pickle and leaves `reader` at its end.
///
/// # Errors
///
/// Returns an error if the pickle is truncated, damaged or too large.
pub(super) fn read(reader: &mut impl BufRead) -> Result<Graph, Error> {
    let mut machine = Machine::new();
    while machine.step(reader)? {}
    machine.into_graph()
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
