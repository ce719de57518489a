//! The part of a split that a film is in, read from the text of the column `split`.
//!
//! The program writes `official train, sampled`; other tools write `train`, `Training` or
//! `train_val`. A text that mentions training counts as training whatever else it says, because a
//! training film that passes for a test film makes every figure wrong without a trace.

use crate::Scores;

/// Name of the column.
pub(crate) const COLUMN: &str = "split";

/// A part of a split. The order is that of precedence: if the members of an ensemble disagree about
/// a film, the first one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Split {
    /// Films to train on.
    Train,
    /// Films that decide when to stop and which model is best.
    Valid,
    /// Films to evaluate on.
    Test,
}

impl Split {
    /// Reads the part from the text of a cell; returns `None` if it names none.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        words.filter_map(of_word).min()
    }
}

fn of_word(word: &str) -> Option<Split> {
    // `train`, `training`, `trained`, `trainval`, `train2`
    if word.starts_with("train") {
        return Some(Split::Train);
    }
    match word.trim_end_matches(|letter: char| letter.is_ascii_digit()) {
        "valid" | "validation" | "val" | "dev" => Some(Split::Valid),
        "test" | "testing" => Some(Split::Test),
        _ => None,
    }
}

/// Returns the rows of a table that are in a part of a split; returns `None` if no row names a
/// split.
pub(crate) fn rows_in(scores: &Scores, split: Split) -> Option<Vec<usize>> {
    let texts = scores.column(COLUMN)?;
    if texts.iter().all(|text| text.trim().is_empty()) {
        return None;
    }
    let rows = (0..scores.len()).filter(|&row| Split::of(&texts[row]) == Some(split));
    Some(rows.collect())
}

/// Takes the name of the split from the member that says the worst of a film: one member that was
/// trained on it makes an ensemble that was. The members are in the order of films of `joined`.
pub(crate) fn join(joined: &mut Scores, members: &[Scores]) {
    let texts: Vec<&[String]> = members.iter().filter_map(|member| member.column(COLUMN)).collect();
    if texts.is_empty() {
        return;
    }
    let own = joined.column(COLUMN).map(<[String]>::to_vec);
    let mut own = own.unwrap_or_else(|| vec![String::new(); joined.len()]);
    // A film that no member places comes after every split.
    let rank = |text: &str| Split::of(text).map_or(3, |split| split as u8);
    for (row, cell) in own.iter_mut().enumerate() {
        let is_leaky = says_leaky(cell) || texts.iter().any(|texts| says_leaky(&texts[row]));
        let worst = texts.iter().map(|texts| &texts[row]).min_by_key(|text| rank(text));
        if let Some(worst) = worst.filter(|worst| rank(worst) < rank(cell)) {
            cell.clone_from(worst);
        }
        // Another member's leaky split does not excuse a training film.
        if is_leaky && !says_leaky(cell) && Split::of(cell) != Some(Split::Train) {
            cell.push_str(", leaky");
        }
    }
    joined.set_column(COLUMN, own);
}

/// Whether the name of a split says that it shares patients with training.
pub(crate) fn says_leaky(split: &str) -> bool {
    split.to_lowercase().contains("leaky")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_read_from_every_spelling() {
        let cases = [
            ("official train", Some(Split::Train)),
            ("by-patient train, sampled, cut to 40 films", Some(Split::Train)),
            ("by-image train, leaky", Some(Split::Train)),
            ("Training", Some(Split::Train)),
            ("train_val", Some(Split::Train)),
            ("train2", Some(Split::Train)),
            ("official valid, films without findings dropped", Some(Split::Valid)),
            ("Val", Some(Split::Valid)),
            ("validation", Some(Split::Valid)),
            ("dev", Some(Split::Valid)),
            ("official test", Some(Split::Test)),
            ("test, not train", Some(Split::Train)),
            ("fold 3", None),
            ("contest of evaluators", None),
            ("none", None),
            ("", None),
        ];

        for (text, part) in cases {
            assert_eq!(Split::of(text), part, "{text}");
        }
    }
}
