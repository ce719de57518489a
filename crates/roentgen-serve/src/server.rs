//! Starts, runs, reloads and stops the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use burn::tensor::Device;
use roentgen_tasks::view::Viewed;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::access::Doorkeeper;
use crate::app::App;
use crate::config::Config;
use crate::connection::{Connections, refuse};
use crate::error::Error;
use crate::log::{Level, Log};
use crate::metrics::Metrics;
use crate::models::{Loader, Models};
use crate::reload::reload;
use crate::routes::router;
use crate::signals::{self, Signal};
use crate::tls;

/// Pause after the system could not hand over a connection, for example for want of files.
const PAUSE: Duration = Duration::from_millis(50);

/// A server that listens, with its models loaded.
pub struct Server {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
    config: Config,
    loader: Loader,
    app: Arc<App>,
    viewed: Option<Arc<Viewed>>,
    tls: Option<Arc<TlsAcceptor>>,
    signals: mpsc::Receiver<Signal>,
}

impl Server {
    /// Listens on the address, loads the models and writes the address to the log. `log` takes lines
    /// of JSON.
    ///
    /// # Errors
    ///
    /// Returns an error if the configuration is not valid or not safe, if a file cannot be used, if a
    /// model cannot be loaded, or if the address is taken.
    pub fn start(
        config: Config,
        device: &Device,
        log: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Self, Error> {
        config.check()?;
        let doorkeeper = Doorkeeper::new(&config.access, config.address.ip())?;
        let tls = config.access.tls.as_ref().map(tls::acceptor).transpose()?.map(Arc::new);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("serve")
            .build()
            .map_err(Error::Threads)?;
        let address = config.address;
        let listen = |source| Error::Listen { address, source };
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (log, metrics) = (Log::new(log), Arc::new(Metrics::new()));
        let loader = Loader {
            options: config.options,
            batching: config.batching,
            device: device.clone(),
            metrics: metrics.clone(),
            log: log.clone(),
        };
        // Before the models are loaded, so that a signal meanwhile is kept rather than deadly.
        let signals = runtime.block_on(async { signals::listen() }).map_err(Error::Threads)?;
        let models = Models::load(&config, &loader)?;
        let app = App::new(models, config.limits, config.batching, doorkeeper, metrics, log);
        let (app, viewed) = (Arc::new(app), None);
        Ok(Self { runtime, listener, address, config, loader, app, viewed, tls, signals })
    }

    /// Lets the viewer show a data set instead of films that are opened.
    ///
    /// # Errors
    ///
    /// Returns an error if its scores are of another model than the one that is served.
    pub fn show(mut self, viewed: Viewed) -> Result<Self, Error> {
        let served = self.app.models();
        if !served.all.iter().all(|model| model.identity == viewed.set.model) {
            return Err(Error::Replaced { scored: viewed.set.model });
        }
        self.viewed = Some(Arc::new(viewed));
        Ok(self)
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process gets SIGTERM or Ctrl-C, then finishes what was taken. SIGHUP loads the
    /// models again.
    ///
    /// # Errors
    ///
    /// Returns an error if the signals of the process cannot be listened to.
    pub fn run(self) -> Result<(), Error> {
        let Self { runtime, listener, address, config, loader, app, viewed, tls, mut signals } =
            self;
        runtime.block_on(async {
            let scheme = if tls.is_some() { "https" } else { "http" };
            let about = json!({ "url": format!("{scheme}://{address}") });
            app.log.write(Level::Info, "listening", about);
            let (stop, stopped) = watch::channel(false);
            let limits = config.limits;
            let router = router(app.clone(), viewed);
            let connections = Connections { router, tls, limits, stop: stopped };
            let room = Arc::new(Semaphore::new(limits.connections));
            let config = Arc::new(config);
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => welcome(stream, &connections, &room, &app),
                        Err(_) => tokio::time::sleep(PAUSE).await,
                    },
                    signal = signals.recv() => match signal {
                        Some(Signal::Reload) => start_reload(&app, &config, &loader),
                        Some(Signal::Stop) | None => break,
                    },
                }
            }
            drop(listener);
            app.is_stopping.store(true, Ordering::Relaxed);
            app.log.write(Level::Info, "stopping", json!({}));
            let _ = stop.send(true);
            // Each connection holds one permit.
            let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
            let ended = tokio::select! {
                ended = tokio::time::timeout(limits.stop_time, room.acquire_many(all)) => ended.is_ok(),
                // A second signal does not wait.
                _ = wait_for_stop(&mut signals) => false,
            };
            app.log.write(Level::Info, "stopped", json!({ "finished": ended }));
            Ok(())
        })?;
        // Threads that compute for requests without a client would otherwise be waited for.
        runtime.shutdown_background();
        Ok(())
    }
}

async fn wait_for_stop(signals: &mut mpsc::Receiver<Signal>) {
    while signals.recv().await.is_some_and(|signal| signal != Signal::Stop) {}
}

/// Serves a connection, or refuses it if there are too many.
fn welcome(stream: TcpStream, connections: &Connections, room: &Arc<Semaphore>, app: &Arc<App>) {
    let Ok(permit) = room.clone().try_acquire_owned() else {
        app.metrics.refusal("connections");
        // Nothing is said before a handshake.
        if connections.tls.is_none() {
            tokio::spawn(refuse(stream));
        }
        return;
    };
    // Answers are small and complete when they are sent.
    let _ = stream.set_nodelay(true);
    let (connections, app) = (connections.clone(), app.clone());
    app.metrics.connections.inc();
    tokio::spawn(async move {
        connections.serve(stream).await;
        app.metrics.connections.dec();
        drop(permit);
    });
}

/// Loads the models again on another thread, while the old ones answer.
fn start_reload(app: &Arc<App>, config: &Arc<Config>, loader: &Loader) {
    let (app, config, loader) = (app.clone(), config.clone(), loader.clone());
    tokio::task::spawn_blocking(move || {
        // One at a time; a signal during a reload asks for another one afterwards.
        let _one = app.reloading.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The log says of each model that stays why it was not loaded.
        if let Some(models) = reload(&config, &loader, &app.models()) {
            app.replace(models);
            app.log.write(Level::Info, "reloaded", json!({}));
        }
    });
}
