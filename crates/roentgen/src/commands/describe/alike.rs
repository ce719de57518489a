//! Films that are like one of another patient or on another official list.

use std::collections::HashMap;

use roentgen_data::prepare::{DUPLICATES, Duplicate, Likeness};
use roentgen_data::split::Split;
use serde::Serialize;

use super::Data;
use crate::output::thousands;

/// Films that are like one of another patient or on another official list.
#[derive(Serialize)]
pub(super) struct Alike {
    /// The number of films that are the same.
    same: usize,
    /// The number of films that are nearly the same.
    near: usize,
    /// The number of them that are in another part of the split than the film that they are like.
    across_split: usize,
}

impl Alike {
    /// Counts the films; returns `None` if nobody looked for them.
    pub(super) fn of(data: &Data, sides: &[Option<Split>]) -> anyhow::Result<Option<Self>> {
        let Some(prepared) = &data.prepared else { return Ok(None) };
        let Some(found) = prepared.duplicates()? else { return Ok(None) };
        let names = data.rows.iter().map(|row| row.image.as_str());
        let sides: HashMap<&str, Option<Split>> = names.zip(sides.iter().copied()).collect();
        let side = |image: &String| sides.get(image.as_str()).copied().flatten();
        let is_across = |film: &&Duplicate| match (side(&film.image), side(&film.of)) {
            (Some(here), Some(there)) => here != there,
            _ => false,
        };
        Ok(Some(Self {
            same: found.iter().filter(|film| film.likeness == Likeness::Same).count(),
            near: found.iter().filter(|film| film.likeness == Likeness::Near).count(),
            across_split: found.iter().filter(is_across).count(),
        }))
    }

    pub(super) fn line(&self) -> String {
        if self.same + self.near == 0 {
            return "\nno film is like one of another patient or on another official list"
                .to_owned();
        }
        format!(
            "\nfilms like one of another patient or on another official list: {} the same, {} nearly; \
             in two parts of this split: {} (`{DUPLICATES}` lists all)",
            thousands(self.same),
            thousands(self.near),
            thousands(self.across_split)
        )
    }
}
