use std::fs;
use std::sync::Arc;

use std::io::{Read, Write};

use crate::common::Place;
use crate::running::{Running, request};

pub(crate) fn others_are_let_in_only_with_token_or_tls() {
    let place = Place::trained();

    let error = place.fails("serve run --address 0.0.0.0:0");
    assert!(error.contains("`--token-file`") && error.contains("`--insecure`"), "{error}");
    let error = place.fails("serve run --address [::]:0");
    assert!(error.contains("`--insecure`"), "{error}");
    place.write("tokens", "short\n");
    let error = place.fails("serve run --address 0.0.0.0:0 --token-file tokens");
    assert!(error.contains("`tokens`") && error.contains("16"), "{error}");
    let error = place.fails("serve run run");
    assert!(error.contains("two models are called `run`"), "{error}");
    let error = place.fails("serve run --ensemble");
    assert!(error.contains("two or more"), "{error}");
    let error = place.fails("serve run --time 20 --stop-time 10");
    assert!(error.contains("`--stop-time 10` is shorter than `--time 20`"), "{error}");
    let error = place.fails("serve run --time 20 --stop-time 20");
    assert!(error.contains("`--stop-time 20`"), "{error}");
    for host in ["http://films.example/", "films.example:", "user@films.example"] {
        let error = place.fails(&format!("serve run --host {host}"));
        assert!(error.contains(&format!("`--host {host}`")), "{error}");
    }
    let error = place.fails("serve nothing");
    assert!(error.contains("`nothing`"), "{error}");
    for args in ["--tls-cert cert.pem", "--address here", "--max-header 1", "--time 0", "a/b=run"] {
        let output = place.run(&format!("serve {args}"));
        assert_eq!(output.status.code(), Some(2), "{args}");
    }
    let open = Running::spawn(place.command("serve run --insecure --address 0.0.0.0:0".split(' ')));
    assert!(open.url.starts_with("http://0.0.0.0:"));
    assert_eq!(open.get("/v1/models").status, 200);
}

pub(crate) fn a_token_opens_and_health_needs_none() {
    let place = Place::trained();
    place.write("tokens", "0123456789abcdef\n");
    let server = Running::start(&place, "run --token-file tokens");
    let with = |token: &str| server.send("GET", "/v1/models", &[("authorization", token)], &[]);

    assert_eq!(with("Bearer 0123456789abcdef").status, 200);
    let refused = with("Bearer 0123456789abcdeg");
    assert_eq!((refused.status, refused.headers["www-authenticate"].as_str()), (401, "Bearer"));
    for guarded in ["/v1/models", "/metrics", "/v2", "/v2/models/run/ready"] {
        assert_eq!(server.get(guarded).status, 401, "{guarded}");
    }
    assert_eq!(server.post("/v1/predict", "image/png", &place.read("film.png")).status, 401);
    assert!(server.get("/v1/models").json()["detail"].is_string());
    assert!(server.get("/v2").json()["error"].is_string());
    let open = ["/healthz", "/readyz", "/health/live", "/health/ready", "/docs", "/openapi.json"];
    for open in open.into_iter().chain(["/v2/health/live", "/v2/health/ready"]) {
        let answer = server.get(open);
        assert_eq!(answer.status, 200, "{open}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    assert!(
        server.get("/docs").headers["content-security-policy"].starts_with("default-src 'none'")
    );
    assert!(!format!("{:?}", server.log()).contains("0123456789abcde"));
}

pub(crate) fn a_web_page_of_another_name_is_refused() {
    let place = Place::trained();
    let server = Running::start(&place, "run --host films.example --host scans.example:8443");
    let of = |host: &str| {
        let mut stream = server.connect();
        write!(stream, "GET /v1/models HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")
            .unwrap();
        crate::running::read(&mut stream).unwrap().status
    };

    assert_eq!(of("evil.example"), 421);
    assert_eq!(of("films.example"), 200);
    assert_eq!(of("scans.example:8443"), 200);
    assert_eq!(of("scans.example:8444"), 421);
    assert_eq!(of("127.0.0.1:1234"), 200);
}

pub(crate) fn films_are_predicted_over_tls() {
    let place = Place::trained();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    place.write("cert.pem", made.cert.pem());
    place.write("key.pem", made.signing_key.serialize_pem());
    let server = Running::start(&place, "run --no-gate --tls-cert cert.pem --tls-key key.pem");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = server.connect();
    let mut tls = rustls::Stream::new(&mut client, &mut stream);

    let film = place.read("film.png");
    tls.write_all(&request("POST", "/v1/predict", &[("content-type", "image/png")], &film))
        .unwrap();
    let mut answer = Vec::new();
    let _ = tls.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"Mass\""), "{answer}");
    // Plain HTTP gets no answer.
    let mut plain = server.connect();
    plain.write_all(&request("GET", "/healthz", &[], &[])).unwrap();
    assert!(crate::running::read(&mut plain).is_none());
    fs::write(place.at("key.pem"), "nothing").unwrap();
    let error = place.fails("serve run --tls-cert cert.pem --tls-key key.pem");
    assert!(error.contains("`key.pem`"), "{error}");
}
