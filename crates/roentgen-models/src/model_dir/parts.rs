//! The files of a model: in a folder, or in a bundle, which is a ZIP archive of them.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use roentgen_data::files;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::DESCRIPTION;

/// Returns whether `path` is a model: a folder with `model.toml`, or a bundle.
pub fn is_model(path: &Path) -> bool {
    if path.is_file() { open(path).is_ok() } else { path.join(DESCRIPTION).exists() }
}

/// Reads a file of a model, of at most `limit` bytes.
///
/// # Errors
///
/// Returns an error if the model has no such file, if it is longer, or if it cannot be read. The
/// path to show with the error is `model.join(name)` for both a folder and a bundle.
pub fn read_part(model: &Path, name: &str, limit: u64) -> io::Result<Vec<u8>> {
    if !model.is_file() {
        return files::read_at_most(&model.join(name), limit);
    }
    let mut archive = open(model)?;
    let part = archive.by_name(name).map_err(|error| match error {
        ZipError::FileNotFound => io::Error::new(io::ErrorKind::NotFound, "the bundle lacks it"),
        other => damaged(&other),
    })?;
    if part.size() > limit {
        let text =
            format!("it has {} MiB; at most {} MiB are read", part.size() >> 20, limit >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    // An entry may be longer than it says; the reader checks its CRC-32 at the end.
    let size = part.size();
    let mut bytes = Vec::new();
    part.take(size + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the bundle is damaged"));
    }
    Ok(bytes)
}

fn open(bundle: &Path) -> io::Result<ZipArchive<File>> {
    let archive = ZipArchive::new(files::open(bundle)?).map_err(|_| {
        let text = "it is not a bundle that `roentgen export --format bundle` wrote";
        io::Error::new(io::ErrorKind::InvalidData, text)
    })?;
    if archive.index_for_name(DESCRIPTION).is_none() {
        let text = format!("it is a ZIP archive without `{DESCRIPTION}`, and so not a bundle");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(archive)
}

fn damaged(error: &ZipError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the bundle is damaged: {error}"))
}

/// Packs parts into a bundle. Equal parts give equal bytes.
///
/// # Errors
///
/// Returns an error if a part is larger than a ZIP archive allows.
pub(super) fn pack(parts: &[(&str, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        // Weights look like noise, so compression would only cost time.
        let is_text = std::str::from_utf8(bytes).is_ok();
        let method = if is_text { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::default());
        archive.start_file(*name, options).map_err(io::Error::other)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish().map_err(io::Error::other)?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn parts_are_read_from_a_folder_and_from_a_bundle_alike() {
        let folder = tempfile::tempdir().unwrap();
        let parts = [(DESCRIPTION, b"format = 1".to_vec()), ("model.bpk", vec![255; 3000])];
        for (name, bytes) in &parts {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let bundle = folder.path().join("model.roentgen");
        fs::write(&bundle, pack(&parts).unwrap()).unwrap();

        assert!(is_model(folder.path()) && is_model(&bundle));
        for (name, bytes) in &parts {
            assert_eq!(&read_part(folder.path(), name, 4000).unwrap(), bytes);
            assert_eq!(&read_part(&bundle, name, 4000).unwrap(), bytes);
        }
        let missing = read_part(&bundle, "films.csv", 4000).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let long = read_part(&bundle, "model.bpk", 2999).unwrap_err();
        assert_eq!(long.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_changed_bundle_another_archive_and_another_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.roentgen");
        let whole = pack(&[(DESCRIPTION, b"format = 1".to_vec()), ("b", vec![255; 300])]).unwrap();
        let problem = |bytes: &[u8], name: &str| {
            fs::write(&path, bytes).unwrap();
            read_part(&path, name, 4000).unwrap_err().to_string()
        };

        let mut changed = whole.clone();
        let place = changed.iter().position(|&byte| byte == 255).unwrap();
        changed[place] = 0;
        assert!(problem(&changed, "b").contains("checksum"), "{}", problem(&changed, "b"));
        assert!(problem(&whole[..200], "b").contains("not a bundle"));
        assert!(problem(b"[network]", "b").contains("not a bundle"));
        let other = pack(&[("a.txt", b"a".to_vec())]).unwrap();
        assert!(problem(&other, "b").contains("without `model.toml`"));
        assert!(!is_model(&path));
    }
}
