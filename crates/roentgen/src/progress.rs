//! Progress bars on a terminal, plain lines elsewhere, and the handler of Ctrl-C.

mod time_left;

use std::cell::{Cell, OnceCell};
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use roentgen_tasks::Listener;
use roentgen_train::progress::{EpochRow, Progress, RunPlan};

use crate::memory;
use crate::output::note;
use time_left::{Expected, Steps, TimeLeft, format_time};

/// Whether bars are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bars {
    Drawn,
    Off,
}

impl Bars {
    /// Chooses bars on a terminal, unless the user turned them off.
    pub(crate) fn choose(no_progress: bool) -> Self {
        if !no_progress && std::io::stderr().is_terminal() { Bars::Drawn } else { Bars::Off }
    }

    /// Makes a bar over `films`, with rate and time left.
    pub(crate) fn add_bar(self, what: &'static str, films: usize) -> ProgressBar {
        let bar = match self {
            Bars::Drawn => ProgressBar::with_draw_target(
                Some(films as u64),
                ProgressDrawTarget::stderr_with_hz(8),
            ),
            Bars::Off => ProgressBar::hidden(),
        };
        let style = "{prefix:>10} {bar:32} {pos}/{len}  {rate}  {eta} left  {msg}";
        let style =
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let per_second = state.per_sec();
            let digits = usize::from(per_second < 10.0);
            let _ = write!(text, "{per_second:.digits$}/s");
        };
        bar.with_prefix(what).with_style(style.with_key("rate", rate))
    }

    /// Makes a bar over bytes, with rate and time left; the total can be set later.
    pub(crate) fn over_bytes(self, what: &'static str) -> ProgressBar {
        let style =
            "{prefix:>10} {bar:32} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {msg}";
        self.add_bar(what, 0).with_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        )
    }
}

/// A bar over the bytes of a file that is hashed, drawn only if that takes a while.
pub(crate) struct Hashing {
    bars: Bars,
    bar: OnceCell<ProgressBar>,
}

/// Bytes that are hashed in well below a second.
const SOON_HASHED: u64 = 128 << 20;

impl Hashing {
    pub(crate) fn new(bars: Bars) -> Self {
        Self { bars, bar: OnceCell::new() }
    }

    /// Shows the bytes that are done and those in all.
    pub(crate) fn set(&self, done: u64, bytes: u64) {
        if bytes < SOON_HASHED {
            return;
        }
        let bar = self.bar.get_or_init(|| self.bars.over_bytes("hashing"));
        if bar.is_finished() {
            bar.reset();
        }
        bar.set_length(bytes);
        bar.set_position(done);
        if done >= bytes {
            bar.finish_and_clear();
        }
    }
}

/// Shows the progress of a task.
pub(crate) struct TaskDisplay {
    bars: Bars,
    bar: OnceCell<ProgressBar>,
    hashing: Hashing,
}

impl TaskDisplay {
    pub(crate) fn new(bars: Bars) -> Self {
        Self { bars, bar: OnceCell::new(), hashing: Hashing::new(bars) }
    }
}

impl Listener for TaskDisplay {
    fn note(&self, line: &str) {
        match self.bar.get() {
            Some(bar) => bar.suspend(|| note(line)),
            None => note(line),
        }
    }

    fn hashed(&self, done: u64, bytes: u64) {
        self.hashing.set(done, bytes);
    }

    fn predicted(&self, done: usize, films: usize) {
        let bar = self.bar.get_or_init(|| self.bars.add_bar("predicting", films));
        bar.set_position(done as u64);
        if done == films {
            bar.finish_and_clear();
        }
    }
}

/// Returns whether a run with these validation losses so far is unpromising.
pub(crate) type Judge<'a> = &'a dyn Fn(&[f64]) -> bool;

/// Shows the progress of a training run.
pub(crate) struct TrainingDisplay<'a> {
    judge: Option<Judge<'a>>,
    /// Peak memory of the process before this run.
    peak_before: Option<u64>,
    bars: Bars,
    bar: ProgressBar,
    hashing: Hashing,
    train_films: Cell<usize>,
    valid_films: Cell<usize>,
    steps: Cell<usize>,
    epochs: Cell<usize>,
    time_left: TimeLeft,
    has_told: Cell<bool>,
}

/// The least time left that is worth a line, in seconds.
const WORTH_TELLING: f64 = 30.0;

impl<'a> TrainingDisplay<'a> {
    /// Starts to listen to a run and to Ctrl-C.
    pub(crate) fn new(bars: Bars) -> Self {
        interrupted();
        TRAINING.store(true, Ordering::Relaxed);
        Self {
            judge: None,
            peak_before: memory::peak_mib(),
            bars,
            bar: bars.add_bar("training", 0),
            hashing: Hashing::new(bars),
            train_films: Cell::default(),
            valid_films: Cell::default(),
            steps: Cell::default(),
            epochs: Cell::default(),
            time_left: TimeLeft::default(),
            has_told: Cell::default(),
        }
    }

    /// Lets `judge` stop the run early if it is unpromising.
    pub(crate) fn with_judge(mut self, judge: Judge<'a>) -> Self {
        self.judge = Some(judge);
        self
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }

    /// Returns the time left of the whole run, once it can be estimated.
    fn expected(&self, epoch: usize, step: usize) -> Option<Expected> {
        let validation = self.valid_films.get() as f64 / self.train_films.get().max(1) as f64;
        let done = (epoch - 1) * self.steps.get() + step;
        let all = self.epochs.get() * self.steps.get();
        self.time_left.expected(self.seconds(), Steps { done, all, validation })
    }

    /// Prints the time left, once, if no bar shows it and the run is not over soon.
    fn tell(&self, expected: Expected) {
        if self.bars == Bars::Drawn || self.has_told.replace(true) {
            return;
        }
        let Expected { per_step, left } = expected;
        if left >= WORTH_TELLING {
            self.say(&format!("{per_step:.3} s per step, about {} left", format_time(left)));
        }
    }
}

impl Progress for TrainingDisplay<'_> {
    fn hashed(&self, done: u64, bytes: u64) {
        self.hashing.set(done, bytes);
    }

    fn started(&self, plan: &RunPlan) {
        self.train_films.set(plan.train_films);
        self.valid_films.set(plan.valid_films);
        self.steps.set(plan.steps);
        self.epochs.set(plan.epochs);
        self.say(&plan.to_string());
    }

    fn features(&self, done: usize, films: usize) {
        if self.bar.prefix() != "features" {
            self.time_left.restart();
            self.bar.reset();
            self.bar.set_prefix("features");
            self.bar.set_message("of the frozen backbone, computed once");
        }
        if done == films {
            self.say(&format!("features of {films} films cached, because the backbone is frozen"));
        }
        self.bar.set_length(films as u64);
        self.bar.set_position(done as u64);
    }

    fn step(&self, epoch: usize, step: usize, loss: f64) {
        let expected = self.expected(epoch, step);
        if let Some(expected) = expected {
            self.tell(expected);
        }
        if step == 1 || self.bar.length() != Some(self.steps.get() as u64) {
            self.bar.reset();
            self.bar.set_length(self.steps.get() as u64);
            self.bar.set_prefix(format!("epoch {epoch}"));
        }
        self.bar.set_position(step as u64);
        let left = expected.map_or_else(String::new, |expected| {
            format!("; whole run: {} left", format_time(expected.left))
        });
        self.bar.set_message(format!("loss {loss:.4}{left}"));
    }

    fn validated(&self, _epoch: usize, films: usize) {
        if self.bar.prefix() != "validating" {
            self.bar.reset();
            self.bar.set_length(self.valid_films.get() as u64);
            self.bar.set_prefix("validating");
            self.bar.set_message("");
        }
        self.bar.set_position(films as u64);
    }

    fn epoch(&self, row: &EpochRow) {
        self.time_left.validated();
        self.say(&row.to_string());
    }

    fn seconds(&self) -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
    }

    fn peak_memory_mib(&self) -> Option<u64> {
        // The allocator keeps its pages: if a run stays below an earlier run of the same process,
        // its own peak is unknown.
        memory::peak_mib().filter(|peak| self.peak_before.is_none_or(|before| *peak > before))
    }

    fn is_hopeless(&self, epochs: &[EpochRow]) -> bool {
        let losses: Vec<f64> = epochs.iter().map(|epoch| epoch.valid_loss).collect();
        let is_hopeless = self.judge.is_some_and(|judge| judge(&losses));
        if is_hopeless {
            self.say("stopped early: other runs were better at this epoch");
        }
        is_hopeless
    }

    fn is_interrupted(&self) -> bool {
        interrupted().load(Ordering::Relaxed)
    }
}

impl Drop for TrainingDisplay<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        TRAINING.store(false, Ordering::Relaxed);
    }
}

/// Whether a run is in progress that can save itself.
static TRAINING: AtomicBool = AtomicBool::new(false);

/// Returns the flag that the first Ctrl-C sets while a run is in progress. A second Ctrl-C, or one
/// at any other time, ends the program at once.
fn interrupted() -> &'static AtomicBool {
    static FLAG: AtomicBool = AtomicBool::new(false);
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| {
        let listening = ctrlc::set_handler(|| {
            if !TRAINING.load(Ordering::Relaxed) || FLAG.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            note("stopping after this step; press Ctrl-C again to stop at once");
        });
        if let Err(error) = listening {
            note(&format!("warning: Ctrl-C will not save the run ({error})"));
        }
    });
    &FLAG
}
