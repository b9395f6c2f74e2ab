//! One thread's way into the request log, with the streams it has met.

use std::{sync::Arc, time::Duration};

use provost_inference::{
    OutputShape, Schema,
    protocol::seldon::parse_names,
    record::{FEATURE_COLUMNS_MAX, Payload, Record, RecordLane, Stream, Timestamp},
};

use crate::{
    exchange::Exchange,
    feedback,
    routes::{Predictor, Routes},
};

/// Most sets of feature names a thread keeps for one predictor; others are logged by position.
const NAME_SETS_MAX: usize = 16;
/// Most names of classes in the feedback to one predictor; with more of them it is kept as text.
const LABELS_MAX: usize = 1000;
/// Longest name of a feature that becomes a column's name.
const NAME_MAX: usize = 256;

/// The names of one predictor's features, as requests gave them.
#[derive(Debug)]
struct NameSet {
    /// `data.names` as written; `None` for requests without names.
    raw: Option<Box<str>>,
    stream: Arc<Stream>,
    is_mismatch: bool,
}

/// The streams a thread has met, and its lane.
pub(crate) struct Records {
    lane: Option<Box<dyn RecordLane>>,
    /// By the predictor's slot.
    sets: Vec<PredictorSets>,
}

/// The sets of names of one predictor.
#[derive(Debug, Default)]
struct PredictorSets {
    /// Id of the predictor's own stream; another one in the same slot starts anew.
    stream: u64,
    sets: Vec<NameSet>,
    exchanges: Vec<ExchangeSet>,
    feedback: FeedbackStreams,
}

/// The streams of feedback: with classes by number, and by name.
#[derive(Debug, Default)]
struct FeedbackStreams {
    plain: Option<Arc<Stream>>,
    labelled: Option<Arc<Stream>>,
}

/// The columns of what a server is asked and answers.
#[derive(Debug)]
struct ExchangeSet {
    columns: usize,
    names: Option<Box<str>>,
    outputs: usize,
    output_names: Option<Box<str>>,
    stream: Arc<Stream>,
}

impl ExchangeSet {
    fn new(routes: &Routes, predictor: &Predictor, exchange: &Exchange<'_>) -> Self {
        let Exchange { columns, names, outputs, output_names, .. } = *exchange;
        let shape = if outputs == 1 { OutputShape::Vector } else { OutputShape::Matrix(outputs) };
        let stream = Stream {
            id: routes.next_stream(),
            features: column_names(names, columns, "x"),
            outputs: column_names(output_names, outputs, "t:"),
            output_shape: shape,
            ..predictor.stream.clone()
        };
        let [names, output_names] = [names, output_names].map(|names| names.map(Box::from));
        Self { columns, names, outputs, output_names, stream: Arc::new(stream) }
    }

    fn is_of(&self, exchange: &Exchange<'_>) -> bool {
        (self.columns, self.outputs) == (exchange.columns, exchange.outputs)
            && self.names.as_deref() == exchange.names
            && self.output_names.as_deref() == exchange.output_names
    }
}

/// Names as they were written, if each column can be named so; else by position.
fn column_names(raw: Option<&str>, columns: usize, prefix: &str) -> Vec<String> {
    let names = raw.map(parse_names).filter(|names| are_column_names(names, columns));
    names.unwrap_or_else(|| (0..columns).map(|index| format!("{prefix}{index}")).collect())
}

/// What a request adds to its record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) time: Timestamp,
    pub(crate) latency: Duration,
    pub(crate) status: u16,
    pub(crate) rows: usize,
}

impl Records {
    pub(crate) fn new(lane: Option<Box<dyn RecordLane>>) -> Self {
        Self { lane, sets: Vec::new() }
    }

    /// Appends a record. A loss is counted by the lane; the answer goes out all the same.
    pub(crate) fn append(&mut self, stream: &Stream, outcome: &Outcome<'_>, payload: Payload<'_>) {
        let Some(lane) = &mut self.lane else { return };
        let Outcome { request_id, time, latency, status, rows } = *outcome;
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let _lost = lane.append(&Record { stream, request_id, time, latency, status, rows, payload });
    }

    pub(crate) fn tick(&mut self, now: Timestamp) {
        if let Some(lane) = &mut self.lane {
            lane.tick(now);
        }
    }

    pub(crate) fn hand_over(&mut self) {
        if let Some(lane) = &mut self.lane {
            lane.hand_over();
        }
    }

    /// The stream for a request with these names, and whether the names are not the model's.
    pub(crate) fn stream(
        &mut self,
        routes: &Routes,
        predictor: &Predictor,
        (schema, names): (&Schema, Option<&str>),
    ) -> (Arc<Stream>, bool) {
        let sets = &mut self.of(predictor).sets;
        let index = sets.iter().position(|set| set.raw.as_deref() == names).unwrap_or_else(|| {
            if sets.len() >= NAME_SETS_MAX {
                // The last place is shared by all further sets, which are logged by position.
                sets.truncate(NAME_SETS_MAX - 1);
                sets.push(NameSet { raw: names.map(Box::from), ..name_set(routes, predictor, (schema, None)) });
            } else {
                sets.push(name_set(routes, predictor, (schema, names)));
            }
            sets.len() - 1
        });
        (Arc::clone(&sets[index].stream), sets[index].is_mismatch)
    }

    /// The stream for an exchange with a server; `None` where there are too many of other columns.
    pub(crate) fn stream_of(
        &mut self,
        routes: &Routes,
        predictor: &Predictor,
        exchange: &Exchange<'_>,
    ) -> Option<Arc<Stream>> {
        let sets = &mut self.of(predictor).exchanges;
        let known = sets.iter().find(|set| set.is_of(exchange)).map(|set| Arc::clone(&set.stream));
        if known.is_some() || sets.len() >= NAME_SETS_MAX {
            return known;
        }
        let set = ExchangeSet::new(routes, predictor, exchange);
        let stream = Arc::clone(&set.stream);
        sets.push(set);
        Some(stream)
    }

    /// The stream for feedback; with names of classes one that knows these and those that came before. `None` where they are
    /// too many.
    pub(crate) fn feedback_stream(
        &mut self,
        routes: &Routes,
        predictor: &Predictor,
        labels: Option<&[Box<str>]>,
    ) -> Option<Arc<Stream>> {
        let FeedbackStreams { plain, labelled } = &mut self.of(predictor).feedback;
        let Some(labels) = labels else {
            let new = || Arc::new(feedback::stream_of(predictor, routes.next_stream(), None));
            return Some(Arc::clone(plain.get_or_insert_with(new)));
        };
        let known = labelled.as_ref().map_or(&[][..], |stream| feedback::labels_of(stream));
        let mut all = known.to_vec();
        all.extend(labels.iter().filter(|label| !known.contains(label)).cloned());
        if all.len() > LABELS_MAX {
            return None;
        }
        if all.len() > known.len() {
            *labelled = Some(Arc::new(feedback::stream_of(predictor, routes.next_stream(), Some(&all))));
        }
        labelled.clone()
    }

    fn of(&mut self, predictor: &Predictor) -> &mut PredictorSets {
        if self.sets.len() <= predictor.slot {
            self.sets.resize_with(predictor.slot + 1, PredictorSets::default);
        }
        let of = &mut self.sets[predictor.slot];
        if of.stream != predictor.stream.id {
            *of = PredictorSets { stream: predictor.stream.id, ..PredictorSets::default() };
        }
        of
    }

    /// Forgets the streams of predictors that are no longer there.
    pub(crate) fn retain(&mut self, is_used: impl Fn(u64) -> bool) {
        self.sets.iter_mut().filter(|of| !is_used(of.stream)).for_each(|of| *of = PredictorSets::default());
    }
}

fn name_set(routes: &Routes, predictor: &Predictor, (schema, raw): (&Schema, Option<&str>)) -> NameSet {
    let own = &predictor.stream;
    let names = raw.map(parse_names);
    let is_mismatch = match (&schema.feature_names, &names) {
        (Some(model), Some(request)) => !model.iter().map(AsRef::as_ref).eq(request.iter().map(String::as_str)),
        _ => false,
    };
    let mut stream = own.clone();
    stream.id = routes.next_stream();
    // Names never reorder columns: where the model has names, they are the names of its columns.
    if schema.feature_names.is_none()
        && let Some(names) = names.filter(|names| are_column_names(names, own.features.len()))
    {
        stream.features = names;
    }
    if stream.features.len() > FEATURE_COLUMNS_MAX {
        stream.features.clear();
    }
    NameSet { raw: raw.map(Box::from), stream: Arc::new(stream), is_mismatch }
}

/// Whether each column can be named so: one name each, none empty, too long or twice.
fn are_column_names(names: &[String], columns: usize) -> bool {
    let distinct: std::collections::HashSet<_> = names.iter().collect();
    names.len() == columns && distinct.len() == columns && names.iter().all(|name| (1..=NAME_MAX).contains(&name.len()))
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("sets", &self.sets).finish_non_exhaustive()
    }
}
