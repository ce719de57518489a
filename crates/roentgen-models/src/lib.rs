//! The networks, and what is needed to use them.
//!
//! A [`Classifier`] is a backbone (films to a feature map), a pooling (feature map to one vector,
//! by average or by the 2019 study's attention) and a head (vector to logits, one a finding).
//! Probabilities are the sigmoids of logits and nothing else; they are taken in one place,
//! [`predictor`].
//!
//! A new backbone is one file in [`backbones`] and the arms of the `match`es that the compiler then
//! asks for, from [`zoo::Architecture`] on.

pub mod attention;
pub mod backbones;
pub mod classifier;
pub mod freeze;
pub mod head;
pub mod layers;
pub mod model_dir;
pub mod overlay;
pub mod precision;
pub mod predictor;
pub mod pretrained;
pub mod weights;
pub mod zoo;

pub use classifier::{Classifier, ClassifierConfig};
pub use freeze::Freeze;
pub use model_dir::Description;
pub use precision::Precision;
pub use predictor::Predictor;
pub use zoo::{Architecture, Pool};
