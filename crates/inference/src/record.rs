//! The request-log record, and the ports through which it is written and read.
//!
//! A serving thread holds one [`RecordLane`] and appends to it before the first byte of a response
//! goes out; it never waits for another thread. Detectors, explainers and jobs read columns through
//! [`LogReader`] and know no store.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use xxhash_rust::xxh3::Xxh3Default;

use crate::{OutputKind, OutputShape};

/// Above this many features a record keeps the payload as one column instead of one a feature.
pub const FEATURE_COLUMNS_MAX: usize = 1024;

/// Nanoseconds since the Unix epoch. Records are ordered by `seq`; this is for people and retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Where records come from and how their values are named: one revision of one predictor, with the
/// feature names in force. Made once, shared by all its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Unique within this process; never 0.
    pub id: u64,
    /// Namespace of the deployment.
    pub namespace: String,
    /// Name of the deployment.
    pub deployment: String,
    /// Name of the predictor; empty for requests that failed before one was chosen.
    pub predictor: String,
    /// Revision of the predictor; empty likewise.
    pub revision: String,
    /// Names of the features, in column order.
    pub features: Vec<String>,
    /// Names of the outputs, in column order.
    pub outputs: Vec<String>,
    /// How output values are to be read.
    pub output_kind: OutputKind,
    /// Shape of the output over the rows of a request.
    pub output_shape: OutputShape,
}

/// The deployment under whose name the feedback to `deployment` is kept; no deployment can be called so.
pub fn feedback_of(deployment: &str) -> String {
    format!("{deployment}_feedback")
}

/// Names of the columns of feedback: how good the answer was, what should have been answered, and what was, where the
/// caller said it.
pub const FEEDBACK_COLUMNS: [&str; 3] = ["reward", "truth", "prediction"];

/// An id for instances with these feature values, by which feedback is told whose caller knows no request id. Missing values
/// are passed over.
pub fn instance_id(values: impl Iterator<Item = f64>) -> String {
    let mut hasher = Xxh3Default::new();
    // Of the two zeros one.
    values.filter(|value| !value.is_nan()).for_each(|value| hasher.update(&(value + 0.0).to_le_bytes()));
    format!("instance:{:016x}", hasher.digest())
}

/// What a request carried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Payload<'a> {
    /// `rows × stream.features` inputs and `rows × stream.outputs` outputs, row-major. NaN is a
    /// missing value.
    Values {
        /// Feature values.
        inputs: &'a [f64],
        /// Output values.
        outputs: &'a [f64],
    },
    /// The bodies as they were, where columns would be too many or do not apply.
    Text {
        /// Request body.
        request: &'a [u8],
        /// Response body.
        response: &'a [u8],
    },
    /// The request failed; why.
    Failed {
        /// The message the caller got.
        reason: &'a str,
    },
}

/// One request, as a serving thread hands it over.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Origin and names.
    pub stream: &'a Stream,
    /// The request's id (Seldon's puid), at most 256 bytes.
    pub request_id: &'a str,
    /// When the request was answered.
    pub time: Timestamp,
    /// How long the answer took.
    pub latency: Duration,
    /// HTTP status of the answer.
    pub status: u16,
    /// Number of instances; 1 for a failed request.
    pub rows: u32,
    /// Inputs and outputs.
    pub payload: Payload<'a>,
}

/// The record could not be kept; the answer goes out all the same and the loss is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request log cannot take the record")]
pub struct Lost;

/// One serving thread's way into the log. Never blocks on another thread.
pub trait RecordLane: Send {
    /// Keeps the record so that it survives the death of this process.
    fn append(&mut self, record: &Record<'_>) -> Result<(), Lost>;

    /// Called about once a second by the serving thread, so that records do not wait for ever for
    /// others to fill a segment.
    fn tick(&mut self, now: Timestamp);

    /// Leaves what was appended so far to those who send it on. Quick; called when somebody asks for it.
    fn hand_over(&mut self);
}

/// Opens lanes, one for each serving thread.
pub trait RecordSink: Send + Sync {
    /// A lane of its own for the calling thread.
    fn open_lane(&self) -> Box<dyn RecordLane>;
}

/// Columns of a query's answer; all of one length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    /// Names, as `request_id`, `x.<feature>` or `y.<output>`.
    pub names: Vec<String>,
    /// Values, one column for each name.
    pub columns: Vec<Column>,
}

/// Values of one column; `None` where a row has no value there.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Floating-point numbers.
    Float(Vec<Option<f64>>),
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Truth values.
    Boolean(Vec<Option<bool>>),
    /// Texts.
    Text(Vec<Option<Arc<str>>>),
}

impl Column {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Boolean(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which rows to read, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogQuery {
    /// Namespace of the deployment.
    pub namespace: String,
    /// Name of the deployment.
    pub deployment: String,
    /// Rows answered at or after this time.
    pub since: Option<Timestamp>,
    /// Rows answered before this time.
    pub until: Option<Timestamp>,
    /// Conditions on columns.
    pub filter: Option<crate::filter::Filter>,
    /// Only rows older than this position, as the answer before gave it.
    pub before: Option<Position>,
    /// At most this many rows.
    pub limit: usize,
}

/// A row's place in the order of the log. Sequence numbers order what one server wrote; where several did,
/// time comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When the request was answered, in microseconds since the Unix epoch; 0 in the log of one server.
    pub time: i64,
    /// Which server wrote it; 0 in the log of one server.
    pub source: u64,
    /// The request's sequence number.
    pub seq: u64,
    /// The row within it.
    pub row: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, source, seq, row } = self;
        write!(f, "{seq}-{row}")?;
        if (*time, *source) == (0, 0) { Ok(()) } else { write!(f, "-{:x}-{source:x}", time.cast_unsigned()) }
    }
}

/// The text is not one that [`Position`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the position is not one of the log")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let number = |text: &str| u64::from_str_radix(text, 16).map_err(|_| InvalidPosition);
        let parts: Vec<&str> = text.splitn(5, '-').collect();
        let (seq, row, time, source) = match parts[..] {
            [seq, row] => (seq, row, 0, 0),
            [seq, row, time, source] => (seq, row, number(time)?.cast_signed(), number(source)?),
            _ => return Err(InvalidPosition),
        };
        let seq = seq.parse().map_err(|_| InvalidPosition)?;
        Ok(Self { time, source, seq, row: row.parse().map_err(|_| InvalidPosition)? })
    }
}

/// A page of rows, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogPage {
    /// The rows.
    pub columns: Columns,
    /// Pass as [`LogQuery::before`] for the page after; `None` when there are no more rows.
    pub next: Option<Position>,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A condition does not fit the column.
    #[error("{0}")]
    Filter(String),
    /// The store could not be read.
    #[error("cannot read the request log")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads the log as columns. Blocking: call it from a thread that may wait.
pub trait LogReader: Send + Sync + fmt::Debug {
    /// A page of rows, newest first.
    fn page(&self, query: &LogQuery) -> Result<LogPage, ReadError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_instances_have_one_id() {
        let id = |values: &[f64]| instance_id(values.iter().copied());
        assert_eq!(id(&[1.0, f64::NAN, 0.0]), id(&[1.0, -0.0]));
        assert_ne!(id(&[1.0, 0.0]), id(&[0.0, 1.0]));
        assert_eq!(id(&[]).len(), "instance:".len() + 16);
    }

    #[test]
    fn positions_are_read_as_they_are_written() {
        let of_one = Position { time: 0, source: 0, seq: 1 << 40, row: 3 };
        let of_several = Position { time: -1, source: u64::MAX, seq: 7, row: u32::MAX };
        for (position, text) in
            [(of_one, "1099511627776-3"), (of_several, "7-4294967295-ffffffffffffffff-ffffffffffffffff")]
        {
            assert_eq!((position.to_string().as_str(), text.parse()), (text, Ok(position)));
        }
        for text in ["", "1", "1-", "1-2-3", "1-2-3-4-5", "1-2-g-4", "-1-2", "1-4294967296"] {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text}");
        }
    }
}
