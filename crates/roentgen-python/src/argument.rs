//! Names that Python passes, as the choices that they name.

use std::str::FromStr;

use burn::tensor::Device;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use roentgen_tasks::device::{self, DeviceChoice};
use roentgen_tasks::sources::Gate;

use crate::error::raise;

/// Returns the choice with a name; the error lists the names that exist.
pub(crate) fn named<T: Copy, const N: usize>(
    what: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
    asked: &str,
) -> PyResult<T> {
    let known = all.into_iter().find(|one| name(*one) == asked);
    known.ok_or_else(|| {
        let names = all.map(name).join("`, `");
        PyValueError::new_err(format!("{what}=`{asked}` is unknown; give one of `{names}`"))
    })
}

/// Reads an argument by the type's own reader.
pub(crate) fn parsed<T: FromStr<Err: ToString>>(what: &str, asked: &str) -> PyResult<T> {
    asked.parse().map_err(|error: T::Err| {
        PyValueError::new_err(format!("{what}=`{asked}`: {}", error.to_string()))
    })
}

/// Returns the gate of a name.
pub(crate) fn gate(asked: &str) -> PyResult<Gate> {
    let name = |gate: Gate| match gate {
        Gate::Refuse => "refuse",
        Gate::Fix => "fix",
        Gate::Off => "off",
    };
    named("gate", [Gate::Refuse, Gate::Fix, Gate::Off], name, asked)
}

/// Opens a device.
pub(crate) fn device(asked: &str) -> PyResult<Device> {
    device::open(device::resolve(parsed::<DeviceChoice>("device", asked)?)).map_err(raise)
}
