//! One connection: TLS where it is asked for, HTTP/1 or 2, and a graceful end.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::poll_fn,
    pin::{Pin, pin},
    rc::Rc,
    task::{Poll, Waker},
};

use hyper::{rt::Executor, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::{
    LOOKS, Options, ThreadService,
    answer::{Held, Waiting},
};
use crate::tls::TlsSource;

/// Looks at an expired connection after which it ends.
const ENDS: u32 = 2;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The connections of one thread: tells them to end after the request in flight, and ends those that
/// have none for too long, or whose client takes nothing of an answer for as long.
///
/// A connection looks at its flags when it is polled anyway and is woken when one is set, so that no timer
/// is set and nothing is locked for a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster(Rc<State>);

#[derive(Debug, Default)]
struct State {
    is_draining: Cell<bool>,
    /// Rounds of [`Roster::expire`] so far.
    round: Cell<u64>,
    next: Cell<u64>,
    members: RefCell<HashMap<u64, Rc<Member>>>,
}

/// One connection.
#[derive(Debug, Default)]
struct Member {
    waker: RefCell<Option<Waker>>,
    requests_in_flight: Cell<u32>,
    /// The round in which it last had a request in flight, or began.
    active: Cell<u64>,
    /// Looks since it had no request for too long: at the first it is asked to end, at the next it ends.
    expired: Cell<u32>,
    waiting: Waiting,
}

impl Roster {
    /// Tells all to end after the request in flight.
    pub(super) fn drain(&self) {
        self.0.is_draining.set(true);
        self.0.members.borrow().values().for_each(|member| member.wake());
    }

    /// Ends those that had no request in flight for [`LOOKS`] calls of this, or whose client took nothing of an answer.
    pub(super) fn expire(&self) {
        let round = self.0.round.get() + 1;
        self.0.round.set(round);
        for member in self.0.members.borrow().values() {
            if member.waiting.is_any_too_long(round) {
                member.expired.set(ENDS);
                member.wake();
            } else if member.requests_in_flight.get() > 0 {
                member.active.set(round);
            } else if round.saturating_sub(member.active.get()) > u64::from(LOOKS) {
                member.expired.set(member.expired.get() + 1);
                member.wake();
            }
        }
    }

    fn join(&self) -> Place {
        let id = self.0.next.replace(self.0.next.get() + 1);
        let member = Rc::new(Member { active: Cell::new(self.0.round.get()), ..Member::default() });
        self.0.members.borrow_mut().insert(id, Rc::clone(&member));
        Place { roster: self.clone(), id, member }
    }
}

impl Member {
    /// Wakes the connection's task: the same for as long as it lives, as is its waker.
    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// A connection's place among those of its thread.
#[derive(Debug)]
struct Place {
    roster: Roster,
    id: u64,
    member: Rc<Member>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.roster.0.members.borrow_mut().remove(&self.id);
    }
}

/// A request in flight.
pub(super) struct InFlight(Rc<Member>, Roster);

impl InFlight {
    fn enter(place: &Place) -> Self {
        let member = &place.member;
        member.requests_in_flight.set(member.requests_in_flight.get() + 1);
        Self(Rc::clone(member), place.roster.clone())
    }

    /// The round it is.
    pub(super) fn round(&self) -> u64 {
        self.1.0.round.get()
    }

    /// The connection's answers that wait for the client.
    pub(super) fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.requests_in_flight.set(self.0.requests_in_flight.get() - 1);
        self.0.active.set(self.1.0.round.get());
    }
}

/// What a connection needs to be served.
#[derive(Debug)]
pub(super) struct Connection<S> {
    pub(super) options: Options,
    pub(super) service: S,
    pub(super) roster: Roster,
}

impl<S: ThreadService> Connection<S> {
    /// Serves it to its end.
    pub(super) async fn serve(self, stream: std::net::TcpStream, tls: Option<TlsSource>) -> Result<(), BoxError> {
        stream.set_nodelay(true)?;
        let stream = TcpStream::from_std(stream)?;
        match tls {
            None => self.serve_http(stream).await,
            Some(source) => {
                let accepting = TlsAcceptor::from(source.current()).accept(stream);
                let stream = tokio::time::timeout(self.options.head_timeout, accepting).await??;
                self.serve_http(stream).await
            }
        }
    }

    async fn serve_http(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<(), BoxError> {
        let Self { options, service, roster } = self;
        let builder = builder(&options);
        let place = Rc::new(roster.join());
        let entered = Rc::clone(&place);
        let answer = service_fn(move |request| {
            let (service, in_flight) = (service.clone(), InFlight::enter(&entered));
            async move {
                let response = service.call(request).await;
                Ok::<_, std::convert::Infallible>(response.map(|body| Held::new(body, in_flight)))
            }
        });
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
        let mut is_ending = false;
        let mut is_registered = false;
        poll_fn(|context| {
            if !is_registered {
                place.member.waker.replace(Some(context.waker().clone()));
                is_registered = true;
            }
            let expired = place.member.expired.get();
            if expired >= ENDS {
                return Poll::Ready(Ok(()));
            }
            if !is_ending && (expired == 1 || roster.0.is_draining.get()) {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            Future::poll(Pin::as_mut(&mut connection), context)
        })
        .await
    }
}

fn builder(options: &Options) -> auto::Builder<LocalExecutor> {
    let mut builder = auto::Builder::new(LocalExecutor);
    builder
        .http1()
        // The roster ends connections whose requests do not come.
        .header_read_timeout(None)
        // Without this, the connection is read for its end while a request is answered, with a new buffer
        // each time. An answer that nobody waits for any more is short, or ends by its own time limit.
        .half_close(true)
        // Answers are short: one buffer is cheaper to send than two.
        .writev(false)
        .max_buf_size(options.head_max.max(64 << 10));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(options.head_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(256)
        .keep_alive_interval(Some(options.head_timeout));
    builder
}

/// Runs what HTTP/2 spawns on the connection's own thread.
#[derive(Debug, Clone, Copy)]
struct LocalExecutor;

impl<F> Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
