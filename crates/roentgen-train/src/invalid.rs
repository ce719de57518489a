//! A value of the experiment file that is not allowed.

/// A value that is not allowed.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("`{key}`: {what}")]
pub struct Invalid {
    /// The key, such as `train.batch_size`.
    pub key: &'static str,
    /// The problem, and the values that are allowed.
    pub what: String,
}
