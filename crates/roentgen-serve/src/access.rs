//! Who may ask: bearer tokens, and the header `Host`.

use std::fs;
use std::path::Path;

use axum::http::{HeaderMap, header, uri::Authority};
use subtle::{Choice, ConstantTimeEq as _};

use crate::config::{Access, is_own};
use crate::error::Error;
use crate::problem::{Problem, Reason};

/// Fewest characters of a token; a shorter one could be guessed.
const SHORTEST: usize = 16;

/// What a request must show.
#[derive(Debug)]
pub(crate) enum Doorkeeper {
    /// One of these tokens.
    Tokens(Vec<String>),
    /// A `Host` of this machine, or one of these: a web page whose name was made to point to this
    /// machine (DNS rebinding) has another one.
    Hosts(Vec<String>),
    /// Nothing.
    Open,
}

impl Doorkeeper {
    /// Reads the tokens.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or if it has no token or a short one.
    pub(crate) fn new(access: &Access, address: std::net::IpAddr) -> Result<Self, Error> {
        match &access.token_file {
            Some(path) => read_tokens(path)
                .map(Self::Tokens)
                .map_err(|problem| Error::Tokens { path: path.clone(), problem }),
            None if is_own(address) => Ok(Self::Hosts(access.hosts.clone())),
            None => Ok(Self::Open),
        }
    }

    /// Checks a request.
    ///
    /// # Errors
    ///
    /// Returns a problem if the token or the host is not accepted.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match self {
            Self::Tokens(tokens) => check_token(tokens, headers),
            Self::Hosts(others) => check_host(others, headers),
            Self::Open => Ok(()),
        }
    }
}

fn read_tokens(path: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lines = text.lines().map(str::trim);
    let tokens: Vec<String> =
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Into::into).collect();
    if tokens.is_empty() {
        return Err("it has no token; write one into each line".to_owned());
    }
    let is_good =
        |token: &String| token.len() >= SHORTEST && token.bytes().all(|c| c.is_ascii_graphic());
    match tokens.iter().position(|token| !is_good(token)) {
        Some(number) => Err(format!(
            "token {} is not {SHORTEST} or more visible ASCII characters without spaces",
            number + 1
        )),
        None => Ok(tokens),
    }
}

/// Compares with every token, in a time that does not depend on which characters are right.
fn check_token(tokens: &[String], headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let given = given.and_then(|value| match value.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => Some(token),
        _ => None,
    });
    let Some(given) = given else {
        let detail = "this server asks for a token; send `Authorization: Bearer TOKEN`";
        return Err(Problem::new(Reason::Unauthorized, detail));
    };
    let is_one =
        tokens.iter().fold(Choice::from(0), |is_one, token| is_one | token.as_bytes().ct_eq(given));
    if bool::from(is_one) {
        Ok(())
    } else {
        Err(Problem::new(Reason::Unauthorized, "the token is unknown"))
    }
}

fn check_host(others: &[String], headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let is_known = host.as_ref().is_some_and(|host| {
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || name.parse().is_ok_and(is_own)
            || others.iter().any(|other| is_named(host, other))
    });
    if is_known {
        return Ok(());
    }
    let detail = "the header `Host` does not name this machine; use `127.0.0.1` or `localhost`, or \
                  start the server with `--host NAME`";
    Err(Problem::new(Reason::WrongHost, detail))
}

/// Whether a name of `--host` is that of a header, with its port if the name has one.
fn is_named(host: &Authority, name: &str) -> bool {
    let of_header = if has_port(name) { host.as_str() } else { host.host() };
    of_header.eq_ignore_ascii_case(name)
}

/// Whether a name ends with a port. The colons of an address of version 6 are between brackets.
fn has_port(name: &str) -> bool {
    name.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn one_of_the_tokens_opens_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        fs::write(&path, "# of the ward\n0123456789abcdef\n\nfedcba9876543210\n").unwrap();
        let access = Access { token_file: Some(path), ..Access::default() };
        let doorkeeper = Doorkeeper::new(&access, [0, 0, 0, 0].into()).unwrap();
        let check = |value| doorkeeper.check(&headers(header::AUTHORIZATION, value)).is_ok();

        assert!(check("Bearer 0123456789abcdef") && check("bearer fedcba9876543210"));
        for wrong in [
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Bearer ",
            "Bearer",
            "0123456789abcdef",
            "Basic 0123456789abcdef",
            "Bearer # of the ward",
        ] {
            assert!(!check(wrong), "{wrong}");
        }
        assert!(doorkeeper.check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn files_without_good_tokens_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        for text in ["", "# nothing\n", "short\n", "0123456789abcdef\nwith spaces in the middle\n"]
        {
            fs::write(&path, text).unwrap();
            assert!(read_tokens(&path).is_err(), "{text}");
        }
        assert!(read_tokens(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_host_is_this_machine_or_one_that_was_named() {
        let doorkeeper = Doorkeeper::Hosts(vec!["films.example".to_owned()]);
        let check = |value| doorkeeper.check(&headers(header::HOST, value)).is_ok();

        for own in ["localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1", "films.example:80"]
        {
            assert!(check(own), "{own}");
        }
        for other in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", ""] {
            assert!(!check(other), "{other}");
        }
        assert!(doorkeeper.check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_host_that_was_named_with_a_port_is_that_port_alone() {
        let hosts = ["films.example:8443", "[2001:db8::7]"].map(str::to_owned);
        let doorkeeper = Doorkeeper::Hosts(hosts.to_vec());
        let check = |value| doorkeeper.check(&headers(header::HOST, value)).is_ok();

        assert!(check("FILMS.example:8443") && check("[2001:db8::7]") && check("[2001:db8::7]:80"));
        for other in ["films.example", "films.example:8444", "films.example:84430", "[2001:db8::8]"]
        {
            assert!(!check(other), "{other}");
        }
    }
}
