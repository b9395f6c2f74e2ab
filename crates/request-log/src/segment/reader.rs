//! Reads a segment, be it finished, being written, or left by a process that died.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use super::frame::{Decoded, HEADER, RawRecord, StoredRecord, StoredStream, decode, frame_length};

/// How many bytes are read at once.
const PIECE: u64 = 256 << 10;

/// The bytes of a segment as far as they are written. Reading again sees what was appended since.
#[derive(Debug)]
pub struct SegmentReader {
    bytes: Vec<u8>,
}

/// A record, its stream, and where its frame stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Offset of the frame in the segment.
    pub offset: usize,
    /// Length of the frame without its padding.
    pub length: usize,
    /// Which of the [streams](Records::stream) so far the record belongs to.
    pub stream: usize,
    /// The record.
    pub record: StoredRecord<'a>,
}

impl SegmentReader {
    /// Reads the segment at `path`, as far as frames follow each other: a segment that is being written
    /// is much longer than that.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut bytes, mut at) = (Vec::new(), 0);
        while io::Read::by_ref(&mut file).take(PIECE).read_to_end(&mut bytes)? > 0 {
            while let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
                match u32::from_le_bytes(*length) {
                    0 => return Ok(Self { bytes }),
                    length => at += frame_length(length as usize),
                }
            }
        }
        Ok(Self { bytes })
    }

    /// The records in the order they were written, up to the first frame that is not whole.
    pub fn records(&self) -> Records<'_> {
        Records { bytes: &self.bytes, at: 0, streams: Vec::new(), last: 0, unreadable: 0 }
    }
}

/// Iterates over the records of a segment.
#[derive(Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    streams: Vec<Arc<StoredStream>>,
    /// The stream of the record before.
    last: usize,
    unreadable: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let offset = self.at;
            let payload = self.next_payload()?;
            match decode(payload) {
                Some(Decoded::Stream(stream)) => self.streams.push(Arc::new(stream)),
                Some(Decoded::Record(raw)) => match self.resolve(&raw) {
                    Some(record) => {
                        return Some(Entry { offset, length: HEADER + payload.len(), stream: self.last, record });
                    }
                    None => self.unreadable += 1,
                },
                None => self.unreadable += 1,
            }
        }
    }
}

impl<'a> Records<'a> {
    fn next_payload(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let payload = rest.get(..length).filter(|payload| !payload.is_empty())?;
        (crc32c::crc32c(payload) == u32::from_le_bytes(*crc)).then_some(())?;
        self.at += frame_length(length);
        Some(payload)
    }

    fn resolve(&mut self, raw: &RawRecord<'a>) -> Option<StoredRecord<'a>> {
        if self.streams.get(self.last).is_none_or(|stream| stream.id != raw.stream) {
            self.last = self.streams.iter().position(|stream| stream.id == raw.stream)?;
        }
        raw.resolve(&self.streams[self.last])
    }

    /// The stream that an entry names.
    pub fn stream(&self, index: usize) -> &Arc<StoredStream> {
        &self.streams[index]
    }

    /// How many frames so far were whole but not ones that this version can read. They are passed over.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Where the next frame would start: the length of what is whole, once the iterator has ended.
    pub fn offset(&self) -> usize {
        self.at
    }
}

/// Reads one frame that was found whole before.
pub(crate) fn decode_frame<'a>(frame: &'a [u8], stream: &StoredStream) -> Option<StoredRecord<'a>> {
    match decode(frame.get(HEADER..)?)? {
        Decoded::Record(raw) if raw.stream == stream.id => raw.resolve(stream),
        _ => None,
    }
}
