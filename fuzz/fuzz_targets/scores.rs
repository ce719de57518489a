//! Score tables, and what is asked of each before it is evaluated.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_eval::{Scores, refuse_training};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("scores.csv");
    std::fs::write(&path, bytes).expect("a file can be written");
    if let Ok(scores) = Scores::read(&path) {
        let _ = refuse_training(&scores);
        let _ = (scores.model(), scores.dataset_id(), scores.split());
        scores.write(&path).expect("a table that was read can be written");
        assert_eq!(Scores::read(&path).expect("and read again").images(), scores.images());
    }
});
