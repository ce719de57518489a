//! The memory of a device that this process can still use.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::backend::DispatchDevice;
use cubecl_common::device::Device as _;
use cubecl_common::device_handle::DeviceHandle;
use cubecl_server::memory_management::MemoryReport;
use cubecl_server::server::Server as _;

use super::cuda_device;
use super::gpu::{CudaServer, kept_scratch};
use super::memory::of_current_context;
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
