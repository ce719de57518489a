use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Place;
use crate::running::{Running, form, read, request};

/// Makes a PNG whose header says `width` x `height`, of gray that compresses well.
fn png(width: u32, height: u32, rows: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8; 4], data: &[u8]| {
        file.extend((data.len() as u32).to_be_bytes());
        let named = [name.as_slice(), data].concat();
        file.extend(&named);
        file.extend(crc(&named).to_be_bytes());
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 0, 0, 0, 0]);
    chunk(b"IHDR", &header);
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let row = vec![0; width as usize + 1];
    (0..rows).for_each(|_| packed.write_all(&row).unwrap());
    chunk(b"IDAT", &packed.finish().unwrap());
    chunk(b"IEND", &[]);
    file
}

/// The checksum of PNG.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Bytes after the start of a DICOM file that make no sense.
fn garbage() -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    let mut state = 1_u32;
    file.extend((0..100_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }));
    file
}

pub(crate) fn hostile_films_are_refused_and_the_server_lives() {
    let place = Place::trained();
    let server = Running::start(&place, "run --max-pixels 20");
    let before = server.memory_mib();
    let octets = "application/octet-stream";

    for (name, film) in [
        ("a header of 65535 x 65535", png(65_535, 65_535, 1)),
        ("a header of 2 x 4 billion", png(2, u32::MAX, 1)),
        ("a bomb above the limit of pixels", png(5_000, 5_000, 5_000)),
        ("a bomb behind a small header", png(4_000, 4, 50_000)),
        ("a blank bomb below the limit of pixels", png(4_000, 4_000, 4_000)),
        ("garbage after DICM", garbage()),
        ("a cut off film", place.read("film.png")[..200].to_vec()),
        ("nothing but zeros", vec![0; 1 << 20]),
    ] {
        let answer = server.post("/v1/predict", octets, &film);
        assert_eq!(answer.status, 422, "{name}: {}", answer.text());
        let answer = server.post("/v1/explain", octets, &film);
        assert_eq!(answer.status, 422, "{name}: {}", answer.text());
    }
    let after = server.memory_mib();
    assert!(after < before + 700, "{before} MiB became {after}");
    let film = place.read("film.png");
    let names = [
        "../../etc/passwd",
        "/etc/shadow",
        "..\\..\\boot.ini",
        "a\u{0}b",
        "%2e%2e%2fx",
        &"n".repeat(9_000),
    ];
    let server = Running::start(&place, "run --no-gate");
    for name in names {
        let (kind, body) = form(&[(name, &film)]);
        let answer = server.post("/v1/predict", &kind, &body);
        assert!([200, 400].contains(&answer.status), "{name}: {}", answer.text());
    }
    assert_eq!(server.get("/healthz").status, 200);
}

pub(crate) fn hostile_requests_are_refused_and_the_server_lives() {
    let place = Place::trained();
    let flags = "run --no-gate --header-time 1 --time 2 --max-body 1 --connections 30";
    let server = Running::start(&place, flags);
    let film = place.read("film.png");
    server.findings("/v1/predict", &film);
    let before = server.memory_mib();

    // Slow loris: headers that never end, on most of the connections.
    let mut slow: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-").unwrap();
    }
    server.findings("/v1/predict", &film);
    for stream in &mut slow {
        assert_eq!(read(stream).unwrap().status, 408);
    }
    // A body that drips.
    let mut drips = server.connect();
    let start = Instant::now();
    drips.write_all(&request("POST", "/v1/predict", &[], &film)[..300]).unwrap();
    assert_eq!(read(&mut drips).unwrap().status, 408);
    assert!(start.elapsed() < Duration::from_secs(10));
    // A body that never ends, with and without its length.
    let mut endless = server.connect();
    let head = "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    endless.write_all(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    let sent = (0..1_000).take_while(|_| endless.write_all(&chunk).is_ok()).count();
    assert!(sent < 1_000, "a megabyte is the limit");
    let mut long = server.connect();
    let head =
        "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n";
    long.write_all(head.as_bytes()).unwrap();
    assert_eq!(read(&mut long).unwrap().status, 413);
    // A megabyte of headers, in one and in many.
    for line in
        ["x-long: ".to_owned() + &"y".repeat(1_000_000) + "\r\n", "x: y\r\n".repeat(170_000)]
    {
        let mut heavy = server.connect();
        let head = format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n{line}\r\n");
        let _ = heavy.write_all(head.as_bytes());
        // The answer may be lost with the connection, which the server does not read to its end.
        assert!(read(&mut heavy).is_none_or(|answer| answer.status == 431));
    }
    for line in ["x: y\r\n".repeat(150), "x-long: ".to_owned() + &"y".repeat(20_000) + "\r\n"] {
        let mut heavy = server.connect();
        let _ = write!(heavy, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n{line}\r\n");
        assert!(read(&mut heavy).is_none_or(|answer| answer.status == 431));
    }
    // What is not HTTP.
    for bytes in [b"\x16\x03\x01\x02\x00\x01\x00".as_slice(), b"GET / SPDY/9\r\n\r\n", &[0; 5000]] {
        let mut odd = server.connect();
        odd.write_all(bytes).unwrap();
        assert!(read(&mut odd).is_none_or(|answer| (400..500).contains(&answer.status)));
    }
    // A connection too many.
    let crowd: Vec<_> = (0..30).map(|_| server.connect()).collect();
    thread::sleep(Duration::from_millis(200));
    let answer = read(&mut server.connect()).unwrap();
    assert_eq!((answer.status, answer.headers["retry-after"].as_str()), (503, "1"));
    drop(crowd);
    thread::sleep(Duration::from_millis(1_500));

    server.findings("/v1/predict", &film);
    assert!(server.memory_mib() < before + 100, "{before} {}", server.memory_mib());
    assert!(server.get("/metrics").text().contains("reason=\"too-slow\"} 1"));
}

pub(crate) fn a_full_queue_says_when_to_ask_again() {
    let place = Place::trained();
    let flags = "run --no-gate --queue 3 --max-films 3 --batch-wait 1000 --batch 8";
    let server = Running::start(&place, flags);
    let film = place.read("film.png");
    let (kind, body) = form(&[("a", &film), ("b", &film), ("c", &film)]);

    let mut first = server.connect();
    first.write_all(&request("POST", "/v1/predict", &[("content-type", &kind)], &body)).unwrap();
    thread::sleep(Duration::from_millis(400));
    let refused = server.post("/v1/predict", "image/png", &film);
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (503, "1"));
    assert_eq!(read(&mut first).unwrap().status, 200);
    assert_eq!(server.post("/v1/predict", "image/png", &film).status, 200);
}
