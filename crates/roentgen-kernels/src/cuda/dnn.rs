//! Dense convolutions by cuDNN's graph API: a plan a shape, made once in a process.
//!
//! Plans are those that cuDNN proposes first, less what would make results differ from run to run or, for float, what
//! would drop digits (TF32): the choice depends on shapes alone, never on a clock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;

use cudarc::cudnn::sys::cudnnBackendAttributeName_t as Name;
use cudarc::cudnn::sys::cudnnBackendAttributeType_t as Kind;
use cudarc::cudnn::sys::cudnnBackendDescriptorType_t as Descriptor;
use cudarc::cudnn::sys::*;

use super::descriptor::{Owned, numbers, ok, tensor};
use super::element::Element;
use super::gpu::{Gpu, Scratch};

/// Which of the three convolutions of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Forward,
    Input,
    Weight,
}

/// A convolution of rows of channels, padded alike on opposite sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) element: Element,
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) size: [usize; 2],
    pub(crate) outs: usize,
    pub(crate) out: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: usize,
    pub(crate) padding: [usize; 2],
}

/// A plan and the bytes it works in.
#[derive(Clone, Copy)]
struct Plan {
    plan: cudnnBackendDescriptor_t,
    workspace: usize,
}

thread_local! {
    static HANDLE: RefCell<Option<cudnnHandle_t>> = const { RefCell::new(None) };
    static PLANS: RefCell<HashMap<(Direction, Shape), Plan>> = RefCell::new(HashMap::new());
}

/// Convolves: `x`, `weight` and `y` are the addresses of input, weight and output, or of their gradients, all in the same
/// element: cuDNN has no plan that writes a weight's gradient in float beside activations in 16 bits.
///
/// # Panics
///
/// Panics where cuDNN has no plan.
pub(crate) fn convolve(gpu: &Gpu, direction: Direction, shape: Shape, [x, weight, y]: [u64; 3]) {
    let handle = HANDLE.with_borrow_mut(|handle| {
        *handle.get_or_insert_with(|| {
            let mut handle = std::ptr::null_mut();
            // SAFETY: writes one pointer.
            ok(unsafe { cudnnCreate(&mut handle) }, "cuDNN's start");
            handle
        })
    });
    let plan = PLANS.with_borrow_mut(|plans| {
        *plans.entry((direction, shape)).or_insert_with(|| {
            make(handle, direction, shape)
                .unwrap_or_else(|| panic!("cuDNN has no plan for {direction:?} of {shape:?}"))
        })
    });
    let workspace = gpu.scratch(Scratch::Dnn, plan.workspace);
    // SAFETY: the plan was made for this handle; the addresses are of tensors of its shapes.
    unsafe {
        ok(cudnnSetStream(handle, gpu.stream.cast()), "the stream");
        let pack = Owned::new(Descriptor::CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        let pointers = [x, weight, y].map(|address| address as *mut c_void);
        pack.set(Name::CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, Kind::CUDNN_TYPE_VOID_PTR, &pointers);
        pack.set(Name::CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, Kind::CUDNN_TYPE_INT64, &[1_i64, 2, 3]);
        let workspace = [workspace as *mut c_void];
        pack.set(Name::CUDNN_ATTR_VARIANT_PACK_WORKSPACE, Kind::CUDNN_TYPE_VOID_PTR, &workspace);
        let pack = pack.finish("the variant pack");
        ok(cudnnBackendExecute(handle, plan.plan, pack.0), "a convolution");
    }
}

/// The first plan that cuDNN proposes and the rules allow.
fn make(handle: cudnnHandle_t, direction: Direction, shape: Shape) -> Option<Plan> {
    let element = match shape.element {
        Element::F32 => cudnnDataType_t::CUDNN_DATA_FLOAT,
        Element::Bf16 => cudnnDataType_t::CUDNN_DATA_BFLOAT16,
        Element::F16 => cudnnDataType_t::CUDNN_DATA_HALF,
    };
    // SAFETY: each value has the type named beside it, and descriptors live while they are used.
    unsafe {
        let Shape { batch, channels, size, outs, out, kernel, stride, padding, .. } = shape;
        let x = tensor(1, [batch, channels, size[0], size[1]], element);
        let weight = tensor(2, [outs, channels, kernel[0], kernel[1]], element);
        let y = tensor(3, [batch, outs, out[0], out[1]], element);
        let window = Owned::new(Descriptor::CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
        let float = [cudnnDataType_t::CUDNN_DATA_FLOAT];
        window.set(Name::CUDNN_ATTR_CONVOLUTION_COMP_TYPE, Kind::CUDNN_TYPE_DATA_TYPE, &float);
        let mode = [cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION];
        window.set(
            Name::CUDNN_ATTR_CONVOLUTION_CONV_MODE,
            Kind::CUDNN_TYPE_CONVOLUTION_MODE,
            &mode,
        );
        window.set(Name::CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, Kind::CUDNN_TYPE_INT64, &[2_i64]);
        for (name, values) in [
            (Name::CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding),
            (Name::CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding),
            (Name::CUDNN_ATTR_CONVOLUTION_DILATIONS, [1; 2]),
            (Name::CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, [stride; 2]),
        ] {
            window.set(name, Kind::CUDNN_TYPE_INT64, &numbers(values));
        }
        let window = window.finish("a window");
        let (kind, [conv, of_x, of_w, of_y, alpha, beta]) = match direction {
            Direction::Forward => (
                Descriptor::CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                [
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                ],
            ),
            Direction::Input => (
                Descriptor::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                [
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                ],
            ),
            Direction::Weight => (
                Descriptor::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                [
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                    Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                ],
            ),
        };
        let operation = Owned::new(kind);
        for (name, part) in [(conv, &window), (of_x, &x), (of_w, &weight), (of_y, &y)] {
            operation.set(name, Kind::CUDNN_TYPE_BACKEND_DESCRIPTOR, &[part.0]);
        }
        operation.set(alpha, Kind::CUDNN_TYPE_FLOAT, &[1_f32]);
        operation.set(beta, Kind::CUDNN_TYPE_FLOAT, &[0_f32]);
        let operation = operation.finish("a convolution");
        let graph = Owned::new(Descriptor::CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
        graph.set(Name::CUDNN_ATTR_OPERATIONGRAPH_HANDLE, Kind::CUDNN_TYPE_HANDLE, &[handle]);
        let operations = [operation.0];
        graph.set(
            Name::CUDNN_ATTR_OPERATIONGRAPH_OPS,
            Kind::CUDNN_TYPE_BACKEND_DESCRIPTOR,
            &operations,
        );
        let graph = graph.finish("a graph");
        for mode in [
            cudnnBackendHeurMode_t::CUDNN_HEUR_MODE_A,
            cudnnBackendHeurMode_t::CUDNN_HEUR_MODE_FALLBACK,
        ] {
            if let Some(plan) = propose(handle, &graph, mode, shape.element) {
                return Some(plan);
            }
        }
        None
    }
}

/// Proposals asked for at once.
const PROPOSALS: usize = 24;

unsafe fn propose(
    handle: cudnnHandle_t,
    graph: &Owned,
    mode: cudnnBackendHeurMode_t,
    element: Element,
) -> Option<Plan> {
    // SAFETY: as in `make`.
    unsafe {
        let heuristic = Owned::new(Descriptor::CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
        let graphs = [graph.0];
        heuristic.set(
            Name::CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
            Kind::CUDNN_TYPE_BACKEND_DESCRIPTOR,
            &graphs,
        );
        heuristic.set(Name::CUDNN_ATTR_ENGINEHEUR_MODE, Kind::CUDNN_TYPE_HEUR_MODE, &[mode]);
        if !heuristic.is_accepted() {
            return None;
        }
        let configs: Vec<Owned> = (0..PROPOSALS)
            .map(|_| Owned::new(Descriptor::CUDNN_BACKEND_ENGINECFG_DESCRIPTOR))
            .collect();
        let mut found: Vec<_> = configs.iter().map(|config| config.0).collect();
        let count = heuristic.get(
            Name::CUDNN_ATTR_ENGINEHEUR_RESULTS,
            Kind::CUDNN_TYPE_BACKEND_DESCRIPTOR,
            &mut found,
        )?;
        for config in &configs[..count] {
            if !is_allowed(config, element) {
                continue;
            }
            let plan = Owned::new(Descriptor::CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
            plan.set(Name::CUDNN_ATTR_EXECUTION_PLAN_HANDLE, Kind::CUDNN_TYPE_HANDLE, &[handle]);
            let engine = [config.0];
            plan.set(
                Name::CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                Kind::CUDNN_TYPE_BACKEND_DESCRIPTOR,
                &engine,
            );
            if !plan.is_accepted() {
                continue;
            }
            let mut workspace = [0_i64];
            let name = Name::CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE;
            if plan.get(name, Kind::CUDNN_TYPE_INT64, &mut workspace).is_some() {
                let kept = Plan { plan: plan.0, workspace: workspace[0] as usize };
                // The plan is kept until the process ends.
                std::mem::forget(plan);
                return Some(kept);
            }
        }
        None
    }
}

/// Whether an engine gives the same bits each time and, in float, multiplies in float.
unsafe fn is_allowed(config: &Owned, element: Element) -> bool {
    // SAFETY: as in `make`.
    unsafe {
        let engine = Owned::new(Descriptor::CUDNN_BACKEND_ENGINE_DESCRIPTOR);
        let kind = Kind::CUDNN_TYPE_BACKEND_DESCRIPTOR;
        if config.get(Name::CUDNN_ATTR_ENGINECFG_ENGINE, kind, &mut [engine.0]).is_none() {
            return false;
        }
        let mut notes = [cudnnBackendNumericalNote_t::CUDNN_NUMERICAL_NOTE_TENSOR_CORE; 16];
        let kind = Kind::CUDNN_TYPE_NUMERICAL_NOTE;
        let Some(count) = engine.get(Name::CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, kind, &mut notes)
        else {
            return false;
        };
        notes[..count].iter().all(|note| match note {
            cudnnBackendNumericalNote_t::CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC => false,
            cudnnBackendNumericalNote_t::CUDNN_NUMERICAL_NOTE_TENSOR_CORE
            | cudnnBackendNumericalNote_t::CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS => {
                element != Element::F32
            }
            _ => true,
        })
    }
}

/// Whether there is a cuDNN to ask.
pub(crate) fn is_available() -> bool {
    use std::sync::OnceLock;
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    // SAFETY: looks a library up.
    *IS_THERE.get_or_init(|| unsafe { is_culib_present() })
}
