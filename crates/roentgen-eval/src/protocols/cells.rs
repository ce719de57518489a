//! The mean AUROC after each combination of changes, on all films and on draws of patients.

use super::{Choice, LEFT_OUT, films::Films};
use crate::{
    BootstrapOptions, NIH_FINDINGS, Scores,
    cohort::{draw_areas, films},
    ranking::{Areas, Ranking},
};

/// The choices that were changed from the study's to the official one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State(usize);

impl State {
    /// Number of states.
    const COUNT: usize = 1 << Choice::ALL.len();

    pub(super) fn with(self, choice: Choice) -> Self {
        Self(self.0 | 1 << choice as usize)
    }

    pub(super) fn has(self, choice: Choice) -> bool {
        self.0 >> choice as usize & 1 == 1
    }

    /// Returns its place in [`Values`].
    pub(super) fn index(self) -> usize {
        self.0
    }

    fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }
}

/// The mean AUROC of each state.
pub(super) type Values = [Option<f64>; State::COUNT];

/// The films of each state, ranked by each finding.
pub(super) struct Cells {
    /// For each state, the rankings of the 13 findings, and last that of Hernia if it may count;
    /// `None` for a state that the table cannot show. States that differ only in whether Hernia
    /// counts have the same films, and the rankings are in the one without.
    rankings: Vec<Option<Vec<Ranking>>>,
    counts_left_out: bool,
}

impl Cells {
    pub(super) fn of(scores: &Scores, all: &Films, numbers: &[u32], open: &[Choice]) -> Self {
        let counts_left_out = open.contains(&Choice::Findings);
        let names = studied().chain(counts_left_out.then_some(LEFT_OUT));
        let findings: Vec<_> = names.filter_map(|name| scores.finding(name)).collect();
        let is_shown = |state: &State| {
            let changed = Choice::ALL.into_iter().filter(|&choice| state.has(choice));
            changed.clone().all(|choice| choice != Choice::Findings && open.contains(&choice))
        };
        let rank = |state: State| {
            let mut is_in = vec![false; scores.len()];
            all.rows(state).for_each(|row| is_in[row] = true);
            let of = |finding: &&crate::ScoredFinding| {
                let films = films(finding, numbers).into_iter();
                let rows = finding.labeled_films().map(|(row, ..)| row);
                let kept = films.zip(rows).filter(|(_, row)| is_in[*row]);
                Ranking::new(kept.map(|(film, _)| film).collect())
            };
            findings.iter().map(of).collect()
        };
        let rankings = State::all().map(|state| is_shown(&state).then(|| rank(state)));
        Self { rankings: rankings.collect(), counts_left_out }
    }

    /// Returns the mean AUROC of each state on all films.
    pub(super) fn values(&self) -> Values {
        self.means(&self.areas())
    }

    /// Returns the same for each resample of patients.
    pub(super) fn draw_values(&self, patients: usize, options: &BootstrapOptions) -> Vec<Values> {
        let rankings: Vec<&Ranking> = self.rankings.iter().flatten().flatten().collect();
        let draws = draw_areas(patients, options, &rankings);
        let by_state = |draw: Vec<Option<Areas>>| {
            let mut draw = draw.into_iter();
            let of_state = |rankings: &Vec<Ranking>| draw.by_ref().take(rankings.len()).collect();
            self.map_states(of_state)
        };
        draws.into_iter().map(|draw| self.means(&by_state(draw))).collect()
    }

    /// Returns the mean of each state over the findings with both classes in every state.
    fn means(&self, areas: &[Option<Vec<Option<Areas>>>]) -> Values {
        let common = common(areas);
        let last = NIH_FINDINGS.len() - 1;
        let mut values = [None; State::COUNT];
        for state in State::all() {
            let is_with = state.has(Choice::Findings);
            let films = State(state.0 & !(1 << Choice::Findings as usize));
            let Some(areas) = &areas[films.0] else { continue };
            if is_with && !(self.counts_left_out && common[last]) {
                continue;
            }
            let counted = (0..last + usize::from(is_with)).filter(|&finding| common[finding]);
            let counted: Vec<f64> =
                counted.filter_map(|finding| Some(areas[finding]?.auroc)).collect();
            if counted.len() > usize::from(is_with) {
                values[state.0] = Some(counted.iter().sum::<f64>() / counted.len() as f64);
            }
        }
        values
    }

    /// Returns the number of findings in the mean of a state.
    pub(super) fn findings(&self, state: State) -> usize {
        let common = common(&self.areas());
        let (last, studied) = common.split_last().unwrap_or((&false, &[]));
        let studied = studied.iter().filter(|&&is_common| is_common).count();
        studied + usize::from(*last && state.has(Choice::Findings))
    }

    /// Returns the findings that are in no mean although the table has them.
    pub(super) fn left_out(&self, scores: &Scores) -> Vec<String> {
        let common = common(&self.areas());
        let names = studied().chain([LEFT_OUT]).zip(common);
        let missing =
            names.filter(|(name, is_common)| !is_common && scores.finding(name).is_some());
        missing.map(|(name, _)| name.to_owned()).collect()
    }

    fn areas(&self) -> Vec<Option<Vec<Option<Areas>>>> {
        self.map_states(|rankings| rankings.iter().map(Ranking::areas_of_all).collect())
    }

    fn map_states<T>(&self, mut of: impl FnMut(&Vec<Ranking>) -> T) -> Vec<Option<T>> {
        self.rankings.iter().map(|rankings| rankings.as_ref().map(&mut of)).collect()
    }
}

/// Returns the 13 findings of the study.
fn studied() -> impl Iterator<Item = &'static str> {
    NIH_FINDINGS.into_iter().filter(|&name| name != LEFT_OUT)
}

/// Whether each of the 13 findings and Hernia has both classes in every state that is shown.
fn common(areas: &[Option<Vec<Option<Areas>>>]) -> [bool; NIH_FINDINGS.len()] {
    let mut common = [true; NIH_FINDINGS.len()];
    for (finding, is_common) in common.iter_mut().enumerate() {
        let mut shown = areas.iter().flatten();
        *is_common = shown.all(|areas| areas.get(finding).is_some_and(Option::is_some));
    }
    common
}
