//! Segments: the durable form a record takes before its answer goes out.
//!
//! A segment belongs to one serving thread (its *lane*). It is a file of preallocated length that is
//! mapped into memory; an append copies a frame into the mapping, which the kernel keeps when the
//! process dies. Frames are `length u32 · CRC-32C u32 · payload`, aligned to 8 bytes, all numbers
//! little-endian; a length of 0 or a wrong checksum is the end. A segment describes itself: the streams
//! its records belong to stand in it as frames of their own, each before its first record.

mod frame;
mod lane;
mod mapping;
mod reader;

pub use frame::{StoredPayload, StoredRecord, StoredStream};
pub use lane::{Lane, Layout};
pub(crate) use lane::{Shared, path_of};
pub(crate) use reader::decode_frame;
pub use reader::{Entry, SegmentReader};

use std::{fmt, path::Path};

/// Names a segment: `<epoch>-<lane>-<number>.segment`. The epoch counts starts of the server, so that
/// names are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName {
    /// Start of the server it was written in, from 1.
    pub epoch: u32,
    /// Serving thread, from 0.
    pub lane: u16,
    /// Position within the lane, from 0.
    pub number: u32,
}

impl SegmentName {
    /// The name of the segment at `path`, if it is one.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".segment")?;
        let mut parts = name.split('-');
        let (epoch, lane, number) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(())?;
        let own = Self { epoch: epoch.parse().ok()?, lane: lane.parse().ok()?, number: number.parse().ok()? };
        // Spelt otherwise it would not be found again by its name.
        path.ends_with(own.to_string()).then_some(own)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}-{:03}-{:08}.segment", self.epoch, self.lane, self.number)
    }
}

#[cfg(test)]
mod tests;
