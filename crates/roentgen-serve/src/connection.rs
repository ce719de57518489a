//! A connection: HTTP/1.1 with limits on headers and on time.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use crate::config::Limits;
use crate::problem::PROBLEM;

/// Headers of a request.
const MOST_HEADERS: usize = 100;
/// Time to send an answer of a few bytes to a client that is refused.
const FAREWELL: Duration = Duration::from_secs(1);

/// What serves connections.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) router: Router,
    pub(crate) tls: Option<Arc<TlsAcceptor>>,
    pub(crate) limits: Limits,
    /// Becomes true when the server stops.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Connections {
    /// Serves the requests of a connection until it is closed, breaks a limit, or the server stops.
    pub(crate) async fn serve(self, stream: TcpStream) {
        let mut stream = TimeoutStream::new(stream);
        // A client that does not read its answer would keep it in memory.
        stream.set_write_timeout(Some(self.limits.time));
        let stream = Box::pin(stream);
        match self.tls.clone() {
            None => self.speak(stream).await,
            Some(tls) => {
                let handshake = tokio::time::timeout(self.limits.header_time, tls.accept(stream));
                if let Ok(Ok(stream)) = handshake.await {
                    self.speak(stream).await;
                }
            }
        }
    }

    async fn speak(mut self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = router.call(request);
            Box::pin(answer)
                as Pin<Box<dyn Future<Output = Result<Response<axum::body::Body>, _>> + Send>>
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_time)
            .max_buf_size(self.limits.header)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let ended = tokio::select! {
            ended = poll_fn(|context| connection.poll_without_shutdown(context)) => Some(ended),
            () = wait_for_stop(&mut self.stop) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                Pin::new(&mut connection).graceful_shutdown();
                poll_fn(|context| connection.poll_without_shutdown(context)).await
            }
        };
        let is_slow = ended.is_err_and(|error| error.is_timeout());
        let parts = connection.into_parts();
        let mut stream = parts.io.into_inner();
        // An idle connection is closed without a word, because its client did not ask for anything.
        if is_slow && !parts.read_buf.is_empty() {
            let _ =
                say(&mut stream, "408 Request Timeout", "the headers did not arrive in time").await;
        } else {
            let _ = tokio::time::timeout(FAREWELL, stream.shutdown()).await;
        }
    }
}

/// Refuses a connection too many.
pub(crate) async fn refuse(mut stream: TcpStream) {
    let _ = say(&mut stream, "503 Service Unavailable", "there are too many connections").await;
}

/// Waits until the server stops.
async fn wait_for_stop(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody can stop the server any more, as when it has ended.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Answers a client without reading its request.
async fn say(stream: &mut (impl AsyncWrite + Unpin), status: &str, detail: &str) -> io::Result<()> {
    let (code, title) = status.split_once(' ').unwrap_or((status, ""));
    let body = format!(
        "{{\"type\":\"about:blank\",\"title\":\"{title}\",\"status\":{code},\"detail\":\"{detail}\"}}"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {PROBLEM}\r\ncontent-length: {}\r\nretry-after: 1\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    let words = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    tokio::time::timeout(FAREWELL, words).await.unwrap_or(Ok(()))
}
