//! The memory of the GPU: how much is free, and allocations that are not from Burn's pool.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::backend::DispatchDevice;
use cubecl_common::device::Device as _;
use cubecl_common::device_handle::DeviceHandle;
use cubecl_server::memory_management::MemoryReport;
use cubecl_server::server::Server as _;
use cudarc::driver::sys as driver;

use super::cuda_device;
use super::gpu::{CudaServer, kept_scratch};
use crate::failure::OUT_OF_MEMORY;
use crate::gpu_memory::GpuMemory;

/// Returns the memory of a device. What Burn's pool and our scratch keep for later counts as free,
/// because this process uses it again. `None` on other devices, and if CUDA does not start.
pub(crate) fn of_device(device: &DispatchDevice) -> Option<GpuMemory> {
    let device = cuda_device(device)?;
    let measured = catch_unwind(AssertUnwindSafe(|| {
        // Opening a device panics if CUDA finds no memory for itself.
        DeviceHandle::<CudaServer>::new(device.to_id()).submit_blocking(|server| {
            let GpuMemory { free, total } = of_current_context()?;
            let streams = server.stream_ids();
            let streams = streams.into_iter().filter_map(|id| server.memory_report(id)).collect();
            let usage = MemoryReport { streams }.usage();
            let in_use = usage.bytes_in_use + usage.bytes_padding;
            let kept = usage.bytes_reserved.saturating_sub(in_use) + kept_scratch();
            Some(GpuMemory { free: free + kept, total })
        })
    }));
    measured.ok()?.ok()?
}

/// Returns the memory of the device whose context is current, as the driver says.
pub(crate) fn of_current_context() -> Option<GpuMemory> {
    let (mut free, mut total) = (0, 0);
    // SAFETY: writes two numbers.
    let status = unsafe { driver::cuMemGetInfo_v2(&mut free, &mut total) };
    let is_known = status == driver::CUresult::CUDA_SUCCESS;
    is_known.then_some(GpuMemory { free: free as u64, total: total as u64 })
}

/// Allocates in the current context. If there is too little memory, it is tried again after
/// `reclaim`.
///
/// # Panics
///
/// Panics if there is still too little, in words that [`GpuFailure`](crate::GpuFailure) reads.
pub(crate) fn allocate(bytes: usize, reclaim: &dyn Fn()) -> u64 {
    let mut address = 0;
    // SAFETY: writes one address.
    let mut allocate = || unsafe { driver::cuMemAlloc_v2(&mut address, bytes) };
    let mut status = allocate();
    if status == driver::CUresult::CUDA_ERROR_OUT_OF_MEMORY {
        reclaim();
        status = allocate();
    }
    match status {
        driver::CUresult::CUDA_SUCCESS => address,
        driver::CUresult::CUDA_ERROR_OUT_OF_MEMORY => panic!("{OUT_OF_MEMORY}{bytes} bytes"),
        other => panic!("{bytes} bytes: {other:?}"),
    }
}
