//! `fetch` from a server on this machine that breaks connections, changes files and sends wrong
//! ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod chestmnist;
#[path = "../common/mod.rs"]
mod common;
mod nih;
#[path = "../common/server.rs"]
mod server;

use std::process::Output;

use common::{Place, stderr};
use server::Server;

/// Runs `fetch WHAT` against the server.
fn fetch(place: &Place, server: &Server, line: &str) -> Output {
    let line = format!("fetch {line} --base-url {} --tries 3", server.url(""));
    place.command(line.split(' ')).env("NO_PROXY", "127.0.0.1").output().unwrap()
}

fn ok(place: &Place, server: &Server, line: &str) -> String {
    let output = fetch(place, server, line);
    assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn fails(place: &Place, server: &Server, line: &str) -> String {
    let output = fetch(place, server, line);
    assert_eq!(output.status.code(), Some(1), "{line}\n{}", stderr(&output));
    assert!(output.stdout.is_empty());
    stderr(&output)
}

#[test]
fn misuse_exits_with_2() {
    let (place, server) = (Place::new(), Server::new());

    for line in ["nih", "nih --only images_013 --out nih", "chestmnist --size 65 --out c", "kaggle"]
    {
        assert_eq!(fetch(&place, &server, line).status.code(), Some(2), "{line}");
    }
}
