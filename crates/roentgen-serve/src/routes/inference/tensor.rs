//! Tensors of the protocol: films as encoded files, and planes of gray.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roentgen_data::pixels::Plane;
use serde_json::{Value, json};

use super::message::{InputTensor, bad};
use crate::problem::{Problem, Reason};

const NO_DATA: &str = "an input has neither `data` nor binary data";

/// An output.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) name: &'static str,
    pub(super) shape: Vec<usize>,
    pub(super) values: Values,
}

/// The values of an output, row by row.
#[derive(Debug)]
pub(super) enum Values {
    Fp32(Vec<f32>),
    Int32(Vec<i32>),
    Bytes(Vec<String>),
}

impl Values {
    pub(super) fn datatype(&self) -> &'static str {
        match self {
            Self::Fp32(_) => "FP32",
            Self::Int32(_) => "INT32",
            Self::Bytes(_) => "BYTES",
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Fp32(values) => json!(values),
            Self::Int32(values) => json!(values),
            Self::Bytes(values) => json!(values),
        }
    }

    /// Returns little-endian numbers, or each text behind its length in four bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Fp32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Int32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Bytes(values) => {
                let one = |text: &String| {
                    let length = (text.len() as u32).to_le_bytes();
                    length.into_iter().chain(text.bytes()).collect::<Vec<u8>>()
                };
                values.iter().flat_map(one).collect()
            }
        }
    }
}

/// Reads the input `films`: each element is a PNG, JPEG or DICOM file, in JSON as base64.
pub(super) fn films(
    input: &InputTensor,
    binary: Option<&[u8]>,
    most: usize,
) -> Result<Vec<Vec<u8>>, Problem> {
    if input.datatype != "BYTES" {
        return Err(bad("the input `films` has the datatype BYTES"));
    }
    let count = match input.shape.as_slice() {
        [count] | [count, 1] => *count,
        _ => return Err(bad("the input `films` has the shape [films] or [films, 1]")),
    };
    let films = match binary {
        Some(bytes) => elements(bytes, most)?,
        None => {
            let data = input.data.as_ref().ok_or_else(|| bad(NO_DATA))?;
            if !data.numbers.is_empty() {
                return Err(bad("a film is not a text in base64"));
            }
            if data.texts.len() > most {
                return Err(too_many(most));
            }
            let decode =
                |text: &String| STANDARD.decode(text).map_err(|_| bad("a film is not in base64"));
            data.texts.iter().map(decode).collect::<Result<_, _>>()?
        }
    };
    if films.len() as u64 != count {
        return Err(bad(format!(
            "the input has {} films, but its shape says {count}",
            films.len()
        )));
    }
    Ok(films)
}

/// Divides a binary tensor of BYTES into its elements.
fn elements(mut bytes: &[u8], most: usize) -> Result<Vec<Vec<u8>>, Problem> {
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        if elements.len() == most {
            return Err(too_many(most));
        }
        let short = || bad("a film is shorter than it says");
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (element, others) = rest.split_at_checked(length).ok_or_else(short)?;
        elements.push(element.to_vec());
        bytes = others;
    }
    Ok(elements)
}

/// Reads the input `planes`: gray of 0..255 in the size of the network, `[films, size, size]` or
/// `[films, 1, size, size]`. Numbers of FP32 are rounded to whole grays.
pub(super) fn planes(
    input: &InputTensor,
    binary: Option<&[u8]>,
    size: usize,
    most: usize,
) -> Result<Vec<Plane>, Problem> {
    let side = size as u64;
    let count = match input.shape.as_slice() {
        [count, height, width] | [count, 1, height, width] if [*height, *width] == [side; 2] => {
            *count
        }
        _ => {
            let shape = format!("[films, {size}, {size}] or [films, 1, {size}, {size}]");
            return Err(bad(format!("the input `planes` has the shape {shape}")));
        }
    };
    let count =
        usize::try_from(count).ok().filter(|&count| count <= most).ok_or_else(|| too_many(most))?;
    let pixels: Vec<u8> = match (input.datatype.as_str(), binary) {
        ("UINT8", Some(bytes)) => bytes.to_vec(),
        ("FP32", Some(bytes)) => {
            let (values, rest) = bytes.as_chunks::<4>();
            if !rest.is_empty() {
                return Err(bad("the binary data does not consist of numbers of four bytes"));
            }
            values
                .iter()
                .map(|&value| gray(f64::from(f32::from_le_bytes(value))))
                .collect::<Result<_, _>>()?
        }
        ("UINT8" | "FP32", None) => {
            let data = input.data.as_ref().ok_or_else(|| bad(NO_DATA))?;
            if !data.texts.is_empty() {
                return Err(bad("a gray is not a number from 0 to 255"));
            }
            data.numbers.iter().map(|&value| gray(f64::from(value))).collect::<Result<_, _>>()?
        }
        _ => return Err(bad("the input `planes` has the datatype UINT8 or FP32")),
    };
    if pixels.len() != count * size * size {
        let found = pixels.len();
        return Err(bad(format!(
            "the input `planes` has {found} values, but its shape says otherwise"
        )));
    }
    let plane =
        |pixels: &[u8]| Plane { width: size as u32, height: size as u32, pixels: pixels.to_vec() };
    Ok(pixels.chunks_exact(size * size).map(plane).collect())
}

fn too_many(most: usize) -> Problem {
    Problem::new(Reason::TooLarge, format!("a request has at most {most} films"))
}

fn gray(value: f64) -> Result<u8, Problem> {
    if (0.0..=255.0).contains(&value) {
        Ok(value.round() as u8)
    } else {
        Err(bad("a gray is not a number from 0 to 255"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, datatype: &str, shape: Value, data: Value) -> InputTensor {
        let all = json!({ "name": name, "datatype": datatype, "shape": shape, "data": data });
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn films_are_elements_behind_their_lengths() {
        let about = input("films", "BYTES", json!([2]), Value::Null);
        let bytes = [2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0];

        assert_eq!(films(&about, Some(&bytes), 2).unwrap(), [b"ab".to_vec(), Vec::new()]);
        for cut in 1..bytes.len() {
            assert!(films(&about, Some(&bytes[..cut]), 2).is_err(), "{cut}");
        }
        assert!(films(&about, Some(&[255; 8]), 2).is_err());
        // Elements of no bytes are refused before they are kept.
        assert!(films(&about, Some(&[0; 1 << 16]), 2).is_err());
    }

    #[test]
    fn films_in_json_are_in_base64() {
        let good = input("films", "BYTES", json!([2, 1]), json!([["YWI="], [""]]));

        assert_eq!(films(&good, None, 2).unwrap(), [b"ab".to_vec(), Vec::new()]);
        assert!(films(&good, None, 1).is_err());
        for data in [json!([1, 2]), json!(["?", ""]), json!(["YWI="]), Value::Null] {
            let input = input("films", "BYTES", json!([2]), data.clone());
            assert!(films(&input, None, 2).is_err(), "{data}");
        }
    }

    #[test]
    fn planes_are_whole_grays_of_the_size_of_the_network() {
        let of = |datatype, shape, data| {
            planes(&input("planes", datatype, shape, data), None, 2, 3)
                .map(|planes| planes.into_iter().map(|plane| plane.pixels).collect::<Vec<_>>())
        };

        let values = json!([[[0, 1], [254, 255]], [[4, 4], [4, 4]], [[9, 9], [9, 9]]]);
        let expected = [vec![0, 1, 254, 255], vec![4; 4], vec![9; 4]];
        assert_eq!(of("UINT8", json!([3, 2, 2]), values.clone()).unwrap(), expected);
        assert_eq!(of("FP32", json!([3, 1, 2, 2]), values).unwrap(), expected);
        assert_eq!(
            of("FP32", json!([1, 2, 2]), json!([0.4, 0.6, 1.5, 254.6])).unwrap(),
            [[0, 1, 2, 255]]
        );
        for (shape, data) in [
            (json!([1, 2, 2]), json!([1, 2, 3])),
            (json!([1, 2, 2]), json!([1, 2, 3, 256])),
            (json!([1, 2, 2]), json!([1, 2, 3, -1])),
            (json!([1, 2, 2]), json!([1, 2, 3, "4"])),
            (json!([1, 2, 3]), json!([1, 2, 3, 4, 5, 6])),
            (json!([4, 2, 2]), json!(vec![0; 16])),
            (json!([u64::MAX, 2, 2]), json!([])),
        ] {
            assert!(of("FP32", shape.clone(), data).is_err(), "{shape}");
        }
    }
}
