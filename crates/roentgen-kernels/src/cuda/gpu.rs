//! Our kernels on the thread and the stream of Burn's own, in their order.
//!
//! CubeCL gives each device a thread. What is enqueued here runs on it between Burn's launches, with the CUDA
//! context current and the addresses of its tensors.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread::ThreadId;

use burn_cubecl::CubeDevice;
use burn_cubecl::tensor::CubeTensor;
use cubecl_common::device::Device as _;
use cubecl_common::device_handle::DeviceHandle;
use cubecl_cuda::CudaRuntime;
use cubecl_environment::stream::StreamId;
use cubecl_server::runtime::Runtime;
use cubecl_server::server::{Server as _, ServerStorage as _};
use cubecl_server::stream::WriteScoped;
use cudarc::driver::sys::{self as driver, CUfunction, CUstream};

use super::element::Element;
use super::memory;
use super::source::{self, File};
use crate::failure::GpuFailure;

pub(crate) type CudaServer = <CudaRuntime as Runtime>::Server;

/// A kernel of a file, by its name without the element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kernel {
    pub(crate) file: File,
    pub(crate) name: &'static str,
    pub(crate) element: Element,
}

/// Blocks and the threads of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) blocks: [usize; 2],
    pub(crate) threads: [usize; 2],
}

/// Where work runs.
pub(crate) struct Gpu<'a> {
    pub(crate) stream: CUstream,
    /// The thread that enqueued the work.
    caller: ThreadId,
    /// Gives back to CUDA what Burn's pool keeps for later.
    reclaim: &'a dyn Fn(),
}

/// The first failure on a device's thread, which has no caller to return it to.
static FAILURE: OnceLock<GpuFailure> = OnceLock::new();

/// The first failure, if there was one. Results since then are meaningless.
pub(crate) fn failure() -> Option<&'static GpuFailure> {
    FAILURE.get()
}

/// Enqueues work on tensors of one device, whose addresses it is given in their order.
///
/// # Panics
///
/// Panics where work enqueued before has failed: its outputs were never written.
pub(crate) fn enqueue(tensors: &[&CubeTensor], work: impl FnOnce(&Gpu, &[u64]) + Send + 'static) {
    if let Some(failure) = failure() {
        panic!("the GPU failed: {failure}");
    }
    #[allow(irrefutable_let_patterns, reason = "CUDA may be the only runtime of the build")]
    let CubeDevice::Cuda(device) = &tensors[0].device else {
        unreachable!("operations on CUDA are given tensors on CUDA")
    };
    let handles: Vec<_> = tensors.iter().map(|tensor| tensor.handle.clone()).collect();
    let (stream, caller) = (StreamId::current(), std::thread::current().id());
    DeviceHandle::<CudaServer>::new(device.to_id()).submit(move |server| {
        let run = || {
            // Held until the work is enqueued, so that `reclaim` does not free a tensor that nobody else has.
            let resources: Vec<_> = handles
                .into_iter()
                .map(|handle| match server.get_resource(handle.binding(), stream) {
                    Ok(resource) => resource,
                    Err(error) => panic!("memory of a tensor: {error}"),
                })
                .collect();
            let addresses: Vec<u64> = resources.iter().map(|one| one.resource().ptr).collect();
            let streams = server.write_streams();
            let sys = streams.try_stream_mut(&stream).expect("the stream of the tensors").sys;
            let server = RefCell::new(server);
            // If nothing can be given back, the next allocation fails. What was freed in the order of the stream is
            // free for other allocations once the stream is done.
            let reclaim = || {
                drop(server.borrow_mut().memory_cleanup(stream));
                // SAFETY: waits for work that was enqueued before.
                unsafe { driver::cuStreamSynchronize(sys) };
            };
            work(&Gpu { stream: sys, caller, reclaim: &reclaim }, &addresses);
        };
        // CubeCL's thread logs a panic and continues.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            let text = text.unwrap_or_else(|| "for an unknown reason".into());
            FAILURE.get_or_init(|| GpuFailure::new(&text, memory::of_current_context()));
        }
    });
}

/// An argument of a kernel.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Arg<'a>(*mut c_void, PhantomData<&'a ()>);

/// An argument of a kernel: it must have the type that the kernel's source has there.
pub(crate) fn arg<T: Copy>(value: &T) -> Arg<'_> {
    Arg(std::ptr::from_ref(value).cast_mut().cast(), PhantomData)
}

/// The address of memory and its bytes.
type Held = (u64, usize);

/// Groups of channels that a kernel may have.
const COUNTERS: usize = 1 << 14;

thread_local! {
    // Of each stream and each thread that enqueues on it: two of them may be at work at the same time.
    static SCRATCH: RefCell<HashMap<(CUstream, ThreadId, Scratch), Held>> = RefCell::new(HashMap::new());
    static WAITING: RefCell<HashMap<CUstream, u64>> = RefCell::new(HashMap::new());
    static FUNCTIONS: RefCell<HashMap<Kernel, CUfunction>> = RefCell::new(HashMap::new());
    static MODULES: RefCell<HashMap<(File, Element), driver::CUmodule>> = RefCell::new(HashMap::new());
}

/// Memory of a stream that each use of its kind overwrites: the order of the stream keeps the uses apart. Every allocation
/// from Burn's pool costs more than a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scratch {
    /// Partial sums.
    Sums,
    /// The gradient of a weight as cuDNN leaves it.
    Weight,
    /// The output of a norm, for the convolution after it.
    Normalized,
    /// The gradient between a convolution and the norm before it.
    Between,
    /// What cuDNN works in.
    Dnn,
}

/// Bytes of scratch that are kept on the calling device's thread.
pub(crate) fn kept_scratch() -> u64 {
    SCRATCH.with_borrow(|scratch| scratch.values().map(|(_, bytes)| *bytes as u64).sum())
}

impl Gpu<'_> {
    /// Returns the address of at least `bytes` bytes of scratch. The address changes only when more bytes are requested.
    pub(crate) fn scratch(&self, which: Scratch, bytes: usize) -> u64 {
        SCRATCH.with_borrow_mut(|scratch| {
            let (address, held) =
                scratch.entry((self.stream, self.caller, which)).or_insert((0, 0));
            if bytes > *held {
                // SAFETY: nothing runs with the old memory once the stream is done.
                unsafe {
                    driver::cuStreamSynchronize(self.stream);
                    if *held > 0 {
                        driver::cuMemFree_v2(*address);
                    }
                }
                *held = 0;
                *address = memory::allocate(bytes, self.reclaim);
                *held = bytes;
            }
            *address
        })
    }

    /// Returns the address of counters for kernels whose last block does more than the others. All are zero between launches.
    pub(crate) fn waiting(&self) -> u64 {
        WAITING.with_borrow_mut(|waiting| {
            *waiting.entry(self.stream).or_insert_with(|| {
                let address = memory::allocate(COUNTERS * 4, self.reclaim);
                // SAFETY: the memory is as large as what is filled, and is kept.
                unsafe {
                    driver::cuMemsetD32Async(address, 0, COUNTERS, self.stream);
                }
                address
            })
        })
    }

    /// Launches a kernel, compiling its file before the first time.
    pub(crate) fn launch(&self, kernel: Kernel, grid: Grid, arguments: &mut [Arg<'_>]) {
        let known = FUNCTIONS.with_borrow(|functions| functions.get(&kernel).copied());
        let function = known.unwrap_or_else(|| find(kernel));
        let [blocks, threads] = [grid.blocks, grid.threads].map(|each| each.map(|n| n as u32));
        // SAFETY: the function is of a module that stays loaded, and `arguments` are as many and of the types that its
        // source says, which the tests of each operation hold.
        let status = unsafe {
            driver::cuLaunchKernel(
                function,
                blocks[0],
                blocks[1],
                1,
                threads[0],
                threads[1],
                1,
                0,
                self.stream,
                arguments.as_mut_ptr().cast(),
                std::ptr::null_mut(),
            )
        };
        assert_eq!(status, driver::CUresult::CUDA_SUCCESS, "{kernel:?} on {grid:?}");
    }
}

fn find(kernel: Kernel) -> CUfunction {
    let module = MODULES.with_borrow_mut(|modules| {
        *modules.entry((kernel.file, kernel.element)).or_insert_with(|| {
            let binary = source::compile(kernel.file, kernel.element, capability());
            let mut module = std::ptr::null_mut();
            // SAFETY: the binary is a whole cubin, as the compiler made it for this device.
            let status = unsafe { driver::cuModuleLoadData(&mut module, binary.as_ptr().cast()) };
            assert_eq!(status, driver::CUresult::CUDA_SUCCESS, "loading {:?}", kernel.file);
            module
        })
    });
    let name = source::full_name(kernel.name, kernel.element);
    let name = CString::new(name).expect("a name without zeros");
    let mut function = std::ptr::null_mut();
    // SAFETY: the module is loaded and the name ends in zero.
    let status = unsafe { driver::cuModuleGetFunction(&mut function, module, name.as_ptr()) };
    assert_eq!(status, driver::CUresult::CUDA_SUCCESS, "{kernel:?}");
    FUNCTIONS.with_borrow_mut(|functions| functions.insert(kernel, function));
    function
}

/// The compute capability of the current device, such as 90.
fn capability() -> usize {
    use driver::CUdevice_attribute as Attribute;
    let mut device = 0;
    // SAFETY: a context is current on the device's thread; both functions write one number.
    unsafe {
        driver::cuCtxGetDevice(&mut device);
        let [major, minor] = [
            Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
            Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
        ]
        .map(|attribute| {
            let mut value = 0;
            driver::cuDeviceGetAttribute(&mut value, attribute, device);
            value as usize
        });
        major * 10 + minor
    }
}
