//! The part of a divided work that this process does: of a sweep's points, or of the films to predict.

use std::ops::Range;
use std::str::FromStr;

/// Part `index` of `count`, numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let numbers =
            parts.and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match numbers {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err("give a part and the number of parts, such as 2/8".to_owned()),
        }
    }
}

impl Shard {
    /// All of it.
    pub const WHOLE: Shard = Shard { index: 1, count: 1 };

    /// Reads the part from the variables of a SLURM array job, or of an indexed Kubernetes job
    /// whose template also sets `JOB_COMPLETIONS` to its number of completions.
    pub fn of_cluster(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| variable(name)?.parse::<usize>().ok();
        let slurm = || {
            let first = number("SLURM_ARRAY_TASK_MIN").unwrap_or(0);
            let task = number("SLURM_ARRAY_TASK_ID")?.checked_sub(first)?;
            // Tasks may be numbered in steps: 0-20:5.
            let step = number("SLURM_ARRAY_TASK_STEP").unwrap_or(1).max(1);
            Some((task / step, number("SLURM_ARRAY_TASK_COUNT")?))
        };
        let kubernetes = || Some((number("JOB_COMPLETION_INDEX")?, number("JOB_COMPLETIONS")?));
        let (index, count) = slurm().or_else(kubernetes)?;
        (index < count).then_some(Self { index: index + 1, count })
    }

    /// Returns whether a point, numbered from 1, is in this part: neighbours go to different parts.
    pub fn has(self, number: usize) -> bool {
        (number - 1) % self.count == self.index - 1
    }

    /// Returns the places, counted from 0, of this part of a list: neighbours stay together, so the
    /// parts in order are the list.
    pub fn range(self, length: usize) -> Range<usize> {
        let start = |part: usize| (part as u128 * length as u128 / self.count as u128) as usize;
        start(self.index - 1)..start(self.index)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_of_one_shard() {
        let shards: Vec<Shard> =
            ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().unwrap()).collect();
        for number in 1..=10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(number)).count(), 1);
        }
        for text in ["0/3", "4/3", "1", "a/b", "1/0", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_parts_of_a_list_in_order_are_the_list() {
        for length in [0, 1, 5, 12] {
            let parts = (1..=5).map(|index| Shard { index, count: 5 }.range(length));
            assert_eq!(parts.flatten().collect::<Vec<_>>(), (0..length).collect::<Vec<_>>());
        }
        assert_eq!(Shard::WHOLE.range(7), 0..7);
    }

    #[test]
    fn array_jobs_number_their_tasks_as_they_like() {
        let shard = |pairs: &[(&str, &str)]| {
            let of = |name: &str| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            Shard::of_cluster(of).map(|shard| shard.to_string())
        };
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "15"),
            ("SLURM_ARRAY_TASK_MIN", "5"),
            ("SLURM_ARRAY_TASK_STEP", "5"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
        ];
        assert_eq!(shard(&slurm).as_deref(), Some("3/4"));
        let kubernetes = [("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "2")];
        assert_eq!(shard(&kubernetes).as_deref(), Some("1/2"));
        assert_eq!(shard(&kubernetes[..1]), None);
    }
}
