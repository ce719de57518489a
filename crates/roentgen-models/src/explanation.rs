//! How a heat map of a film and a finding is computed: the methods, and which head allows which.
//!
//! All but the attention mask are of one finding: of its logit, never of its probability and never
//! of several findings together.
//!
//! - CAM ([Zhou et al. 2016][cam], Wang et al. 2017, 3.2): the feature map weighted by the weights
//!   of the finding. It needs a head without activations; its mean over the film plus the bias is
//!   the logit.
//! - Grad-CAM ([Selvaraju et al. 2017][grad-cam]): the feature map weighted by the mean gradients of
//!   the logit, without the part below zero. After a linear head this is CAM by a factor.
//! - Grad-CAM++ ([Chattopadhyay et al. 2018][plus-plus]), equation 19 as the package `grad-cam` has
//!   it, with its constant of 1e-6 and with the gradient of the logit itself.
//! - Occlusion ([Zeiler and Fergus 2014][occlusion]): how far the logit falls when a patch of the
//!   film is covered.
//!
//! [cam]: https://arxiv.org/abs/1512.04150
//! [grad-cam]: https://arxiv.org/abs/1610.02391
//! [plus-plus]: https://arxiv.org/abs/1710.11063
//! [occlusion]: https://arxiv.org/abs/1311.2901

use std::str::FromStr;

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use crate::zoo::Pool;

/// The constant of the package `grad-cam` in the denominator of equation 19. It is not small
/// compared with the squares of gradients after a mean over the film.
const LEAST: f32 = 1e-6;

/// How a heat map is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The attention mask, one for all findings.
    Attention,
    /// Class activation map.
    Cam,
    /// Grad-CAM.
    GradCam,
    /// Grad-CAM++.
    GradCamPlusPlus,
    /// Occlusion.
    Occlusion,
}

/// A name that no method has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown method `{0}`; it must be attention, cam, grad-cam, grad-cam++ or occlusion")]
pub struct UnknownMethod(pub String);

/// A method that needs another head.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` {} a model with `pool = \"{}\"`; it allows {}",
    method.name(), method.need(), pool.name(), names(&Method::allowed_by(*pool))
)]
pub struct NotAllowed {
    /// The method.
    pub method: Method,
    /// The head of the model.
    pub pool: Pool,
}

impl Method {
    /// All methods.
    pub const ALL: [Method; 5] = [
        Method::Attention,
        Method::Cam,
        Method::GradCam,
        Method::GradCamPlusPlus,
        Method::Occlusion,
    ];

    /// Returns the name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Method::Attention => "attention",
            Method::Cam => "cam",
            Method::GradCam => "grad-cam",
            Method::GradCamPlusPlus => "grad-cam++",
            Method::Occlusion => "occlusion",
        }
    }

    /// Returns the name in titles.
    pub fn title(self) -> &'static str {
        match self {
            Method::Attention => "Attention",
            Method::Cam => "CAM",
            Method::GradCam => "Grad-CAM",
            Method::GradCamPlusPlus => "Grad-CAM++",
            Method::Occlusion => "Occlusion",
        }
    }

    /// Returns the method that is used if none is named: the mask of a model that has one, and
    /// otherwise Grad-CAM.
    pub fn default_for(pool: Pool) -> Self {
        match pool {
            Pool::Attention => Method::Attention,
            Pool::Average | Pool::Linear => Method::GradCam,
        }
    }

    /// Lists the methods that a head allows.
    pub(crate) fn allowed_by(pool: Pool) -> Vec<Self> {
        Self::ALL.into_iter().filter(|method| method.check(pool).is_ok()).collect()
    }

    /// Checks that a head allows the method.
    ///
    /// # Errors
    ///
    /// Returns an error that names the methods it allows.
    pub fn check(self, pool: Pool) -> Result<(), NotAllowed> {
        let is_allowed = match self {
            Method::Attention => pool == Pool::Attention,
            // The hidden layer of the average head has no activation, so that head is linear too.
            Method::Cam => pool != Pool::Attention,
            Method::GradCam | Method::GradCamPlusPlus | Method::Occlusion => true,
        };
        if is_allowed { Ok(()) } else { Err(NotAllowed { method: self, pool }) }
    }

    fn need(self) -> &'static str {
        match self {
            Method::Attention => "needs an attention mask, which is missing in",
            Method::Cam => "needs a head without activations, which is missing in",
            Method::GradCam | Method::GradCamPlusPlus | Method::Occlusion => "does not work with",
        }
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}

/// Lists names as words: `a, b and c`.
fn names(methods: &[Method]) -> String {
    let names: Vec<String> = methods.iter().map(|method| format!("`{}`", method.name())).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Computes Grad-CAM's weights of channels.
///
/// # Shapes
///
/// - `gradients`: `[maps, channels, h, w]`
/// - output: `[maps, channels]`
pub(crate) fn grad_cam(gradients: Tensor<4>) -> Tensor<2> {
    gradients.mean_dims(&[2, 3]).flatten(1, 3)
}

/// Computes Grad-CAM++'s weights of channels.
///
/// # Shapes
///
/// - `features`, `gradients`: `[maps, channels, h, w]`
/// - output: `[maps, channels]`
pub(crate) fn grad_cam_plus_plus(features: Tensor<4>, gradients: Tensor<4>) -> Tensor<2> {
    let squares = gradients.clone() * gradients.clone();
    let cubes = squares.clone() * gradients.clone();
    let sums = features.sum_dim(3).sum_dim(2);
    // Where a gradient is zero, so is its share.
    let shares = squares.clone() / (squares * 2.0 + sums * cubes + LEAST);
    (relu(gradients) * shares).sum_dim(3).sum_dim(2).flatten(1, 3)
}

/// Sums the channels of a feature map by their weights.
///
/// # Shapes
///
/// - `features`: `[maps, channels, h, w]`
/// - `weights`: `[maps, channels]`
/// - output: `[maps, h, w]`
pub(crate) fn weighted(features: Tensor<4>, weights: Tensor<2>) -> Tensor<3> {
    let [maps, channels, height, width] = features.dims();
    let rows = features.reshape([maps, channels, height * width]);
    weights.reshape([maps, 1, channels]).matmul(rows).reshape([maps, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_a_head_does_not_allow_is_answered_with_those_that_it_allows() {
        let cam = Method::Cam.check(Pool::Attention).unwrap_err().to_string();
        assert_eq!(
            cam,
            "`cam` needs a head without activations, which is missing in a model with \
             `pool = \"attention\"`; it allows `attention`, `grad-cam`, `grad-cam++` and \
             `occlusion`"
        );
        assert!(Method::Attention.check(Pool::Linear).is_err());
        for pool in [Pool::Average, Pool::Attention, Pool::Linear] {
            assert_eq!(Method::default_for(pool).check(pool), Ok(()));
        }
    }

    #[test]
    fn every_name_is_read_as_what_it_names() {
        for method in Method::ALL {
            assert_eq!(method.name().parse(), Ok(method));
        }
        assert!("gradcam".parse::<Method>().is_err());
    }
}
