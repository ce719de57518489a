//! The settings of the public operations that have several.

/// A convolution without its weights and without bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Whether each channel has a window of its own, or one window spans all channels.
    pub is_depthwise: bool,
    /// Step in both directions.
    pub stride: usize,
    /// Zeros at the top, left, bottom and right.
    pub padding: [usize; 4],
}

/// The settings of a step of [`adam`](crate::adam).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Decay rates of the means of the gradient and of its square.
    pub betas: [f32; 2],
    /// Keeps the quotient finite.
    pub epsilon: f32,
    /// Learning rate.
    pub rate: f64,
    /// The number of this step, from 1.
    pub time: usize,
}

impl AdamStep {
    /// The factors of the mean, with the rate, and of the root of the mean square.
    pub(crate) fn corrections(&self) -> [f32; 2] {
        let [first, second] = self.betas.map(|beta| 1.0 - f64::from(beta).powi(self.time as i32));
        [(self.rate / first) as f32, second.sqrt().recip() as f32]
    }
}
