//! The allocator: a training step takes and frees a gigabyte, and must not take it from the kernel anew.
//!
//! glibc gives the pages back each time; mimalloc does so after a while, and each page that comes
//! again is filled with zeros first: a fifth to a third of a DenseNet's step.

use std::ffi::c_int;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3, which its bindings do not name.
const PURGE_DELAY: c_int = 15;

/// Keeps freed pages until the program ends.
pub(crate) fn keep_pages() {
    #[expect(unsafe_code, reason = "a function of C that writes a number")]
    // SAFETY: options may be set at any time; an unknown one is ignored.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, -1);
    }
}
