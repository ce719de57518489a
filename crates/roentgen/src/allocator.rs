//! The allocator: a training step allocates and frees a gigabyte, which must not go back to the
//! kernel in between.
//!
//! glibc returns the pages every time, mimalloc after a delay, and the kernel fills each returned
//! page with zeros before it is used again: that takes a fifth to a third of a DenseNet's step.
//! Commands without a network give their pages back: `prepare` decodes films of hundreds of megabytes,
//! and would keep them once for each thread.

use std::ffi::c_int;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3, which is missing from its bindings.
const PURGE_DELAY: c_int = 15;

/// Keeps freed pages until the program ends.
pub(crate) fn keep_pages() {
    #[expect(unsafe_code, reason = "a C function that sets a number")]
    // SAFETY: options may be set at any time; an unknown one is ignored.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, -1);
    }
}
