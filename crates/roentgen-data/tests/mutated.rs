//! Mutated files of every kind that the crate reads: an error or a value, never a panic, quickly and
//! in little memory. `fuzz/` looks for more of them by hand; this runs with every test.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::DataSet;
use roentgen_data::medmnist::ArchiveOrigin;
use roentgen_data::metadata::LabelFile;
use roentgen_data::prepare::{Prepared, PreparedInfo, verify};
use roentgen_data::rows::{self, RowStore};
use roentgen_data::store::Store;
use roentgen_data::{boxes, manifest, medmnist, nih, pixels};
use roentgen_test_support::mutation::{self, Mutator};

/// Mutations of each file.
const TURNS: u64 = 120;
/// The longest that a reader may take for one of these small files.
const LIMIT: Duration = Duration::from_secs(5);
/// The most memory that the process may need, in MiB.
const MEMORY: u64 = 500;

/// Reads a file and tells whether it was one.
type Reader<'a> = &'a dyn Fn(&Path) -> bool;

/// Gives mutations of a file to its reader; returns how many were read and how many refused.
fn feed(path: &Path, read: Reader<'_>) -> [usize; 2] {
    let whole = fs::read(path).unwrap();
    let mut mutator = Mutator::new(path.file_name().unwrap().len() as u64 + whole.len() as u64);
    let mut counts = [0; 2];
    for turn in 0..mutation::turns(TURNS) {
        let bytes = mutator.mutate(&whole);
        fs::write(path, &bytes).unwrap();
        let start = Instant::now();
        let is_read = read(path);
        let took = start.elapsed();
        assert!(took < LIMIT, "{}, turn {turn}: {took:?}", path.display());
        counts[usize::from(!is_read)] += 1;
    }
    fs::write(path, &whole).unwrap();
    counts
}

fn file(root: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = root.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[cfg(target_os = "linux")]
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[cfg(not(target_os = "linux"))]
fn peak_mib() -> u64 {
    0
}

fn npz() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for side in ["train", "val", "test"] {
        for (array, shape, bytes) in
            [("images", "(2, 28, 28)", 2 * 28 * 28), ("labels", "(2, 14)", 28)]
        {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(format!("{side}_{array}.npy"), options).unwrap();
            let header =
                format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
            zip.write_all(b"\x93NUMPY\x01\0").unwrap();
            zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
            zip.write_all(header.as_bytes()).unwrap();
            zip.write_all(&vec![1; bytes]).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// A DICOM file of 3 x 2 pixels, with a sequence.
fn dicom() -> Vec<u8> {
    fn element(group: u16, number: u16, vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
        let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
        bytes.extend(vr);
        if [b"OB", b"OW", b"SQ"].contains(&vr) {
            bytes.extend([0, 0]);
            bytes.extend((value.len() as u32).to_le_bytes());
        } else {
            bytes.extend((value.len() as u16).to_le_bytes());
        }
        bytes.extend(value);
        bytes
    }
    let short = |number, value: u16| element(0x28, number, b"US", &value.to_le_bytes());
    let meta = [
        element(2, 1, b"OB", &[0, 1]),
        element(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.1\0"),
        element(2, 3, b"UI", b"1.2.3\0"),
        element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0"),
        element(2, 0x12, b"UI", b"1.2.3\0"),
    ]
    .concat();
    let item = element(0x28, 0x3006, b"US", &[1, 0, 2, 0, 3, 0]);
    let item = [&b"\xfe\xff\0\xe0"[..], &(item.len() as u32).to_le_bytes(), &item].concat();
    [
        vec![0; 128],
        b"DICM".to_vec(),
        element(2, 0, b"UL", &(meta.len() as u32).to_le_bytes()),
        meta,
        element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.1\0"),
        short(2, 1),
        element(0x28, 4, b"CS", b"MONOCHROME1 "),
        short(0x10, 2),
        short(0x11, 3),
        short(0x100, 16),
        short(0x101, 12),
        short(0x102, 11),
        short(0x103, 0),
        element(0x28, 0x1050, b"DS", b"2047"),
        element(0x28, 0x1051, b"DS", b"4095"),
        element(0x40, 0x275, b"SQ", &item),
        element(0x7fe0, 0x10, b"OW", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ]
    .concat()
}

#[test]
fn every_reader_survives_mutated_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let data = DataSet::six(root.join("data"), 1);
    let labels = data.root.join("Data_Entry_2017.csv");
    let box_list = data.table(
        "BBox_List_2017.csv",
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,1,2,3,4\n",
    );
    let list = data.table("test_list.txt", "00000001_000.png\n\"images/00000001_001.png\"\r\n");
    let out = root.join("out");
    data.prepare(&out).unwrap();
    let mut writer = rows::RowWriter::open(&root.join("rows"), &[3, 2], "these").unwrap();
    writer.append(&[0.5; 12]).unwrap();
    writer.finish().unwrap();

    let film = |path: &Path| pixels::size(path).is_ok() & pixels::read(path).is_ok();
    let folder_of = |path: &Path| path.parent().unwrap().to_owned();
    let opens = |path: &Path| Prepared::open(&folder_of(path)).is_ok();
    let verifies = |path: &Path| verify(&folder_of(path), &|_, _| ()).is_ok_and(|v| v.is_sound());
    let describes = |path: &Path| PreparedInfo::read(&folder_of(path)).is_ok();
    let unpacked = root.join("unpacked");
    let unpacks = |path: &Path| {
        let _ = fs::remove_dir_all(&unpacked);
        let origin = ArchiveOrigin { source: "here", checksum: "abc" };
        medmnist::prepare(path, &unpacked, 28, origin, &|_, _, _| ()).is_ok()
    };
    let png = data.root.join("images/00000001_000.png");
    let jpeg = include_bytes!("fixtures/progressive-colour.jpg");
    let mut readers: Vec<(PathBuf, Reader<'_>)> = vec![
        (png, &film),
        (file(root, "a.jpg", jpeg), &film),
        (file(root, "a.dcm", &dicom()), &film),
        (labels, &|path| LabelFile::read(path).is_ok()),
        (box_list, &|path| boxes::read(path).is_ok()),
        (list, &|path| nih::read_list(path).is_ok()),
        (file(root, "a.npz", &npz()), &unpacks),
        (root.join("rows"), &|path| {
            let rows = RowStore::open(path);
            rows.is_ok_and(|rows| {
                rows.is_some_and(|rows| {
                    let mut values = Vec::new();
                    (0..rows.len().min(9)).all(|row| rows.append(row, &mut values).is_ok())
                })
            })
        }),
        (out.join("manifest.csv"), &|path| manifest::read(path).is_ok()),
        (out.join("prepare.toml"), &describes),
        (out.join("images.safetensors"), &|path| {
            Store::open(path)
                .is_ok_and(|store| (0..store.len().min(9)).all(|i| store.plane(i).is_ok()))
        }),
    ];
    for name in
        ["manifest.csv", "prepare.toml", "images.safetensors", "bad-films.csv", "duplicates.csv"]
    {
        readers.push((out.join(name), &opens));
        readers.push((out.join(name), &verifies));
    }

    if cfg!(feature = "dicom") {
        assert!(film(&root.join("a.dcm")));
    }
    let before = peak_mib();
    for (path, read) in &readers {
        let [read, refused] = feed(path, *read);
        assert!(refused > 0, "{}: {read} read, none refused", path.display());
    }

    assert!(peak_mib() < before + MEMORY, "{} MiB", peak_mib());
    assert!(Prepared::open(&out).is_ok(), "the files were put back");
}
