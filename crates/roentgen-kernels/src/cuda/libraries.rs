//! What an NVIDIA GPU needs of this machine: the driver, NVRTC and cuDNN, looked up when the program runs.

use std::ffi::{CStr, c_char, c_int};

use cudarc::cudnn::sys as cudnn;
use cudarc::driver::sys as driver;
use cudarc::nvrtc::sys as nvrtc;

/// The oldest cuDNN whose graphs are asked for.
const CUDNN: usize = 90_000;
/// The CUDA that a driver must support at least.
const CUDA: usize = 13_000;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Libraries {
    /// The CUDA version that the driver supports, such as 13000, and the names of its GPUs.
    pub driver: Option<(usize, Vec<String>)>,
    /// The version of NVRTC, such as 13 and 0.
    pub nvrtc: Option<[usize; 2]>,
    /// The version of cuDNN, such as 91900.
    pub cudnn: Option<usize>,
}

impl Libraries {
    /// Looks the libraries up where the system's loader finds them.
    pub fn find() -> Self {
        // SAFETY: a function is called only of a library that is there; each writes what it is given a place for.
        unsafe {
            let driver = driver::is_culib_present().then(gpus).flatten();
            let nvrtc = nvrtc::is_culib_present().then(|| {
                let mut version: [c_int; 2] = [0, 0];
                let [major, minor] = &mut version;
                nvrtc::nvrtcVersion(major, minor);
                version.map(|number| number as usize)
            });
            let cudnn = cudnn::is_culib_present().then(|| cudnn::cudnnGetVersion());
            Self { driver, nvrtc, cudnn }
        }
    }

    /// What is missing or too old, each with what to do.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        match &self.driver {
            None => missing.push(
                "no NVIDIA driver (`libcuda.so.1`); install the driver of the GPU".to_owned(),
            ),
            Some((_, gpus)) if gpus.is_empty() => {
                missing.push("the NVIDIA driver knows no GPU; `nvidia-smi` says more".to_owned());
            }
            Some((version, _)) if *version < CUDA => missing.push(format!(
                "the NVIDIA driver is too old: it supports CUDA {}.{}, and 13.0 is needed, which drivers from 580 on support",
                version / 1000,
                version % 1000 / 10
            )),
            Some(_) => {}
        }
        if self.nvrtc.is_none() {
            missing.push(
                "no NVRTC (`libnvrtc.so`), which compiles kernels; `pip install nvidia-cuda-nvrtc`, and name its \
                 folder in `LD_LIBRARY_PATH`"
                    .to_owned(),
            );
        }
        match self.cudnn {
            None => missing.push(
                "no cuDNN (`libcudnn.so.9`), which convolves; `pip install nvidia-cudnn-cu13`, and name its folder \
                 in `LD_LIBRARY_PATH`"
                    .to_owned(),
            ),
            Some(version) if version < CUDNN => {
                missing.push(format!("cuDNN {version} is too old: 9.0 or later is needed"));
            }
            Some(_) => {}
        }
        missing
    }
}

/// The driver's version and the names of its GPUs; none where it does not start.
fn gpus() -> Option<(usize, Vec<String>)> {
    let success = driver::CUresult::CUDA_SUCCESS;
    let (mut version, mut count) = (0, 0);
    // SAFETY: each function writes what it is given a place for.
    unsafe {
        let started = driver::cuInit(0);
        if driver::cuDriverGetVersion(&mut version) != success {
            return None;
        }
        if started == driver::CUresult::CUDA_ERROR_NO_DEVICE {
            return Some((version as usize, Vec::new()));
        }
        if started != success {
            return None;
        }
        if driver::cuDeviceGetCount(&mut count) != success {
            count = 0;
        }
        let names = (0..count).map(|index| {
            let (mut device, mut name) = (0, [0 as c_char; 256]);
            driver::cuDeviceGet(&mut device, index);
            driver::cuDeviceGetName(name.as_mut_ptr(), name.len() as c_int, device);
            // The driver ends the name with a zero.
            CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned()
        });
        Some((version as usize, names.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_that_is_missing_is_named_with_what_to_install() {
        let nothing = Libraries { driver: None, nvrtc: None, cudnn: None };
        let all = Libraries {
            driver: Some((13000, vec!["a GPU".into()])),
            nvrtc: Some([13, 0]),
            cudnn: Some(91900),
        };
        let old = Libraries { cudnn: Some(8900), ..all.clone() };
        let old_driver = Libraries { driver: Some((12080, vec!["a GPU".into()])), ..all.clone() };

        assert_eq!(nothing.missing().len(), 3);
        assert!(nothing.missing()[2].contains("pip install nvidia-cudnn-cu13"));
        assert_eq!(all.missing(), Vec::<String>::new());
        assert!(old.missing()[0].contains("too old"));
        assert!(old_driver.missing()[0].contains("supports CUDA 12.8"));
    }
}
