//! One model by two protocols: that of the 2019 study and the official one.
//!
//! The study split by film, so patients are on both sides; it dropped the films without a finding,
//! and it counted 13 findings, all but Hernia. Each of the three changes the films or findings that
//! a mean is over, so its effect can be computed from one score table, by changing one choice at a
//! time. What a choice does to *training* cannot: that needs a second run. What the table cannot
//! show is left blank, with the reason.
//!
//! All figures are over the same findings, those with both classes by every choice, and on the same
//! resamples of patients. Effects depend on the order of the changes, so the range over all orders
//! is given, too; in each order they add up to the whole difference.

mod cells;
mod films;
mod paragraph;

use serde::{Serialize, Serializer};

use crate::{BootstrapOptions, Error, Interval, NIH_FINDINGS, Scores, cohort::numbers, evaluation};
use cells::{Cells, State, Values};
use films::Films;

/// The finding that the study left out, because it is on 227 of 112,120 films.
const LEFT_OUT: &str = "Hernia";

/// A choice in which the protocols differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Whether films count whose patients the model was trained on.
    LeakedPatients,
    /// Whether films without a finding count.
    NormalFilms,
    /// Whether Hernia counts.
    Findings,
}

impl Choice {
    /// All choices, in the order of the rows.
    pub const ALL: [Self; 3] = [Self::LeakedPatients, Self::NormalFilms, Self::Findings];

    /// Returns its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeakedPatients => "leaked-patients",
            Self::NormalFilms => "normal-films",
            Self::Findings => "findings",
        }
    }
}

/// The figures of a model by both protocols.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Protocols {
    /// From the study's protocol to the official one, with one more choice changed in each row.
    pub rows: Vec<Row>,
    /// What each choice is worth, in the order of [`Choice::ALL`].
    #[serde(serialize_with = "by_choice")]
    pub effects: Vec<Effect>,
    /// Mean AUROC of the first row minus that of the last.
    pub difference: Option<f64>,
    /// Its interval.
    pub difference_ci95: Option<Interval>,
    /// Findings without both classes by some choice, which are in no mean.
    pub left_out: Vec<String>,
    /// Films with unknown labels and no positive one, which are in no row, because it is unknown
    /// whether they have a finding.
    pub undetermined: usize,
    /// Films of the training split, which are in no row.
    pub training_films: usize,
    /// The split of the table.
    pub split: Option<String>,
}

/// The mean AUROC after some choices were changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The choice that distinguishes it from the row before; `None` for the first row.
    pub changed: Option<Choice>,
    /// Number of films.
    pub images: usize,
    /// Number of patients.
    pub patients: usize,
    /// Number of findings in the mean.
    pub findings: usize,
    /// Mean AUROC.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
}

/// What a choice is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The choice, the key in JSON.
    #[serde(skip)]
    pub choice: Choice,
    /// Number of films that it concerns: films of patients in training, films without a finding,
    /// films with Hernia.
    pub films: usize,
    /// Mean AUROC as in the study minus that as in the official protocol, with the choices of
    /// earlier rows changed already.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
    /// The smallest and the largest value over all orders of the changes.
    pub over_orders: Option<[f64; 2]>,
    /// Why it cannot be computed from this table.
    pub unknown: Option<String>,
}

impl Protocols {
    /// Returns what a choice is worth.
    pub fn effect(&self, choice: Choice) -> Option<&Effect> {
        self.effects.iter().find(|effect| effect.choice == choice)
    }
}

/// Evaluates a table by both protocols.
///
/// # Errors
///
/// Returns an error under the conditions of [`evaluate`](crate::evaluate()), or if the table lacks
/// one of the 13 findings, because it is then unknown which films the study would have dropped.
pub fn protocols(scores: &Scores, options: &BootstrapOptions) -> Result<Protocols, Error> {
    let (marks, _) = evaluation::check(scores)?;
    let studied = || NIH_FINDINGS.into_iter().filter(|&name| name != LEFT_OUT);
    if let Some(missing) = studied().find(|name| scores.finding(name).is_none()) {
        return Err(Error::Protocols { path: scores.origin().to_owned(), missing });
    }
    let films = Films::of(scores);
    let mut reasons =
        Choice::ALL.map(|choice| (choice, films.reason_against(choice, scores, &marks)));
    let open = |reasons: &[(Choice, Option<String>)]| -> Vec<Choice> {
        let open = reasons.iter().filter(|(_, reason)| reason.is_none());
        open.map(|(choice, _)| *choice).collect()
    };

    let (numbers, patients) = numbers(scores);
    let cells = Cells::of(scores, &films, &numbers, &open(&reasons));
    let left_out = cells.left_out(scores);
    for (choice, reason) in &mut reasons {
        if *choice == Choice::Findings && left_out.iter().any(|name| name == LEFT_OUT) {
            let lacks = format!("not all of these rows have films with and without {LEFT_OUT}");
            reason.get_or_insert(lacks);
        }
    }
    let open = open(&reasons);
    let values = cells.values();
    let draws = cells.draw_values(patients, options);
    let interval = |of: &dyn Fn(&Values) -> Option<f64>| {
        of(&values).and_then(|_| Interval::of(draws.iter().filter_map(of).collect()))
    };
    let row = |changed: Option<Choice>, state: State| {
        let (images, patients) = films.count(state, scores);
        Row {
            changed,
            images,
            patients,
            findings: cells.findings(state),
            auroc: values[state.index()],
            auroc_ci95: interval(&|values| values[state.index()]),
        }
    };

    let mut state = State::default();
    let (mut rows, mut effects) = (vec![row(None, state)], Vec::new());
    for (choice, unknown) in reasons {
        let is_open = unknown.is_none();
        let before = state;
        if is_open {
            state = before.with(choice);
            rows.push(row(Some(choice), state));
        }
        let minus = |values: &Values| difference(values, before, state);
        effects.push(Effect {
            choice,
            films: films.concerned(choice, scores),
            auroc: if is_open { minus(&values) } else { None },
            auroc_ci95: if is_open { interval(&minus) } else { None },
            over_orders: if is_open { over_orders(choice, &open, &values) } else { None },
            unknown,
        });
    }
    let whole = |values: &Values| difference(values, State::default(), state);
    Ok(Protocols {
        rows,
        effects,
        difference: whole(&values),
        difference_ci95: interval(&whole),
        left_out,
        undetermined: films.undetermined,
        training_films: films.training,
        split: scores.split(),
    })
}

fn difference(values: &Values, from: State, to: State) -> Option<f64> {
    Some(values[from.index()]? - values[to.index()]?)
}

/// Returns the smallest and the largest effect of a choice, whichever of the other open choices
/// were changed before it.
fn over_orders(choice: Choice, open: &[Choice], values: &Values) -> Option<[f64; 2]> {
    let others: Vec<Choice> = open.iter().copied().filter(|other| *other != choice).collect();
    let mut ends: Option<[f64; 2]> = None;
    for changed in 0..1_usize << others.len() {
        let earlier = others.iter().enumerate().filter(|(place, _)| changed >> place & 1 == 1);
        let before = earlier.fold(State::default(), |state, (_, &other)| state.with(other));
        let effect = difference(values, before, before.with(choice))?;
        let [least, most] = ends.unwrap_or([effect; 2]);
        ends = Some([least.min(effect), most.max(effect)]);
    }
    ends
}

fn by_choice<S: Serializer>(effects: &[Effect], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(effects.iter().map(|effect| (effect.choice.name(), effect)))
}

#[cfg(test)]
mod tests;
