//! A GPU without enough memory. It is tried in a process of its own, because nothing can be computed
//! after a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::CubeDevice;
use burn_cubecl::tensor::CubeTensor;

use super::upload;
use crate::cuda::element::Element;
use crate::cuda::gpu::{Scratch, enqueue, failure};
use crate::{GpuFailure, GpuMemory, gpu_memory};

/// Set in the process that runs out of memory.
const CHILD: &str = "ROENTGEN_OUT_OF_MEMORY";
/// Bytes of the replacement for the driver.
const CAPACITY: usize = 256 << 20;

#[test]
#[ignore = "needs a GPU or tests/fake_gpu/run.sh"]
fn a_lack_of_memory_is_reported_with_the_amounts() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["cuda::tests::memory::runs_out_of_memory", "--exact", "--include-ignored"])
        .env(CHILD, "1")
        .env("FAKE_CUDA_BYTES", CAPACITY.to_string())
        .output()
        .unwrap();

    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "part of the test above"]
fn runs_out_of_memory() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    crate::prepare_cuda();
    let device = Device::cuda(0);
    let before = gpu_memory(&device).unwrap();
    assert!(before.free > before.total / 2 && before.free <= before.total, "{before}");

    scratch_gets_what_the_pool_keeps(&device, before);
    burns_panic_says_how_much_was_requested(&device, before);
    the_next_operation_panics_with_the_amounts(&device, before);
}

fn scratch_gets_what_the_pool_keeps(device: &Device, before: GpuMemory) {
    let (cube, small) = small();
    let [kept, scratch] = [before.free / 4 * 3, before.free / 2].map(|bytes| bytes as usize);
    drop(cube.client().empty(kept));

    enqueue(&[&small], move |gpu, _| {
        gpu.scratch(Scratch::Dnn, scratch);
    });
    device.sync().unwrap();

    assert_eq!(failure(), None);
    let after = gpu_memory(device).unwrap();
    assert!(after.free > before.free / 10 * 9, "{before}, then {after}");
}

fn burns_panic_says_how_much_was_requested(device: &Device, before: GpuMemory) {
    let values = before.total as usize;
    let read = || Tensor::<1>::empty([values], device).into_data();

    let panic = text(catch_unwind(AssertUnwindSafe(read)).unwrap_err());

    let found = GpuFailure::of_memory(&panic, Some(before));
    let expected =
        GpuFailure::OutOfMemory { requested: Some(4 * before.total), memory: Some(before) };
    assert_eq!(found, Some(expected), "{panic}");
    assert_eq!(failure(), None);
}

fn the_next_operation_panics_with_the_amounts(device: &Device, before: GpuMemory) {
    let (cube, small) = small();
    let handle = cube.client().empty(2 * before.total as usize);
    let large = CubeTensor::new_contiguous(
        cube.client(),
        cube,
        [before.total as usize / 2].into(),
        handle,
        DType::F32,
    );

    enqueue(&[&large], |_, _| ());
    device.sync().unwrap();

    let Some(GpuFailure::OutOfMemory { requested, memory }) = failure() else {
        panic!("{:?}", failure())
    };
    assert_eq!(*requested, Some(2 * before.total));
    assert_eq!(memory.unwrap().total, before.total);
    let next = || enqueue(&[&small], |_, _| ());
    let panic = text(catch_unwind(AssertUnwindSafe(next)).unwrap_err());
    assert!(panic.starts_with("the GPU failed: out of memory ("), "{panic}");
}

/// A device and a tensor on it.
fn small() -> (CubeDevice, CubeTensor) {
    let device = CubeDevice::Cuda(Default::default());
    let tensor = upload(&[1.0; 8], [1, 8, 1, 1], Element::F32, &device);
    (device, tensor)
}

fn text(panic: Box<dyn std::any::Any + Send>) -> String {
    *panic.downcast::<String>().unwrap()
}
