//! What a task reports while it works.

/// Listens to a task.
pub trait Listener {
    /// Takes a line that the user should see, such as a warning.
    fn note(&self, line: &str);

    /// Takes the number of bytes of a prepared data set that were hashed so far, and of all of them.
    fn hashed(&self, done: u64, bytes: u64);

    /// Takes the number of films that were predicted so far.
    fn predicted(&self, done: usize, films: usize);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Listener for Silent {
    fn note(&self, _line: &str) {}

    fn hashed(&self, _done: u64, _bytes: u64) {}

    fn predicted(&self, _done: usize, _films: usize) {}
}
