//! `doctor`: what this build and this machine have.

use serde_json::json;

use super::Context;
use crate::device;
use crate::output::Output;

/// Says versions, devices and threads.
pub(crate) fn run(context: &Context) -> Output {
    let version = env!("CARGO_PKG_VERSION");
    let threads = rayon::current_num_threads();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let backends = device::built_in();
    let text = format!(
        "roentgen {version}\nbackends in this build: {}\ndevice chosen: {}\nthreads: {threads} of \
         {cores} cores\nengine: Burn",
        backends.join(", "),
        context.device_name,
    );
    let json = json!({
        "version": version,
        "backends": backends,
        "device": context.device_name,
        "threads": threads,
        "cores": cores,
        "engines": ["burn"],
    });
    Output::done(text, json)
}
