//! Loads the models again, on SIGHUP.

use std::sync::Arc;

use serde_json::json;

use crate::config::Config;
use crate::error::Error;
use crate::log::Level;
use crate::models::{Loader, Models, Served};

/// Loads models again and returns the new set, in which a model that cannot be loaded stays as it is.
/// Returns `None` if all stay.
pub(crate) fn reload(config: &Config, loader: &Loader, old: &Models) -> Option<Models> {
    let mut all = Vec::with_capacity(old.all.len());
    let mut fresh: Vec<Arc<Served>> = Vec::new();
    for (place, before) in config.models.iter().zip(&old.all) {
        match loader.load(place) {
            Ok(model) => {
                let model = Arc::new(model);
                fresh.push(model.clone());
                all.push(model);
            }
            Err(error) => {
                keep(loader, &error);
                all.push(before.clone());
            }
        }
    }
    if fresh.is_empty() {
        return None;
    }
    match Models::new(all, old.together) {
        Ok(models) => {
            for model in fresh {
                loader.announce(&model);
                loader.metrics.reload("loaded");
            }
            Some(models)
        }
        Err(error) => {
            keep(loader, &error);
            None
        }
    }
}

fn keep(loader: &Loader, error: &Error) {
    let about = json!({ "problem": error.to_string(), "kept": true });
    loader.log.write(Level::Error, "reload failed", about);
    loader.metrics.reload("failed");
}
