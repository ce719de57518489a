//! Values as the elements store them.

use super::super::element::Element;

/// The bytes of values, each rounded to the nearest element.
pub(super) fn to_bits(values: &[f32], element: Element) -> Vec<u8> {
    match element {
        Element::F32 => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Element::Bf16 => values.iter().flat_map(|&value| bf16(value).to_ne_bytes()).collect(),
        Element::F16 => values.iter().flat_map(|&value| f16(value).to_ne_bytes()).collect(),
    }
}

/// The values of bytes.
pub(super) fn from_bits(bytes: &[u8], element: Element) -> Vec<f32> {
    let halves = || bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
    match element {
        Element::F32 => {
            bytes.chunks_exact(4).map(|four| f32::from_ne_bytes(four.try_into().unwrap())).collect()
        }
        Element::Bf16 => halves().map(|half| f32::from_bits(u32::from(half) << 16)).collect(),
        Element::F16 => halves().map(wide).collect(),
    }
}

fn bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// To half precision, for values that are neither tiny nor huge.
fn f16(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let rest = bits & 0x7fff_ffff;
    if rest < 0x3880_0000 {
        return sign;
    }
    let rounded = rest + 0xfff + (rest >> 13 & 1);
    sign | ((rounded - 0x3800_0000) >> 13) as u16
}

fn wide(half: u16) -> f32 {
    let (sign, exponent, digits) = (half >> 15, half >> 10 & 31, half & 1023);
    let value = match exponent {
        0 => f32::from(digits) * 2.0_f32.powi(-24),
        _ => (1.0 + f32::from(digits) / 1024.0) * 2.0_f32.powi(i32::from(exponent) - 15),
    };
    if sign == 1 { -value } else { value }
}
