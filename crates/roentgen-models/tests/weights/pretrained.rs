//! Files of weights as found in practice: PyTorch's formats, broken files, hostile files.

use std::path::{Path, PathBuf};

use roentgen_models::pretrained::{FileError, WeightFile};

fn checkpoint(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints").join(name)
}

#[test]
fn checkpoints_of_both_formats_are_read_with_what_stands_beside_the_network() {
    for name in ["zip.pth", "legacy.pth.tar"] {
        let file = WeightFile::open(&checkpoint(name)).unwrap();
        let weight = "state_dict.module.classifier.0.weight";

        assert_eq!(file.shape(weight), Some([2, 3].as_slice()), "{name}");
        assert_eq!(file.values(weight).unwrap(), [0.0, 0.25, 0.5, 0.75, 1.0, 1.25], "{name}");
        let bias = file.values("state_dict.module.classifier.0.bias").unwrap();
        assert_eq!(bias, [-1.5, 2.0], "{name}");
    }
}

#[test]
fn whatever_stands_beside_the_weights_is_passed_over() {
    let file = WeightFile::open(&checkpoint("company.ckpt")).unwrap();
    let names: Vec<_> = file.shapes().map(|(name, _)| name).collect();

    assert_eq!(
        names,
        [
            "generator",
            "state_dict.module.classifier.0.bias",
            "state_dict.module.classifier.0.weight",
            "state_dict.module.norm0.num_batches_tracked",
        ]
    );
    let weight = file.values("state_dict.module.classifier.0.weight").unwrap();
    assert_eq!(weight, [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
}

#[test]
fn a_whole_network_is_read_as_its_state_dictionary() {
    let file = WeightFile::open(&checkpoint("module.pt")).unwrap();
    let names: Vec<_> = file.shapes().map(|(name, _)| name).collect();

    assert_eq!(
        names,
        [
            "0.bias",
            "0.weight",
            "1.bias",
            "1.num_batches_tracked",
            "1.running_mean",
            "1.running_var",
            "1.weight",
        ]
    );
    assert_eq!(file.values("0.weight").unwrap(), [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
    assert_eq!(file.values("1.running_mean").unwrap(), [0.5, 0.25]);
}

#[test]
fn a_checkpoint_is_known_by_its_content_if_its_ending_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["zip.pth", "legacy.pth.tar"] {
        let path = folder.path().join("weights.model");
        std::fs::copy(checkpoint(name), &path).unwrap();

        assert!(WeightFile::open(&path).is_ok(), "{name}");
    }
}

#[test]
fn a_changed_value_of_a_zip_archive_is_found_by_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zip.pth");
    let mut bytes = std::fs::read(checkpoint("zip.pth")).unwrap();
    let weight: Vec<u8> = [0.25_f32, 0.5, 0.75].into_iter().flat_map(f32::to_le_bytes).collect();
    let at = bytes.windows(weight.len()).position(|window| window == weight).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();

    let file = WeightFile::open(&path).unwrap();
    let error = file.values("state_dict.module.classifier.0.weight").unwrap_err();

    assert!(matches!(error, FileError::Pytorch { .. }), "{error}");
}

#[test]
fn half_precision_and_turned_axes_are_read_as_pytorch_shows_them() {
    let file = WeightFile::open(&checkpoint("half.pth")).unwrap();

    assert_eq!(file.shape("weight"), Some([2, 3].as_slice()));
    assert_eq!(file.values("weight").unwrap(), [0.0, 0.5, 1.0, 0.25, 0.75, 1.25]);
}

#[test]
fn a_counter_is_no_weight() {
    let file = WeightFile::open(&checkpoint("zip.pth")).unwrap();

    let error = file.values("state_dict.module.norm0.num_batches_tracked").unwrap_err();

    assert!(matches!(error, FileError::Kindless { .. }), "{error}");
}

#[test]
fn a_checkpoint_cut_anywhere_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["zip.pth", "legacy.pth.tar", "half.pth"] {
        let whole = std::fs::read(checkpoint(name)).unwrap();
        for length in (0..whole.len()).step_by(13) {
            let path = folder.path().join(name);
            std::fs::write(&path, &whole[..length]).unwrap();

            // The header may be complete and the values not; then reading the values fails.
            let read = WeightFile::open(&path).and_then(|file| {
                file.shapes()
                    .filter(|(name, _)| !name.contains("num_batches"))
                    .try_for_each(|(name, _)| file.values(name).map(|_| ()))
            });

            assert!(read.is_err(), "{name} cut to {length} bytes");
        }
    }
}

/// A pickle that calls `os.system("echo owned > FILE")`, bare, as in PyTorch's old checkpoint
/// format.
#[test]
fn a_pickle_that_would_run_a_program_is_refused_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("owned");
    let command = format!("echo owned > {}", mark.display());
    let calls = [
        format!("cposix\nsystem\n(S'{command}'\ntR."),
        format!("cos\nsystem\n(V{command}\ntR."),
        format!("(S'{command}'\nios\nsystem\n."),
        format!("cbuiltins\neval\n(S'__import__(\"os\").system(\"{command}\")'\ntR."),
    ];
    for call in calls {
        let path = folder.path().join("weights.pth");
        std::fs::write(&path, call.as_bytes()).unwrap();

        let error = WeightFile::open(&path).unwrap_err();

        let is_refused = matches!(error, FileError::Pytorch { .. } | FileError::Empty { .. });
        assert!(is_refused, "{error}");
        assert!(!mark.exists(), "{call}");
    }
}

#[test]
fn other_files_are_refused_by_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        WeightFile::open(&path).unwrap_err()
    };

    assert!(matches!(open("weights.h5", b"\x89HDF\r\n"), FileError::Kind { .. }));
    assert!(matches!(
        open("weights.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\x7f{}"),
        FileError::Safetensors { .. }
    ));
    assert!(matches!(open("weights.pth", b"<!DOCTYPE html>"), FileError::Pytorch { .. }));
    assert!(matches!(open("model.bpk", b""), FileError::Burnpack { .. }));
    let nowhere = WeightFile::open(&folder.path().join("nowhere.pth")).unwrap_err();
    assert!(matches!(nowhere, FileError::Read { .. }));
}
