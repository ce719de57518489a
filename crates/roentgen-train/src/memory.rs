//! The memory that this machine can still give, within the limits of its control groups.
//!
//! Linux only: `MemAvailable` of `/proc/meminfo`, and `memory.max` (version 2) or
//! `memory.limit_in_bytes` (version 1) of the control groups of this process and of those above
//! them, which containers and batch systems set. Pages of files that the kernel would drop count as
//! free there, as Kubernetes counts them. What this process holds counts as available, because the
//! allocator keeps the pages of an earlier run and uses them again.

use std::fs;
use std::path::{Path, PathBuf};

use roentgen_data::preprocess::Input;
use roentgen_models::ClassifierConfig;

/// Of the activations that training keeps, the share that exists at once without it, at least: the two
/// largest feature maps of a network are more.
const AT_ONCE: u64 = 15;

/// Returns a lower estimate of the bytes for passing films through a network that does not learn: the
/// films, and a share of the activations.
pub fn least_for_inference(network: &ClassifierConfig, input: Input, films: usize) -> u64 {
    let values = (films as u64).saturating_mul((input.channels * input.size * input.size) as u64);
    let activations = network.activation_bytes(input.size, films) as u64 / AT_ONCE;
    values.saturating_mul(4).saturating_add(activations)
}

/// Memory that is available, in bytes, and what limits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// Bytes.
    pub bytes: u64,
    /// What limits them.
    pub limited_by: LimitedBy,
}

/// What limits the memory of this process, or of its work on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedBy {
    /// What other processes leave of the machine's memory.
    Machine,
    /// The control group of a container or a batch job.
    ControlGroup,
    /// What other processes leave of the memory of the GPU that computes.
    Gpu,
}

/// Returns the memory that is available to this process; `None` if the system does not say.
pub fn available() -> Option<Available> {
    available_below(Path::new("/"))
}

fn available_below(root: &Path) -> Option<Available> {
    let machine = kib(&root.join("proc/meminfo"), "MemAvailable:")
        .map(|bytes| Available { bytes, limited_by: LimitedBy::Machine });
    let groups = groups(root)
        .into_iter()
        .filter_map(|group| group.count_free())
        .map(|bytes| Available { bytes, limited_by: LimitedBy::ControlGroup });
    let least = machine.into_iter().chain(groups).min_by_key(|available| available.bytes)?;
    let own = kib(&root.join("proc/self/status"), "VmRSS:").unwrap_or(0);
    Some(Available { bytes: least.bytes.saturating_add(own), ..least })
}

/// Reads a line `key number kB` and returns it in bytes.
fn kib(path: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// A control group, and the names of its files, which depend on the version.
struct Group {
    folder: PathBuf,
    limit: &'static str,
    usage: &'static str,
    dropped: &'static str,
}

impl Group {
    /// Returns the bytes below the limit; `None` without a limit.
    fn count_free(&self) -> Option<u64> {
        let number = |name: &str| -> Option<u64> {
            fs::read_to_string(self.folder.join(name)).ok()?.trim().parse().ok()
        };
        // Version 2 writes `max` for no limit, which is not a number.
        let limit = number(self.limit)?;
        let stat = fs::read_to_string(self.folder.join("memory.stat")).unwrap_or_default();
        let dropped = stat
            .lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(key, _)| *key == self.dropped)
            .and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(0);
        let used = number(self.usage).unwrap_or(0).saturating_sub(dropped);
        Some(limit.saturating_sub(used))
    }
}

/// Lists the groups of this process and all above them.
fn groups(root: &Path) -> Vec<Group> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut groups = Vec::new();
    for line in text.lines() {
        // `number:controllers:path`; version 2 has no controllers.
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (mount, limit, usage, dropped) = if controllers.is_empty() {
            ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
        } else if controllers.split(',').any(|name| name == "memory") {
            (
                "sys/fs/cgroup/memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        } else {
            continue;
        };
        // Inside a container the path is often that outside; its end is then the mount itself.
        let path = Path::new(path.trim_start_matches('/'));
        let folders = path.ancestors().map(|above| root.join(mount).join(above));
        groups.extend(folders.map(|folder| Group { folder, limit, usage, dropped }));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine_with(files: &[(&str, &str)]) -> Option<Available> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        available_below(root.path())
    }

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 100 kB\nMemAvailable:    8000 kB\n");

    #[test]
    fn without_a_group_the_machine_limits() {
        let expected = Available { bytes: 8000 * 1024, limited_by: LimitedBy::Machine };

        assert_eq!(machine_with(&[MEMINFO]), Some(expected));
        let max =
            [MEMINFO, ("proc/self/cgroup", "0::/job\n"), ("sys/fs/cgroup/job/memory.max", "max\n")];
        assert_eq!(machine_with(&max), Some(expected));
        let held = ("proc/self/status", "Name: roentgen\nVmRSS:\t  500 kB\n");
        assert_eq!(machine_with(&[MEMINFO, held]).unwrap().bytes, 8500 * 1024);
        assert_eq!(machine_with(&[]), None);
        assert_eq!(machine_with(&[("proc/meminfo", "MemAvailable: ?\n")]), None);
    }

    #[test]
    fn the_tightest_group_on_the_path_limits() {
        let group = machine_with(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/pod/job\n"),
            ("sys/fs/cgroup/pod/memory.max", "5000000\n"),
            ("sys/fs/cgroup/pod/memory.current", "3000000\n"),
            ("sys/fs/cgroup/pod/memory.stat", "anon 2000000\ninactive_file 1000000\n"),
            ("sys/fs/cgroup/pod/job/memory.max", "max\n"),
        ]);

        let expected = Available { bytes: 3_000_000, limited_by: LimitedBy::ControlGroup };
        assert_eq!(group, Some(expected));
    }

    #[test]
    fn version_1_is_read_at_its_own_mount() {
        let group = machine_with(&[
            MEMINFO,
            ("proc/self/cgroup", "5:cpu:/a\n4:memory:/docker/a\n0::/\n"),
            // The path is that outside the container; inside, the mount is the group itself.
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "4000000\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1500000\n"),
            ("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 500000\n"),
        ]);

        let expected = Available { bytes: 3_000_000, limited_by: LimitedBy::ControlGroup };
        assert_eq!(group, Some(expected));
    }

    #[test]
    fn a_group_that_is_over_its_limit_has_nothing_left() {
        let group = machine_with(&[
            ("proc/self/cgroup", "0::/job\n"),
            ("sys/fs/cgroup/job/memory.max", "1000\n"),
            ("sys/fs/cgroup/job/memory.current", "2000\n"),
        ]);

        assert_eq!(group.unwrap().bytes, 0);
    }
}
