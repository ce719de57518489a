//! How far a picture is from the chest films that `scripts/eigenfilms.py` has seen: the residual of
//! its projection on their principal components (Turk and Pentland, "Eigenfaces for Recognition",
//! Journal of Cognitive Neuroscience 3, 1991).

use std::sync::LazyLock;

use safetensors::SafeTensors;

/// Height and width of a picture, in pixels.
pub(super) const SIDE: usize = 32;
const PIXELS: usize = SIDE * SIDE;

/// Principal components of upright films, each centred and divided by its standard deviation.
pub(super) struct Eigenfilms {
    mean: Vec<f64>,
    /// A row of `PIXELS` values a component, of length 1.
    components: Vec<Vec<f64>>,
    /// Variance of the films along each component.
    variance: Vec<f64>,
}

/// Where a picture is relative to the films.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The share of the picture's variance that no component explains.
    pub(super) residual: f64,
    /// Mean square of its weights, each in standard deviations of the films; 1 for films.
    pub(super) distance: f64,
}

pub(super) static EIGENFILMS: LazyLock<Eigenfilms> = LazyLock::new(|| {
    let file = SafeTensors::deserialize(include_bytes!("eigenfilms.safetensors"))
        .expect("the file is part of the program");
    let values = |name| -> Vec<f64> {
        let tensor = file.tensor(name).expect("the file has this tensor");
        let words = tensor.data().as_chunks().0;
        words.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect()
    };
    Eigenfilms {
        mean: values("mean"),
        components: values("components").chunks(PIXELS).map(<[f64]>::to_vec).collect(),
        variance: values("variance"),
    }
});

impl Eigenfilms {
    /// Returns the mean film, centred and divided by its standard deviation.
    #[cfg(test)]
    pub(super) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Places a picture of `SIDE` x `SIDE` pixels.
    pub(super) fn place(&self, pixels: &[u8]) -> Place {
        let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / PIXELS as f64;
        let squares = pixels.iter().map(|&pixel| (f64::from(pixel) - mean).powi(2)).sum::<f64>();
        let deviation = (squares / PIXELS as f64).sqrt().max(1e-6);
        let mut rest: Vec<f64> = pixels
            .iter()
            .zip(&self.mean)
            .map(|(&pixel, known)| (f64::from(pixel) - mean) / deviation - known)
            .collect();
        let mut distance = 0.0;
        for (component, variance) in self.components.iter().zip(&self.variance) {
            // The components are orthogonal, so what is taken away for one leaves the others.
            let weight: f64 = rest.iter().zip(component).map(|(rest, part)| rest * part).sum();
            for (rest, part) in rest.iter_mut().zip(component) {
                *rest -= weight * part;
            }
            distance += weight * weight / variance;
        }
        Place {
            residual: rest.iter().map(|value| value * value).sum::<f64>() / PIXELS as f64,
            distance: distance / self.components.len() as f64,
        }
    }
}
