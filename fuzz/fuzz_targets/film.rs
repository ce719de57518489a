//! Films: PNG, JPEG and DICOM.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::pixels;

fuzz_target!(|bytes: &[u8]| {
    let _ = pixels::decode(bytes);
});
