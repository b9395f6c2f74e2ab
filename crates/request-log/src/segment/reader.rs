//! Reads a segment, be it finished, being written, or left by a process that died.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use super::frame::{Decoded, HEADER, StoredRecord, StoredStream, decode, frame_length};

/// How many bytes are read at once.
const PIECE: u64 = 256 << 10;

/// The bytes of a segment as far as they are written. Reading again sees what was appended since.
#[derive(Debug)]
pub struct SegmentReader {
    bytes: Vec<u8>,
}

/// A record and where its frame starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// Offset of the frame in the segment.
    pub offset: usize,
    /// Length of the frame without its padding.
    pub length: usize,
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
        Records { bytes: &self.bytes, at: 0, streams: HashMap::new(), unreadable: 0 }
    }
}

/// Iterates over the records of a segment.
#[derive(Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    streams: HashMap<u64, Arc<StoredStream>>,
    unreadable: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let offset = self.at;
            let payload = self.next_payload()?;
            match decode(payload) {
                Some(Decoded::Stream(stream)) => {
                    self.streams.insert(stream.id, Arc::new(stream));
                }
                Some(Decoded::Record(raw)) => match self.streams.get(&raw.stream).and_then(|stream| raw.resolve(stream)) {
                    Some(record) => return Some(Entry { offset, length: HEADER + payload.len(), record }),
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
pub(crate) fn decode_frame<'a>(frame: &'a [u8], stream: &Arc<StoredStream>) -> Option<StoredRecord<'a>> {
    match decode(frame.get(HEADER..)?)? {
        Decoded::Record(raw) if raw.stream == stream.id => raw.resolve(stream),
        _ => None,
    }
}
