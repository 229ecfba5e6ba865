//! The server on two loopback ports. Knows nothing of what is served.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::app::app;
use super::config::Config;
use super::signing;

/// Connections that may wait to be accepted: load runs start many at once.
const BACKLOG: u32 = 4096;

/// How long answers in flight may take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(1);

/// A server that is running. Dropping it stops it, too, without waiting for answers in flight.
#[derive(Debug)]
pub struct Running {
    public: SocketAddr,
    admin: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<io::Result<()>>; 2],
}

impl Running {
    /// Where the authorization server listens.
    #[must_use]
    pub const fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where the hooks for tests listen.
    #[must_use]
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Stops accepting, lets answers in flight finish, and is gone.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in &mut self.tasks {
            if timeout(GRACE, &mut *task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Serves on two loopback addresses; port 0 takes any free one.
///
/// # Errors
///
/// If an address is not loopback, or cannot be bound.
pub async fn start(config: Config, public: SocketAddr, admin: SocketAddr) -> io::Result<Running> {
    let (public_listener, admin_listener) = (listen(public)?, listen(admin)?);
    let (public, admin) = (public_listener.local_addr()?, admin_listener.local_addr()?);
    let app = app(config, &format!("http://{public}"));
    // Made in the background, so that neither start-up nor the first ID token waits for it.
    tokio::spawn(signing::keys());
    let (stop, stopped) = watch::channel(false);
    let tasks =
        [serve(public_listener, app.public, stopped.clone()), serve(admin_listener, app.admin, stopped)];
    Ok(Running { public, admin, stop, tasks })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "the reference server is for tests and listens on loopback only, not on {address}; use 127.0.0.1 or [::1]"
            ),
        ));
    }
    let describe = |error: io::Error| io::Error::new(error.kind(), format!("listen on {address}: {error}"));
    let socket =
        if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(describe)?;
    // As tokio's own listener does on Unix: a port that was in use a moment ago can be taken again.
    #[cfg(unix)]
    socket.set_reuseaddr(true).map_err(describe)?;
    socket.bind(address).map_err(describe)?;
    socket.listen(BACKLOG).map_err(describe)
}

fn serve(
    listener: TcpListener,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<io::Result<()>> {
    // Small answers must not wait for each other; a connection without the option still works.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move {
        let stop = async move {
            // An error means that nobody can ask any more.
            let _ = stopped.wait_for(|&stop| stop).await;
        };
        axum::serve(listener, service).with_graceful_shutdown(stop).await
    })
}
