//! Changed score tables: an error or a table that can be written and read again, never a panic.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs;
use std::time::{Duration, Instant};

use roentgen_eval::Scores;
use roentgen_test_support::mutation::{Mutator, turns};

/// Changed tables of each kind.
const TURNS: u64 = 400;
/// The longest that one of these small tables may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Tables with what tables have: quotes, unknown labels, small numbers, cells that are empty.
const TABLES: [&str; 3] = [
    "image,patient,view,age,sex,source,dataset,split,patient_in_training,model,dataset_id,Mass,\
     Mass.truth,Mass.calibrated,Mass.call,Nodule,Nodule.truth\n\
     00000001_000.png,1,PA,58,M,films,phantom (seed 4),official test,0,0a1b2c3d4e5f,9f8e,0.125,1,\
     0.25,1,1e-7,\n\
     00000002_000.png,2,AP,,F,films,phantom (seed 4),official test,0,0a1b2c3d4e5f,9f8e,0.5,0,,0,1,0\n",
    "image,patient,mood,X,X.truth\n\"a,b\",1,\"say \"\"hi\"\"\",0.1,1\nc,2,,0.30000000000000004,\n",
    "\u{feff}X.truth,X,patient,image\r\n1.0,5e-1,1,a\r\n,0,2,b\r\n0.0,1,2,c\r\n",
];

#[test]
fn a_changed_table_is_refused_or_comes_back_as_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let [path, again] = ["changed.csv", "again.csv"].map(|name| folder.path().join(name));
    for (number, table) in TABLES.iter().enumerate() {
        let mut mutator = Mutator::new(number as u64);
        let (mut read, mut refused) = (0, 0);
        for turn in 0..turns(TURNS) {
            fs::write(&path, mutator.mutate(table.as_bytes())).unwrap();
            let start = Instant::now();
            match Scores::read(&path) {
                Ok(scores) => {
                    read += 1;
                    scores.write(&again).unwrap();
                    let written = Scores::read(&again).unwrap();
                    assert_eq!(written.images(), scores.images(), "table {number}, turn {turn}");
                    assert_eq!(written.findings(), scores.findings());
                    let _ = Scores::join(&[scores.clone(), written]);
                }
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().contains("changed.csv"), "{error}");
                }
            }
            assert!(start.elapsed() < LIMIT, "table {number}, turn {turn}");
        }
        assert!(read > 0 && refused > read / 4, "table {number}: {read} read, {refused} refused");
    }
}
