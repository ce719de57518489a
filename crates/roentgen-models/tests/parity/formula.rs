//! The formula of `scripts/parity.py`: values computed from the name and shape of a tensor.

/// Returns `count` numbers in -1..1, derived from the name.
pub(crate) fn noise(name: &str, count: usize) -> Vec<f64> {
    stream(name, count).collect()
}

fn stream(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    (1..=count as u64).map(move |index| {
        let z = seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}

/// Returns the tensor of that name, in PyTorch's order of axes.
pub(crate) fn tensor(name: &str, shape: &[usize]) -> Vec<f32> {
    let inputs: usize = shape.iter().skip(1).product();
    let line = match name.rsplit('.').next() {
        Some("weight") if shape.len() > 1 => [0.0, (6.0 / inputs as f64).sqrt()],
        Some("weight" | "running_var") => [1.0, 0.3],
        Some("bias" | "running_mean") => [0.0, 0.1],
        _ => [0.0, 1.0],
    };
    let [level, slope] = line;
    stream(name, shape.iter().product()).map(|u| (level + slope * u) as f32).collect()
}
