//! Compares a figure with that of a reference program.

use serde_json::Value;

/// Requires both to be undefined or to differ by less than `within`, relative to values above 1.
#[track_caller]
pub(crate) fn assert_near(what: &str, ours: Option<f64>, theirs: &Value, within: f64) {
    match (ours, theirs.as_f64()) {
        (None, None) => {}
        (Some(ours), Some(theirs)) => {
            let distance = (ours - theirs).abs() / theirs.abs().max(1.0);
            assert!(distance < within, "{what}: {ours} instead of {theirs}, off by {distance}");
        }
        (ours, theirs) => panic!("{what}: {ours:?} instead of {theirs:?}"),
    }
}
