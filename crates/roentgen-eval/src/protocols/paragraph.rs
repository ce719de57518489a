//! The figures of both protocols in one paragraph of plain words.

use super::{Choice, Effect, Protocols, Row};
use crate::{
    Interval,
    format::{count, figure, interval},
};

impl Protocols {
    /// States how much of the difference between the protocols is which choice, and what the table
    /// cannot show.
    pub fn paragraph(&self) -> String {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else {
            return String::new();
        };
        let known: Vec<&Effect> =
            self.effects.iter().filter(|effect| effect.unknown.is_none()).collect();
        let mut sentences = vec![format!(
            "Evaluated as the 2019 study evaluated, the mean AUROC is {}.",
            mean(first)
        )];
        if known.is_empty() {
            sentences.push("This table shows no difference to the official protocol.".to_owned());
        } else {
            let end = match known.len() {
                3 => "By the rules of the official protocol",
                _ => "As far as this table can follow the official protocol,",
            };
            sentences.push(format!("{end} it is {}.", mean(last)));
            sentences.push(format!(
                "The first is {}; of that {}.",
                describe_difference(self.difference, self.difference_ci95),
                list(&known.iter().map(|effect| part(effect)).collect::<Vec<_>>())
            ));
        }
        for effect in &self.effects {
            if let Some(reason) = &effect.unknown {
                let what = what(effect.choice);
                sentences.push(format!("How much is due to {what} is unknown: {reason}."));
            }
        }
        sentences.push(
            "These are effects on the evaluation of one trained model. What the study's choices do \
             to training is not in them: that needs a second run, trained by the other protocol."
                .to_owned(),
        );
        if !self.split.as_deref().is_some_and(|split| split.starts_with("official test")) {
            sentences.push(
                "The films are not those of the official test list, so the last figure is not one \
                 to compare with published figures of that list."
                    .to_owned(),
            );
        }
        sentences.join(" ")
    }
}

fn mean(row: &Row) -> String {
    format!(
        "{} ({}; {} findings on {} films of {} patients)",
        figure(row.auroc),
        interval(row.auroc_ci95),
        row.findings,
        count(row.images),
        count(row.patients)
    )
}

/// Says by how much a figure is higher or lower.
fn describe_difference(difference: Option<f64>, ends: Option<Interval>) -> String {
    match difference {
        Some(value) => {
            let word = if value < 0.0 { "lower" } else { "higher" };
            format!("{word} by {} ({})", figure(Some(value.abs())), signed_ends(ends))
        }
        None => "not comparable with it".to_owned(),
    }
}

fn part(effect: &Effect) -> String {
    let range = match effect.over_orders {
        Some([least, most]) if signed(least) != signed(most) => {
            format!(", in other orders of the changes {} to {}", signed(least), signed(most))
        }
        _ => String::new(),
    };
    format!(
        "{} ({}{range}) is due to {} ({} films)",
        effect.auroc.map_or_else(|| "n/a".to_owned(), signed),
        signed_ends(effect.auroc_ci95),
        what(effect.choice),
        count(effect.films)
    )
}

fn what(choice: Choice) -> &'static str {
    match choice {
        Choice::LeakedPatients => "films of patients that the model was also trained on",
        Choice::NormalFilms => "dropping films without a finding",
        Choice::Findings => "counting 13 findings, without Hernia",
    }
}

fn signed(value: f64) -> String {
    format!("{value:+.3}")
}

fn signed_ends(ends: Option<Interval>) -> String {
    ends.map_or_else(
        || "no interval".to_owned(),
        |Interval { low, high }| format!("{} to {}", signed(low), signed(high)),
    )
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
