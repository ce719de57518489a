//! The answer to `--version`: what this program was built from, with what, and what it computes with.

use std::sync::LazyLock;

use roentgen_tasks::device;

/// The commit from which the program was built; `unknown` outside a Git checkout.
pub(crate) const COMMIT: &str = env!("ROENTGEN_COMMIT");

static LONG: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\ncommit: {COMMIT}\nbackends: {}\nCPU kernels: {}",
        env!("CARGO_PKG_VERSION"),
        device::built_in().join(", "),
        roentgen_kernels::instruction_set()
    )
});

/// Returns the answer to `--version`; that to `-V` is the version alone.
pub(super) fn long() -> &'static str {
    &LONG
}
