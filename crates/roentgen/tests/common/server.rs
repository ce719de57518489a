//! A small HTTP server on this machine that can misbehave in the ways that real servers do.

#![allow(dead_code, reason = "each test file uses what it needs of this")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How one request is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Correctly.
    Honest,
    /// The connection ends after this many bytes of the body.
    BreaksOff(usize),
    /// The whole file, whatever the request.
    IgnoresRange,
    /// The whole file, whatever the request, but the connection ends after this many bytes.
    IgnoresRangeAndBreaksOff(usize),
    /// The requested rest, of whatever version.
    IgnoresIfRange,
    /// A length that is greater than that of the body by this many bytes.
    ClaimsMore(usize),
    /// In chunks without a length, as a server sends generated content.
    InPieces,
    /// With this status and without a file.
    Status(u16),
    /// With a web page.
    WebPage,
}

struct File {
    bytes: Vec<u8>,
    etag: Option<String>,
    ways: VecDeque<Way>,
}

/// A request: a path, and the first byte requested.
pub(crate) type Asked = (String, Option<usize>);

/// The server; it ends with the test.
pub(crate) struct Server {
    address: SocketAddr,
    files: Arc<Mutex<HashMap<String, File>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            files: Arc::default(),
            asked: Arc::default(),
        };
        let (files, asked) = (server.files.clone(), server.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (files, asked) = (files.clone(), asked.clone());
                std::thread::spawn(move || answer(stream.unwrap(), &files, &asked));
            }
        });
        server
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Serves `bytes` as `/name`: the next requests in these ways, all later ones correctly.
    pub(crate) fn serve(&self, name: &str, bytes: impl Into<Vec<u8>>, ways: &[Way]) {
        let bytes = bytes.into();
        // Other content is another version.
        let sum: u64 = bytes.iter().fold(7, |sum, &byte| sum.wrapping_mul(31) + u64::from(byte));
        let etag = Some(format!("\"{sum:x}\""));
        let file = File { bytes, etag, ways: ways.iter().copied().collect() };
        self.files.lock().unwrap().insert(format!("/{name}"), file);
    }

    /// Returns the requests since the last call of this method.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn answer(mut stream: TcpStream, files: &Mutex<HashMap<String, File>>, asked: &Mutex<Vec<Asked>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let path = first.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
    let headers: HashMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(k, v)| (k.to_lowercase(), v.to_owned())))
        .collect();
    let from: Option<usize> = headers
        .get("range")
        .map(|range| range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
    asked.lock().unwrap().push((path.clone(), from));

    let mut files = files.lock().unwrap();
    let Some(file) = files.get_mut(&path) else {
        let _ =
            stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    };
    let way = file.ways.pop_front().unwrap_or(Way::Honest);
    let (bytes, etag) = (file.bytes.clone(), file.etag.clone());
    drop(files);

    let is_same = headers.get("if-range").is_none_or(|asked| Some(asked) == etag.as_ref());
    let from = match way {
        Way::IgnoresRange | Way::IgnoresRangeAndBreaksOff(_) => None,
        Way::IgnoresIfRange => from,
        _ => from.filter(|_| is_same),
    };
    let etag = etag.map_or_else(String::new, |etag| format!("ETag: {etag}\r\n"));
    let end = "Connection: close\r\n\r\n";
    let all = bytes.len();
    let body = &bytes[from.unwrap_or(0).min(all)..];
    let head = match (way, from) {
        (Way::Status(status), _) => {
            let _ = write!(stream, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n{end}");
            return;
        }
        (Way::WebPage, _) => {
            let page = "<html>Please sign in</html>";
            let length = page.len();
            let kind = "Content-Type: text/html; charset=utf-8";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {length}\r\n{end}{page}"
            );
            return;
        }
        (Way::InPieces, _) => {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{end}");
            for piece in bytes.chunks(700) {
                let _ = write!(stream, "{:x}\r\n", piece.len());
                let _ = stream.write_all(piece);
                let _ = write!(stream, "\r\n");
            }
            let _ = write!(stream, "0\r\n\r\n");
            return;
        }
        (_, Some(from)) if from >= all => {
            format!("HTTP/1.1 416 No\r\nContent-Range: bytes */{all}\r\nContent-Length: 0\r\n{end}")
        }
        (_, Some(from)) => format!(
            "HTTP/1.1 206 Partial\r\n{etag}Content-Range: bytes {from}-{}/{all}\r\nContent-Length: \
             {}\r\n{end}",
            all - 1,
            body.len(),
        ),
        (Way::ClaimsMore(more), None) => {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{end}", all + more)
        }
        (_, None) => format!("HTTP/1.1 200 OK\r\n{etag}Content-Length: {all}\r\n{end}"),
    };
    let body = match way {
        Way::BreaksOff(after) | Way::IgnoresRangeAndBreaksOff(after) => {
            &body[..after.min(body.len())]
        }
        _ => body,
    };
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
}
