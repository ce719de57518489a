//! The memory of the current context, and allocations that are not from Burn's pool.

use cudarc::driver::sys as driver;

use crate::failure::OUT_OF_MEMORY;
use crate::gpu_memory::GpuMemory;

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
