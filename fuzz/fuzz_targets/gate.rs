//! The header of a file, as the input gate reads it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::gate::check_header;
use roentgen_data::pixels::FilmFile;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("film.dcm");
    std::fs::write(&path, bytes).expect("a file can be written");
    if let Ok(mut file) = FilmFile::open(&path)
        && check_header(&mut file).is_ok()
    {
        let _ = file.read();
    }
});
