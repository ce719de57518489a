use roentgen_models::Freeze;

use super::*;
use crate::experiment::schedule::Schedule;

/// Two phases of 2 and 3 epochs, 50 films in batches of 16, which are 4 steps an epoch.
fn phases() -> [ResolvedPhase; 2] {
    [2, 3].map(|epochs| ResolvedPhase {
        epochs,
        freeze: Freeze::Nothing,
        learning_rate: 0.1,
        schedule: Schedule::Constant {},
    })
}

fn row(epoch: usize) -> EpochRow {
    EpochRow {
        epoch,
        train_loss: 0.5,
        valid_loss: 0.5,
        valid_auroc: Some(0.6),
        learning_rate: 0.1,
        is_best: epoch == 2,
        seconds: 1.0,
        waiting: 0.0,
        is_by_loss_instead: false,
    }
}

/// In the third epoch, the first of the second phase, after two of its four steps.
fn state() -> RunState {
    RunState {
        step: 10,
        films: 32,
        loss: 16.0,
        phase: 1,
        earlier: 2,
        epochs: vec![row(1), row(2)],
        ..RunState::default()
    }
}

fn fits(state: &RunState) -> bool {
    fits_with(state, None)
}

fn fits_with(state: &RunState, loss_scale: Option<LossScale>) -> bool {
    let shape = RunShape { phases: &phases(), films: 50, batch_size: 16, loss_scale };
    state.check(&shape).is_ok()
}

#[test]
fn positions_that_a_run_reaches_fit() {
    let last_step = RunState { step: 12, films: 50, ..state() };
    let done = RunState { step: 20, films: 0, epochs: (1..=5).map(row).collect(), ..state() };

    assert!([RunState::default(), state(), last_step, done].iter().all(fits));
}

#[test]
fn positions_that_no_run_reaches_are_refused() {
    let edits: [fn(&mut RunState); 14] = [
        |state| state.step = usize::MAX,
        |state| state.step = 7,
        |state| state.films = 33,
        |state| state.phase = 2,
        |state| state.phase = 0,
        |state| state.earlier = 0,
        |state| state.earlier = 3,
        |state| state.waited = 3,
        |state| state.loss = f64::NAN,
        |state| state.seconds = f64::INFINITY,
        |state| state.epochs[1].epoch = 4,
        |state| state.epochs[1].is_best = false,
        |state| state.plateau.scale = -1.0,
        |state| state.epochs.truncate(1),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut state = state();
        edit(&mut state);
        assert!(!fits(&state), "edit {number}");
    }
}

#[test]
fn a_loss_scale_is_where_the_precision_needs_one() {
    let scaled = |scale, good_steps| RunState {
        loss_scale: Some(LossScale { scale, good_steps }),
        ..state()
    };
    let needed = Some(LossScale::default());

    assert!(fits_with(&scaled(1, 1999), needed));
    for state in [state(), scaled(0, 0), scaled(3, 0), scaled(1 << 25, 0), scaled(2, 2000)] {
        assert!(!fits_with(&state, needed), "{state:?}");
    }
    assert!(!fits(&scaled(2, 0)));
}

#[test]
fn the_file_has_a_loss_scale_only_if_there_is_one() {
    let scaled = RunState { loss_scale: Some(LossScale { scale: 4, good_steps: 3 }), ..state() };

    let [plain, text] = [&state(), &scaled].map(|state| toml::to_string(state).unwrap());
    assert!(!plain.contains("loss_scale"), "{plain}");
    assert!(text.contains("[loss_scale]\nscale = 4\ngood_steps = 3\n"), "{text}");
    assert_eq!(toml::from_str::<RunState>(&text).unwrap(), scaled);
}
