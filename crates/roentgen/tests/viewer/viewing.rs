//! Runs `roentgen view` on a free port.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Place;

/// A viewer that is killed when it is dropped.
pub(crate) struct Viewing {
    child: Child,
    pub(crate) url: String,
}

impl Viewing {
    /// Starts a viewer in a place and waits for the line with its address, which is of this machine.
    pub(crate) fn start(place: &Place, args: &str) -> Self {
        let args = format!("view {args} --port 0 --no-progress");
        let mut command = place.command(args.split(' '));
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut early = Vec::new();
        let url = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it ended: {early:?}") };
            let address = line.split_whitespace().find(|word| word.starts_with("http://"));
            let url = address.map(|address| address.trim_end_matches('/').to_owned());
            early.push(line);
            if let Some(url) = url {
                break url;
            }
        };
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        // A pipe that nobody reads would stop the program.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, url }
    }

    /// Ends the viewer as Ctrl-C does, and waits for it.
    pub(crate) fn end(mut self) {
        let sent = Command::new("kill").args(["-s", "INT", &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0));
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not stop");
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
