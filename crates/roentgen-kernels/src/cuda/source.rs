//! The kernels' source, in CUDA C++, and its compilation by NVRTC for the GPU that is there.

use std::ffi::{CString, c_char};

use cudarc::nvrtc::{result as nvrtc, sys};

use super::element::Element;

/// A file of kernels, compiled as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum File {
    Norm,
    ChannelNorm,
    Gelu,
    ScaledAdd,
    Pool,
    Layout,
    Dense,
    Depthwise,
    /// Depthwise windows of a kernel and a stride: long to compile, so only those that are met.
    Window(usize, usize),
    Adam,
    Unscale,
}

const ELEMENT: &str = include_str!("kernels/element.cu");
const SUMS: &str = include_str!("kernels/sums.cu");
const WINDOW: &str = include_str!("kernels/window.cu");

impl File {
    fn text(self) -> String {
        let own = match self {
            File::Norm => [SUMS, include_str!("kernels/norm.cu")].concat(),
            File::ChannelNorm => [SUMS, include_str!("kernels/channel_norm.cu")].concat(),
            File::Gelu => [SUMS, include_str!("kernels/gelu.cu")].concat(),
            File::ScaledAdd => [SUMS, include_str!("kernels/scaled_add.cu")].concat(),
            File::Pool => include_str!("kernels/pool.cu").to_owned(),
            File::Layout => include_str!("kernels/layout.cu").to_owned(),
            File::Dense => include_str!("kernels/dense.cu").to_owned(),
            File::Depthwise => [WINDOW, include_str!("kernels/depthwise.cu")].concat(),
            File::Window(kernel, stride) => {
                let channels = window_channels(kernel);
                format!("{WINDOW}\nDEPTHWISE({kernel}, {stride}, {channels})\n")
            }
            File::Adam => include_str!("kernels/adam.cu").to_owned(),
            File::Unscale => include_str!("kernels/unscale.cu").to_owned(),
        };
        [ELEMENT, &own].concat()
    }
}

/// Channels whose windows of weights the registers of a thread hold.
pub(crate) fn window_channels(kernel: usize) -> usize {
    match kernel {
        ..=3 => 4,
        4 | 5 => 2,
        _ => 1,
    }
}

/// The name of a kernel with its element, as `NAME` in the source makes it.
pub(crate) fn full_name(name: &str, element: Element) -> String {
    let element = match element {
        Element::F32 => "f32",
        Element::Bf16 => "bf16",
        Element::F16 => "f16",
    };
    format!("{name}_{element}")
}

/// Compiles a file to machine code.
///
/// # Panics
///
/// Panics where NVRTC is not there or refuses the source.
pub(crate) fn compile(file: File, element: Element, capability: usize) -> Vec<u8> {
    let element = match element {
        Element::F32 => 32,
        Element::Bf16 => 16,
        Element::F16 => 5,
    };
    // The architecture's own instructions, from Hopper on.
    let own = if capability >= 90 { "a" } else { "" };
    let options = [
        format!("--gpu-architecture=sm_{capability}{own}"),
        format!("-DELEMENT={element}"),
        "--std=c++17".to_owned(),
    ];
    let source = CString::new(file.text()).expect("a source without zeros");
    let program = nvrtc::create_program(&source, None).expect("NVRTC takes a source");
    // SAFETY: the program was made above and is destroyed nowhere before its last use.
    unsafe {
        if nvrtc::compile_program(program, &options).is_err() {
            let log = nvrtc::get_program_log(program).unwrap_or_default();
            let log: Vec<u8> = log.into_iter().map(|letter: c_char| letter as u8).collect();
            panic!("NVRTC refuses {file:?}: {}", String::from_utf8_lossy(&log));
        }
        let mut size = 0;
        let status = sys::nvrtcGetCUBINSize(program, &mut size);
        assert_eq!(status, sys::nvrtcResult::NVRTC_SUCCESS, "the size of {file:?}");
        let mut binary = vec![0_u8; size];
        let status = sys::nvrtcGetCUBIN(program, binary.as_mut_ptr().cast());
        assert_eq!(status, sys::nvrtcResult::NVRTC_SUCCESS, "the code of {file:?}");
        let _ = nvrtc::destroy_program(program);
        binary
    }
}
