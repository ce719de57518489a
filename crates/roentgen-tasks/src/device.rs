//! Turns `--device` into a Burn device. This is the only file that names Burn's backends.

#[cfg(feature = "cuda")]
mod cuda;

use std::fmt;
use std::str::FromStr;

use anyhow::bail;
use burn::tensor::Device;
#[cfg(any(feature = "vulkan", feature = "metal"))]
use burn::tensor::Tensor;

/// A value of `--device`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first NVIDIA GPU that works, otherwise the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// The best adapter, or the discrete GPU with this number.
    Vulkan(Option<usize>),
    /// The NVIDIA GPU with this number.
    Cuda(usize),
    /// The GPU of a Mac.
    Metal,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(':').unwrap_or((text, "0"));
        let index = number.parse().map_err(|_| format!("`{number}` is not a device number"))?;
        match (name, text.contains(':')) {
            ("auto", false) => Ok(DeviceChoice::Auto),
            ("cpu", false) => Ok(DeviceChoice::Cpu),
            ("vulkan", is_numbered) => Ok(DeviceChoice::Vulkan(is_numbered.then_some(index))),
            ("cuda", _) => Ok(DeviceChoice::Cuda(index)),
            ("metal", false) => Ok(DeviceChoice::Metal),
            _ => Err("give auto, cpu, vulkan[:i], cuda[:i] or metal".to_owned()),
        }
    }
}

impl DeviceChoice {
    /// Returns whether the choice is the CPU.
    pub fn is_cpu(self) -> bool {
        self == DeviceChoice::Cpu
    }
}

/// Resolves `auto` to the first NVIDIA GPU if this build and this machine have all that it needs,
/// and to the CPU otherwise.
pub fn resolve(choice: DeviceChoice) -> DeviceChoice {
    match choice {
        #[cfg(feature = "cuda")]
        DeviceChoice::Auto if cuda::Found::search().missing.is_empty() => DeviceChoice::Cuda(0),
        DeviceChoice::Auto => DeviceChoice::Cpu,
        named => named,
    }
}

/// Lists the NVIDIA GPU libraries that were found and those that are missing, one per line. The
/// list is empty in a build without CUDA.
pub fn cuda_lines() -> Vec<String> {
    #[cfg(feature = "cuda")]
    return cuda::lines();
    #[cfg(not(feature = "cuda"))]
    Vec::new()
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Vulkan(None) => f.write_str("vulkan"),
            DeviceChoice::Vulkan(Some(index)) => write!(f, "vulkan:{index}"),
            DeviceChoice::Cuda(index) => write!(f, "cuda:{index}"),
            DeviceChoice::Metal => f.write_str("metal"),
        }
    }
}

/// Opens a device that was [resolved](resolve).
pub fn open(choice: DeviceChoice) -> anyhow::Result<Device> {
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(Device::flex()),
        #[cfg(feature = "vulkan")]
        DeviceChoice::Vulkan(index) => {
            use burn::tensor::DeviceKind;
            let kind = index.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu);
            probe(choice, Device::vulkan(kind))
        }
        #[cfg(feature = "cuda")]
        DeviceChoice::Cuda(index) => cuda::open(index),
        #[cfg(feature = "metal")]
        DeviceChoice::Metal => {
            probe(choice, Device::metal(burn::tensor::DeviceKind::DefaultDevice))
        }
        #[allow(unreachable_patterns, reason = "with all GPU features, no choice is left")]
        other => {
            let name = other.to_string();
            let feature = name.split(':').next().unwrap_or_default();
            bail!("this build does not support `{name}`; build it with `--features {feature}`")
        }
    }
}

/// Tries a device by adding one and one on it: a backend only notices on first use that it has no
/// adapter or no driver, and then panics.
#[cfg(any(feature = "vulkan", feature = "metal"))]
fn probe(choice: DeviceChoice, device: Device) -> anyhow::Result<Device> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let two = std::panic::catch_unwind(|| {
        (Tensor::<1>::ones([1], &device) + 1.0).try_into_scalar::<f32>().ok()
    });
    std::panic::set_hook(hook);
    match two {
        Ok(Some(2.0)) => Ok(device),
        _ => bail!(
            "`--device {choice}` does not work on this machine: the adapter or its driver is \
             missing (`vulkaninfo --summary` and `nvidia-smi` list the adapters)"
        ),
    }
}

/// Lists the backends in this build.
pub fn built_in() -> Vec<&'static str> {
    let mut names = vec!["cpu"];
    for (name, is_there) in [
        ("vulkan", cfg!(feature = "vulkan")),
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
    ] {
        if is_there {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_with_their_number() {
        assert_eq!("cuda:1".parse(), Ok(DeviceChoice::Cuda(1)));
        assert_eq!("vulkan".parse(), Ok(DeviceChoice::Vulkan(None)));
        assert_eq!("vulkan:1".parse(), Ok(DeviceChoice::Vulkan(Some(1))));
        assert!("gpu".parse::<DeviceChoice>().is_err() && "cpu:1".parse::<DeviceChoice>().is_err());
    }
}
