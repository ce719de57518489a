//! Weights in fewer bits: kept so in a file, and computed with in 32 bits.

use std::collections::HashMap;

use burn::tensor::{Bytes, DType, f16};
use burn_pack::{Reader, Tensor, Writer};

use super::Error;

/// Suffix of the name of an 8-bit tensor's scales.
const SCALES: &str = ".scales";

/// In how many bits the weights of convolutions and linear layers are kept. Biases, norms and
/// running statistics are few and always have 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// 32 bits, as they were trained.
    #[default]
    F32,
    /// 16 bits: IEEE 754 half precision.
    F16,
    /// 8 bits: whole numbers from -127 to 127, times a scale for each index of the first axis (the
    /// outputs of a convolution, the inputs of a linear layer), which is the largest absolute weight
    /// there divided by 127.
    Int8,
}

impl Storage {
    /// All of them.
    pub const ALL: [Storage; 3] = [Storage::F32, Storage::F16, Storage::Int8];

    /// The name on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Storage::F32 => "f32",
            Storage::F16 => "f16",
            Storage::Int8 => "int8",
        }
    }
}

/// Rounds packed weights in 32 bits to a storage.
///
/// # Errors
///
/// Returns an error if `bytes` are not packed weights, or if a weight is too large for 16 bits.
pub fn round(bytes: Vec<u8>, storage: Storage) -> Result<Bytes, Error> {
    let tensors = Reader::from_bytes(Bytes::from_bytes_vec(bytes))?.into_tensors()?;
    let mut rounded = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        // Matrices of linear layers and windows of convolutions.
        let is_rounded = tensor.dtype == DType::F32 && matches!(tensor.shape.num_dims(), 2 | 4);
        match storage {
            Storage::F16 if is_rounded => rounded.push(to_f16(tensor)?),
            Storage::Int8 if is_rounded => rounded.extend(to_int8(tensor)?),
            _ => rounded.push(tensor),
        }
    }
    Ok(Writer::new(rounded).into_bytes()?)
}

/// Makes packed weights in 32 bits of packed weights in any storage.
///
/// # Errors
///
/// Returns an error if `bytes` are not packed weights, or if scales are missing.
pub(crate) fn widen(bytes: Vec<u8>) -> Result<Bytes, Error> {
    let tensors = Reader::from_bytes(Bytes::from_bytes_vec(bytes))?.into_tensors()?;
    let (scales, tensors): (Vec<_>, Vec<_>) =
        tensors.into_iter().partition(|tensor| tensor.name.ends_with(SCALES));
    let mut scales_of: HashMap<String, Vec<f32>> = HashMap::with_capacity(scales.len());
    for tensor in scales {
        let (name, dtype, _, _, bytes) = tensor.into_parts()?;
        if dtype != DType::F32 {
            return Err(Error::Pack(format!("`{name}` is not in 32 bits")));
        }
        scales_of.insert(name, floats(&bytes));
    }
    let widened = tensors.into_iter().map(|tensor| match tensor.dtype {
        DType::F16 => from_f16(tensor),
        DType::I8 => from_int8(tensor, &scales_of),
        _ => Ok(tensor),
    });
    Ok(Writer::new(widened.collect::<Result<_, Error>>()?).into_bytes()?)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks::<4>();
    chunks.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect()
}

fn packed(values: impl Iterator<Item = f32>) -> Bytes {
    Bytes::from_bytes_vec(values.flat_map(f32::to_le_bytes).collect())
}

fn to_f16(tensor: Tensor) -> Result<Tensor, Error> {
    let (name, _, shape, id, bytes) = tensor.into_parts()?;
    let values: Vec<f16> = floats(&bytes).into_iter().map(f16::from_f32).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Error::Pack(format!("`{name}` has weights beyond the range of 16 bits")));
    }
    let bytes = values.into_iter().flat_map(f16::to_le_bytes).collect();
    Ok(Tensor::new(name, DType::F16, shape, id, Bytes::from_bytes_vec(bytes)))
}

fn from_f16(tensor: Tensor) -> Result<Tensor, Error> {
    let (name, _, shape, id, bytes) = tensor.into_parts()?;
    let (chunks, _) = bytes.as_chunks::<2>();
    let values = packed(chunks.iter().map(|&chunk| f16::from_le_bytes(chunk).to_f32()));
    Ok(Tensor::new(name, DType::F32, shape, id, values))
}

/// Returns the tensor in 8 bits and its scales.
fn to_int8(tensor: Tensor) -> Result<[Tensor; 2], Error> {
    let (name, _, shape, id, bytes) = tensor.into_parts()?;
    let values = floats(&bytes);
    if !values.iter().all(|value| value.is_finite()) {
        return Err(Error::Pack(format!("`{name}` has weights that are not numbers")));
    }
    let channels = shape[0];
    let length = (values.len() / channels.max(1)).max(1);
    let mut whole = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(channels);
    for channel in values.chunks(length) {
        let largest = channel.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        scales.push(scale);
        whole.extend(channel.iter().map(|value| (value / scale).round() as i8 as u8));
    }
    let scales = Tensor::new(
        format!("{name}{SCALES}"),
        DType::F32,
        [scales.len()],
        None,
        packed(scales.into_iter()),
    );
    Ok([Tensor::new(name, DType::I8, shape, id, Bytes::from_bytes_vec(whole)), scales])
}

fn from_int8(tensor: Tensor, scales_of: &HashMap<String, Vec<f32>>) -> Result<Tensor, Error> {
    let (name, _, shape, id, bytes) = tensor.into_parts()?;
    let scales = scales_of.get(&format!("{name}{SCALES}"));
    let Some(scales) = scales.filter(|scales| Some(&scales.len()) == shape.first()) else {
        return Err(Error::Pack(format!("`{name}` is in 8 bits, but lacks its scales")));
    };
    let length = (bytes.len() / scales.len().max(1)).max(1);
    let channels = bytes.chunks(length).zip(scales);
    let values = channels.flat_map(|(channel, scale)| {
        channel.iter().map(move |&byte| f32::from(byte as i8) * scale)
    });
    Ok(Tensor::new(name, DType::F32, shape, id, packed(values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two channels of a convolution, a bias, and a channel of zeros.
    fn weights() -> Vec<Tensor> {
        let kernel = [0.5, -1.0, 0.25, 0.003, 40.0, -7.0, 0.0, 0.0, 0.0];
        vec![
            Tensor::new(
                "conv".into(),
                DType::F32,
                [3, 1, 1, 3],
                Some(1),
                packed(kernel.into_iter()),
            ),
            Tensor::new("bias".into(), DType::F32, [2], Some(2), packed([0.1, 1e9].into_iter())),
        ]
    }

    fn values(bytes: Vec<u8>) -> Vec<(String, Vec<f32>)> {
        let tensors = Reader::from_bytes(Bytes::from_bytes_vec(bytes)).unwrap().into_tensors();
        let parts = tensors.unwrap().into_iter().map(|tensor| tensor.into_parts().unwrap());
        let mut values: Vec<_> =
            parts.map(|(name, _, _, _, bytes)| (name, floats(&bytes))).collect();
        values.sort_by(|one, other| one.0.cmp(&other.0));
        values
    }

    #[test]
    fn rounded_weights_are_within_half_a_step_and_biases_are_exact() {
        let whole = Writer::new(weights()).into_bytes().unwrap().to_vec();
        let before = values(whole.clone());
        for storage in Storage::ALL {
            let stored = round(whole.clone(), storage).unwrap().to_vec();
            let after = values(widen(stored).unwrap().to_vec());

            assert_eq!(after.len(), 2, "{storage:?}");
            assert_eq!(after[0], before[0], "{storage:?}");
            let channels = after[1].1.chunks(3).zip(before[1].1.chunks(3));
            for (after, before) in channels {
                let largest = before.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                let step = match storage {
                    Storage::F32 => 0.0,
                    Storage::F16 => largest / 1024.0,
                    Storage::Int8 => largest / 127.0,
                };
                for (after, before) in after.iter().zip(before) {
                    assert!((after - before).abs() <= step / 2.0, "{storage:?}: {after} {before}");
                }
            }
        }
    }

    #[test]
    fn weights_beyond_16_bits_and_lost_scales_are_errors() {
        let large = packed([1e6, 1.0].into_iter());
        let large = Tensor::new("large".into(), DType::F32, [2, 1], None, large);
        let whole = Writer::new(vec![large]).into_bytes().unwrap().to_vec();
        let problem = round(whole.clone(), Storage::F16).unwrap_err().to_string();
        assert!(problem.contains("`large` has weights beyond"), "{problem}");

        let lost = packed([f32::NAN, 1.0].into_iter());
        let lost = Tensor::new("lost".into(), DType::F32, [2, 1], None, lost);
        let lost = Writer::new(vec![lost]).into_bytes().unwrap().to_vec();
        for storage in [Storage::F16, Storage::Int8] {
            assert!(round(lost.clone(), storage).is_err(), "{storage:?}");
        }

        let stored = round(whole, Storage::Int8).unwrap();
        let mut tensors = Reader::from_bytes(stored).unwrap().into_tensors().unwrap();
        tensors.retain(|tensor| tensor.dtype == DType::I8);
        let lost = Writer::new(tensors).into_bytes().unwrap().to_vec();
        let problem = widen(lost).unwrap_err().to_string();
        assert!(problem.contains("lacks its scales"), "{problem}");
    }
}
