//! An answer on its way to its client, and how long the client has taken nothing of it.
//!
//! Whoever sends an answer takes its body piece by piece, as there is room for it: a body that nobody takes from waits for
//! its client, one that has nothing to give waits for its maker.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Either;
use hyper::body::{Body as _, Frame, SizeHint};

use super::{Body, LOOKS, connection::InFlight};

/// Longest piece of an answer: what is longer waits in part, so that it shows whether the client takes it.
const PIECE: usize = 64 << 10;
/// Rounds that are told apart: those that an answer may wait, the one it began in, and the one that is too many.
const ROUNDS: usize = LOOKS as usize + 2;

/// How many answers of a connection wait for the client, by the round in which each last gave something.
#[derive(Debug, Default)]
pub(super) struct Waiting([Cell<u32>; ROUNDS]);

impl Waiting {
    /// Whether one waits for more than [`LOOKS`] rounds at the beginning of this one.
    pub(super) fn is_any_too_long(&self, round: u64) -> bool {
        self.since(round + 1).get() > 0
    }

    fn since(&self, round: u64) -> &Cell<u32> {
        // The remainder is below the length, which is small.
        let index = usize::try_from(round % ROUNDS as u64).unwrap_or_default();
        &self.0[index]
    }

    fn add(&self, round: u64) {
        let count = self.since(round);
        count.set(count.get() + 1);
    }

    fn remove(&self, round: u64) {
        let count = self.since(round);
        count.set(count.get() - 1);
    }
}

/// A body; its request is in flight until it was sent or let go.
pub(super) struct Held {
    body: Body,
    /// What is left of a piece that was too long.
    rest: Option<Bytes>,
    /// The round since which it waits for the client, if it does.
    waits_since: Option<u64>,
    in_flight: InFlight,
}

impl Held {
    pub(super) fn new(body: Body, in_flight: InFlight) -> Self {
        let mut held = Self { body, rest: None, waits_since: None, in_flight };
        held.wait();
        held
    }

    fn wait(&mut self) {
        let round = self.in_flight.round();
        self.in_flight.waiting().add(round);
        self.waits_since = Some(round);
    }

    fn take(&mut self) {
        if let Some(round) = self.waits_since.take() {
            self.in_flight.waiting().remove(round);
        }
    }

    fn poll_whole(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(rest) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        match &mut self.body {
            Either::Left(whole) => Pin::new(whole).poll_frame(context).map_err(|never| match never {}),
            Either::Right(streamed) => Pin::new(streamed).poll_frame(context),
        }
    }

    /// At most a piece of what there is.
    fn cut(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(mut data) => {
                self.rest = (data.len() > PIECE).then(|| data.split_off(PIECE));
                Frame::data(data)
            }
            Err(frame) => frame,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.take();
    }
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.take();
        let polled = self.poll_whole(context);
        let Poll::Ready(Some(Ok(frame))) = polled else { return polled };
        self.wait();
        Poll::Ready(Some(Ok(self.cut(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.as_ref().map_or(0, |rest| rest.len() as u64));
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
