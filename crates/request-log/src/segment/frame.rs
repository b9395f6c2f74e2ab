//! The bytes of a frame's payload: a stream's description or a record.

use provost_inference::{
    OutputKind, OutputShape,
    record::{Payload, Record, Stream, Timestamp},
};
use serde::{Deserialize, Serialize};

/// Bytes before the payload of a frame: length and checksum.
pub(super) const HEADER: usize = 8;
/// Bytes of a record before its request id.
const RECORD_FIXED: usize = 40;
/// Longest request id; the gateway takes no longer one.
const REQUEST_ID_MAX: usize = 256;

const STREAM: u8 = 1;
const VALUES: u8 = 2;
const TEXT: u8 = 3;
const FAILED: u8 = 4;

/// Length of the whole frame of a payload, with its padding.
pub(super) fn frame_length(payload: usize) -> usize {
    (HEADER + payload).next_multiple_of(8)
}

/// Where the bytes of a frame go.
pub(super) struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// A writer at the start of `buffer`, which must be long enough for the frame.
    pub(super) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, at: HEADER }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.buffer[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn put_floats(&mut self, values: &[f64]) {
        let target = &mut self.buffer[self.at..self.at + values.len() * 8];
        for (place, value) in target.as_chunks_mut::<8>().0.iter_mut().zip(values) {
            *place = value.to_le_bytes();
        }
        self.at += values.len() * 8;
    }

    /// Writes checksum and length, which makes the frame part of the segment.
    fn finish(self) {
        let length = self.at - HEADER;
        let crc = crc32c::crc32c(&self.buffer[HEADER..self.at]);
        self.buffer[4..HEADER].copy_from_slice(&crc.to_le_bytes());
        // A frame is shorter than its segment, whose length is checked to fit.
        let length = u32::try_from(length).unwrap_or(0);
        self.buffer[..4].copy_from_slice(&length.to_le_bytes());
    }
}

/// The id as it is kept.
fn kept_id<'a>(record: &Record<'a>) -> &'a str {
    let id = record.request_id;
    &id[..id.floor_char_boundary(REQUEST_ID_MAX)]
}

/// Payload length of a record.
pub(super) fn record_length(record: &Record<'_>) -> usize {
    let payload = match record.payload {
        Payload::Values { inputs, outputs } => (inputs.len() + outputs.len()) * 8,
        Payload::Text { request, response } => 4 + request.len() + response.len(),
        Payload::Failed { reason } => reason.len(),
    };
    RECORD_FIXED + kept_id(record).len() + payload
}

/// Writes a record's frame.
pub(super) fn write_record(record: &Record<'_>, seq: u64, mut writer: Writer<'_>) {
    let kind = match record.payload {
        Payload::Values { .. } => VALUES,
        Payload::Text { .. } => TEXT,
        Payload::Failed { .. } => FAILED,
    };
    let request_id = kept_id(record);
    let id_length = u16::try_from(request_id.len()).unwrap_or_default();
    let latency = u64::try_from(record.latency.as_nanos()).unwrap_or(u64::MAX);
    writer.put(&[kind, 0]);
    writer.put(&record.status.to_le_bytes());
    writer.put(&record.rows.to_le_bytes());
    writer.put(&record.stream.id.to_le_bytes()[..6]);
    writer.put(&id_length.to_le_bytes());
    writer.put(&seq.to_le_bytes());
    writer.put(&record.time.0.to_le_bytes());
    writer.put(&latency.to_le_bytes());
    writer.put(request_id.as_bytes());
    match record.payload {
        Payload::Values { inputs, outputs } => {
            writer.put_floats(inputs);
            writer.put_floats(outputs);
        }
        Payload::Text { request, response } => {
            writer.put(&u32::try_from(request.len()).unwrap_or(u32::MAX).to_le_bytes());
            writer.put(request);
            writer.put(response);
        }
        Payload::Failed { reason } => writer.put(reason.as_bytes()),
    }
    writer.finish();
}

/// Writes a stream's frame from its encoded description.
pub(super) fn write_stream(encoded: &[u8], mut writer: Writer<'_>) {
    writer.put(&[STREAM]);
    writer.put(encoded);
    writer.finish();
}

/// The description of a stream as its frame holds it.
pub(super) fn encode_stream(stream: &Stream) -> Vec<u8> {
    let kind = match &stream.output_kind {
        OutputKind::Float => StoredKind::Float,
        OutputKind::Integer => StoredKind::Integer,
        OutputKind::Boolean => StoredKind::Boolean,
        OutputKind::Label(labels) => StoredKind::Label(labels.iter().map(|label| label.clone().into()).collect()),
    };
    let stored = StoredStream {
        id: stream.id,
        namespace: stream.namespace.clone(),
        deployment: stream.deployment.clone(),
        predictor: stream.predictor.clone(),
        revision: stream.revision.clone(),
        features: stream.features.clone(),
        outputs: stream.outputs.clone(),
        is_vector: stream.output_shape == OutputShape::Vector,
        kind,
    };
    // A struct of texts and numbers always encodes.
    serde_json::to_vec(&stored).unwrap_or_default()
}

/// A stream as it is found in a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredStream {
    /// Identity within the process that wrote it.
    pub id: u64,
    /// Namespace of the deployment.
    pub namespace: String,
    /// Name of the deployment.
    pub deployment: String,
    /// Name of the predictor.
    pub predictor: String,
    /// Revision of the predictor.
    pub revision: String,
    /// Names of the features.
    pub features: Vec<String>,
    /// Names of the outputs.
    pub outputs: Vec<String>,
    /// Whether the output has one dimension.
    pub is_vector: bool,
    kind: StoredKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum StoredKind {
    Float,
    Integer,
    Boolean,
    Label(Vec<String>),
}

impl StoredStream {
    /// How output values are to be read.
    pub fn output_kind(&self) -> OutputKind {
        match &self.kind {
            StoredKind::Float => OutputKind::Float,
            StoredKind::Integer => OutputKind::Integer,
            StoredKind::Boolean => OutputKind::Boolean,
            StoredKind::Label(labels) => OutputKind::Label(labels.iter().map(|l| l.as_str().into()).collect()),
        }
    }
}

/// A record as it is found in a segment, borrowing from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord<'a> {
    /// Place in the order of the log.
    pub seq: u64,
    /// When the request was answered.
    pub time: Timestamp,
    /// How long the answer took, in nanoseconds.
    pub latency: u64,
    /// HTTP status.
    pub status: u16,
    /// Number of instances.
    pub rows: u32,
    /// The request's id.
    pub request_id: &'a str,
    /// Inputs and outputs.
    pub payload: StoredPayload<'a>,
}

/// Payload of a stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredPayload<'a> {
    /// Little-endian `f64`s, row-major.
    Values {
        /// `rows × features` values.
        inputs: &'a [[u8; 8]],
        /// `rows × outputs` values.
        outputs: &'a [[u8; 8]],
    },
    /// The bodies as they were.
    Text {
        /// Request body.
        request: &'a [u8],
        /// Response body.
        response: &'a [u8],
    },
    /// Why the request failed.
    Failed {
        /// The message the caller got.
        reason: &'a str,
    },
}

/// What a frame's payload holds.
pub(super) enum Decoded<'a> {
    Stream(StoredStream),
    Record(RawRecord<'a>),
}

/// A record whose stream is not looked up yet.
pub(super) struct RawRecord<'a> {
    pub(super) stream: u64,
    kind: u8,
    status: u16,
    rows: u32,
    seq: u64,
    time: i64,
    latency: u64,
    request_id: &'a str,
    rest: &'a [u8],
}

/// Reads a frame's payload; `None` where it is not one of ours.
pub(super) fn decode(payload: &[u8]) -> Option<Decoded<'_>> {
    match payload.split_first()? {
        (&STREAM, encoded) => serde_json::from_slice(encoded).ok().map(Decoded::Stream),
        (&(VALUES | TEXT | FAILED), _) => decode_record(payload).map(Decoded::Record),
        _ => None,
    }
}

fn decode_record(payload: &[u8]) -> Option<RawRecord<'_>> {
    let (fixed, rest) = payload.split_at_checked(RECORD_FIXED)?;
    let mut stream = [0; 8];
    stream[..6].copy_from_slice(fixed.get(8..14)?);
    let u64_at = |at: usize| Some(u64::from_le_bytes(*fixed.get(at..)?.first_chunk()?));
    let id_length = usize::from(u16::from_le_bytes([fixed[14], fixed[15]]));
    let (id, rest) = rest.split_at_checked(id_length)?;
    Some(RawRecord {
        kind: fixed[0],
        status: u16::from_le_bytes([fixed[2], fixed[3]]),
        rows: u32::from_le_bytes(*fixed.get(4..)?.first_chunk()?),
        stream: u64::from_le_bytes(stream),
        seq: u64_at(16)?,
        time: u64_at(24)?.cast_signed(),
        latency: u64_at(32)?,
        request_id: std::str::from_utf8(id).ok()?,
        rest,
    })
}

impl<'a> RawRecord<'a> {
    /// The whole record; `None` where its payload does not fit its stream.
    pub(super) fn resolve(&self, stream: &StoredStream) -> Option<StoredRecord<'a>> {
        let payload = match self.kind {
            VALUES => {
                let (values, []) = self.rest.as_chunks::<8>() else { return None };
                let rows = self.rows as usize;
                let inputs = rows.checked_mul(stream.features.len())?;
                let (inputs, outputs) = values.split_at_checked(inputs)?;
                (outputs.len() == rows.checked_mul(stream.outputs.len())?).then_some(())?;
                StoredPayload::Values { inputs, outputs }
            }
            TEXT => {
                let (length, bodies) = self.rest.split_first_chunk::<4>()?;
                let (request, response) = bodies.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                StoredPayload::Text { request, response }
            }
            _ => StoredPayload::Failed { reason: std::str::from_utf8(self.rest).ok()? },
        };
        Some(StoredRecord {
            seq: self.seq,
            time: Timestamp(self.time),
            latency: self.latency,
            status: self.status,
            rows: self.rows,
            request_id: self.request_id,
            payload,
        })
    }
}
