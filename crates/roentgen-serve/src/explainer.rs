//! The thread that computes heat maps, apart from the one that predicts, which a slow method would
//! hold up. With Burn both share the weights, so a model that is served can be explained whatever
//! happens to its files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use roentgen_eval::HeatMap;
use roentgen_models::explainer::WantedMap;
use roentgen_models::{Explainer, Method};
use roentgen_tasks::{Film, heat_maps};
use tokio::sync::oneshot;

/// Maps that wait; one takes up to minutes, so that a longer queue would only time out.
const QUEUE: usize = 8;

/// A map to compute.
pub(crate) struct MapJob {
    pub(crate) film: Film,
    pub(crate) method: Method,
    /// The output of the network.
    pub(crate) output: usize,
    pub(crate) reply: oneshot::Sender<Result<HeatMap, String>>,
}

/// Starts the thread, which ends when the sender is dropped.
pub(crate) fn start(explainer: Explainer) -> SyncSender<MapJob> {
    let (sender, jobs) = sync_channel(QUEUE);
    thread::spawn(move || work(&explainer, &jobs));
    sender
}

fn work(explainer: &Explainer, jobs: &Receiver<MapJob>) {
    while let Ok(MapJob { film, method, output, reply }) = jobs.recv() {
        if reply.is_closed() {
            continue;
        }
        let computed = catch_unwind(AssertUnwindSafe(|| map_of(explainer, &film, method, output)));
        let _ = reply.send(computed.unwrap_or_else(|_| Err("a fault in the engine".to_owned())));
    }
}

fn map_of(
    explainer: &Explainer,
    film: &Film,
    method: Method,
    output: usize,
) -> Result<HeatMap, String> {
    let wanted = [WantedMap { film: 0, output }];
    let maps = heat_maps(explainer, &[film.pixels()], method, &wanted);
    let maps = maps.map_err(|error| format!("{error:#}"))?;
    maps.into_iter().next().ok_or_else(|| "no map was computed".to_owned())
}
