//! What the system tells the server: stop, or load the models again.

use tokio::sync::mpsc;

/// What the system tells the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM or Ctrl-C.
    Stop,
    /// SIGHUP.
    Reload,
}

/// Listens to the signals of the process.
///
/// # Errors
///
/// Returns an error if the system does not allow it.
#[cfg(unix)]
pub(crate) fn listen() -> std::io::Result<mpsc::Receiver<Signal>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (sender, receiver) = mpsc::channel(8);
    for (kind, meaning) in [
        (SignalKind::terminate(), Signal::Stop),
        (SignalKind::interrupt(), Signal::Stop),
        (SignalKind::hangup(), Signal::Reload),
    ] {
        let mut arriving = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while arriving.recv().await.is_some() {
                if sender.send(meaning).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}

/// Listens to Ctrl-C, the only one of these signals that the system has.
///
/// # Errors
///
/// Returns no error here.
#[cfg(not(unix))]
pub(crate) fn listen() -> std::io::Result<mpsc::Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel(8);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if sender.send(Signal::Stop).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
