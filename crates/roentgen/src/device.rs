//! `--device` to a device; the only file that names Burn's backends.

use std::fmt;
use std::str::FromStr;

use anyhow::bail;
use burn::tensor::Device;

/// What `--device` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Auto,
    Cpu,
    Vulkan(usize),
    Cuda(usize),
    Metal,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(':').unwrap_or((text, "0"));
        let index = number.parse().map_err(|_| format!("`{number}` is no device number"))?;
        match (name, text.contains(':')) {
            ("auto", false) => Ok(Choice::Auto),
            ("cpu", false) => Ok(Choice::Cpu),
            ("vulkan", _) => Ok(Choice::Vulkan(index)),
            ("cuda", _) => Ok(Choice::Cuda(index)),
            ("metal", false) => Ok(Choice::Metal),
            _ => Err("give auto, cpu, vulkan[:i], cuda[:i] or metal".to_owned()),
        }
    }
}

impl Choice {
    /// Whether it is the CPU, named or not.
    pub(crate) fn is_cpu(self) -> bool {
        matches!(self, Choice::Auto | Choice::Cpu)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // `auto` is the CPU, see `open`.
            Choice::Auto | Choice::Cpu => f.write_str("cpu"),
            Choice::Vulkan(index) => write!(f, "vulkan:{index}"),
            Choice::Cuda(index) => write!(f, "cuda:{index}"),
            Choice::Metal => f.write_str("metal"),
        }
    }
}

/// Opens the device. `auto` is the CPU: a GPU is asked for by name, so that the same command gives
/// the same figures wherever it runs.
pub(crate) fn open(choice: Choice) -> anyhow::Result<Device> {
    match choice {
        Choice::Auto | Choice::Cpu => Ok(Device::flex()),
        #[cfg(feature = "vulkan")]
        Choice::Vulkan(index) => {
            Ok(Device::vulkan(burn::tensor::DeviceKind::DiscreteGpu(index.into())))
        }
        #[cfg(feature = "cuda")]
        Choice::Cuda(index) => Ok(Device::cuda(index)),
        #[cfg(feature = "metal")]
        Choice::Metal => Ok(Device::metal(burn::tensor::DeviceKind::DefaultDevice)),
        #[allow(unreachable_patterns, reason = "with every GPU feature on, nothing is left over")]
        other => {
            let name = other.to_string();
            let feature = name.split(':').next().unwrap_or_default();
            bail!("this build knows no `{name}`; build it with `--features {feature}`")
        }
    }
}

/// The backends in this build.
pub(crate) fn built_in() -> Vec<&'static str> {
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
        assert_eq!("cuda:1".parse(), Ok(Choice::Cuda(1)));
        assert_eq!("vulkan".parse(), Ok(Choice::Vulkan(0)));
        assert!("gpu".parse::<Choice>().is_err() && "cpu:1".parse::<Choice>().is_err());
    }
}
