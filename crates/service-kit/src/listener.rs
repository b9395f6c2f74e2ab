//! One port, several threads: each serving thread runs its own connections on a runtime of its own,
//! so that a request never crosses threads.

mod answer;
mod connection;
mod in_time;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use tokio::{
    net::TcpListener,
    runtime::LocalOptions,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::JoinSet,
};

use self::connection::{BoxError, Connection, Roster};
use crate::tls::TlsSource;

pub use self::in_time::InTime;

/// A connection is idle for too long after this many looks at it.
const LOOKS: u32 = 10;

/// A response of the data plane, or of everything else.
pub type Body = Either<Full<Bytes>, axum::body::Body>;

/// Limits of a listener.
#[derive(Debug, Clone)]
pub struct Options {
    /// Serving threads.
    pub threads: usize,
    /// Most connections at a time; more wait to be accepted.
    pub connections_max: usize,
    /// A request's head must have arrived after this long; so long may a connection be idle, and a client take nothing
    /// of its answer, too.
    pub head_timeout: Duration,
    /// Longest head of a request, in bytes.
    pub head_max: usize,
    /// How long requests in flight may take once the server stops.
    pub drain_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            connections_max: 10_000,
            head_timeout: Duration::from_secs(60),
            head_max: 32 << 10,
            drain_timeout: Duration::from_secs(20),
        }
    }
}

/// What a serving thread does with its requests. Made on the thread and never leaves it.
pub trait ThreadService: Clone + 'static {
    /// Answers a request. Never fails: errors are answers.
    fn call(&self, request: Request<Incoming>) -> impl Future<Output = Response<Body>>;

    /// Runs beside the requests until the thread ends.
    fn background(&self) -> impl Future<Output = ()>;
}

/// A listener that serves.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Handle {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests in flight finish within the drain time, and ends the threads.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let joined = tokio::task::spawn_blocking(move || {
            self.threads.into_iter().filter_map(|thread| thread.join().err()).count()
        });
        match joined.await {
            Ok(0) => {}
            Ok(panicked) => tracing::error!(panicked, "serving threads ended by a panic"),
            Err(error) => tracing::error!(%error, "cannot wait for the serving threads"),
        }
    }
}

/// A connection on its way to a thread.
type Accepted = (std::net::TcpStream, OwnedSemaphorePermit);

/// Serves `listener` on threads of its own; `make` makes each thread's service, on that thread.
///
/// Call it within a runtime, which accepts connections.
pub fn serve<S: ThreadService>(
    listener: std::net::TcpListener,
    options: &Options,
    tls: Option<TlsSource>,
    make: impl Fn() -> S + Send + Sync + 'static,
) -> io::Result<Handle> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (stop, stopped) = watch::channel(false);
    let make = Arc::new(make);
    let mut threads = Vec::new();
    let mut queues = Vec::new();
    for index in 0..options.threads.max(1) {
        let (sender, receiver) = mpsc::channel(64);
        let load = Arc::new(AtomicUsize::new(0));
        let thread = Thread {
            accepted: receiver,
            load: Arc::clone(&load),
            stopped: stopped.clone(),
            options: options.clone(),
            tls: tls.clone(),
        };
        let make = Arc::clone(&make);
        threads.push(std::thread::Builder::new().name(format!("serve-{index}")).spawn(move || thread.run(&*make))?);
        queues.push((sender, load));
    }
    tokio::spawn(accept(listener, queues, options.connections_max, stopped));
    Ok(Handle { address, stop, threads })
}

/// Hands each connection to the thread with the fewest.
async fn accept(
    listener: TcpListener,
    queues: Vec<(mpsc::Sender<Accepted>, Arc<AtomicUsize>)>,
    connections_max: usize,
    mut stopped: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(connections_max));
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((listener.accept().await, slot))
        };
        let (accepted, slot) = tokio::select! {
            Some(next) = next => next,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let stream = match accepted.and_then(|(stream, _peer)| stream.into_std()) {
            Ok(stream) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: connections that end will free some.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some((queue, load)) = queues.iter().min_by_key(|(_, load)| load.load(Ordering::Relaxed)) else { return };
        load.fetch_add(1, Ordering::Relaxed);
        if queue.send((stream, slot)).await.is_err() {
            tracing::error!("a serving thread is gone");
            return;
        }
    }
}

struct Thread {
    accepted: mpsc::Receiver<Accepted>,
    load: Arc<AtomicUsize>,
    stopped: watch::Receiver<bool>,
    options: Options,
    tls: Option<TlsSource>,
}

impl Thread {
    fn run<S: ThreadService>(self, make: &dyn Fn() -> S) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
            Ok(runtime) => runtime.block_on(self.serve(make)),
            Err(error) => tracing::error!(%error, "cannot start a serving thread"),
        }
    }

    async fn serve<S: ThreadService>(self, make: &dyn Fn() -> S) {
        let Self { mut accepted, load, mut stopped, options, tls } = self;
        let roster = Roster::default();
        let mut look = tokio::time::interval(look_every(options.head_timeout));
        let service = make();
        let background = service.clone();
        let mut background = tokio::task::spawn_local(async move { background.background().await });
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some((stream, slot)) = accepted.recv() => {
                    let (options, service) = (options.clone(), service.clone());
                    let connection = Connection { options, service, roster: roster.clone() };
                    connections.spawn_local(counted(connection.serve(stream, tls.clone()), Arc::clone(&load), slot));
                }
                Some(_ended) = connections.join_next(), if !connections.is_empty() => {}
                _ = look.tick() => roster.expire(),
                _ = stopped.wait_for(|stopped| *stopped) => break,
                else => break,
            }
        }
        roster.drain();
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(options.drain_timeout, drained).await.is_err() {
            tracing::warn!(connections = connections.len(), "requests did not finish in time and are dropped");
        }
        background.abort();
        // The task's part of the service has to be gone before the thread's log lane can end.
        let _aborted = (&mut background).await;
    }
}

/// How often to look for connections that have been idle for `timeout`: one ends up to a tenth later.
fn look_every(timeout: Duration) -> Duration {
    (timeout / LOOKS).max(Duration::from_millis(10))
}

/// Runs a connection, and gives its place free when it ends.
async fn counted(
    connection: impl Future<Output = Result<(), BoxError>>,
    load: Arc<AtomicUsize>,
    slot: OwnedSemaphorePermit,
) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended with an error");
    }
    load.fetch_sub(1, Ordering::Relaxed);
    drop(slot);
}

#[cfg(test)]
mod tests;
