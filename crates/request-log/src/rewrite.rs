//! Rewrites finished segments as files of the datasets.
//!
//! A batch of segments of one lane becomes one file for each dataset and day there are records of, one
//! after the other; when all are on the disk the segments go. A crash in between leaves some files and
//! all segments: what a file covers is then left out, so that nothing is written twice.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Error,
    dataset::{
        Dataset, Day, FileName, FileWriter, Layout, LayoutBuilder, LogFile, Partition, Projection, Rows, RowsOf,
        SegmentRange, rows_of,
    },
    datasets::{Datasets, Draft},
    segment::{Entry, SegmentName, SegmentReader, StoredPayload, StoredStream, decode_frame},
};

/// Frames are read in pieces of at most this many bytes, a longer frame on its own.
const PIECE: usize = 1 << 20;
/// Records that are turned into columns at once.
const RUN: usize = 256;
/// Frames of other datasets are read along if they are no longer than this.
const GAP: usize = 64 << 10;

/// A finished segment.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) name: SegmentName,
    pub(crate) path: PathBuf,
}

/// What a batch of segments holds, without the records themselves.
#[derive(Debug, Default)]
struct Contents {
    streams: Vec<Arc<StoredStream>>,
    groups: Vec<Group>,
    /// Indices of segments with frames that are whole but cannot be read.
    unreadable: Vec<usize>,
}

/// The records of one dataset and day.
#[derive(Debug)]
struct Group {
    partition: Partition,
    places: Vec<Place>,
    has_bodies: bool,
}

/// Where a record stands: which segment and stream of those at hand, and its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    pub(crate) length: u32,
    pub(crate) stream: u32,
}

/// Rewrites the segments, which are of one lane and in order, and removes them. Gives the files.
pub(crate) fn rewrite(datasets: &Datasets, segments: &[Segment]) -> Result<Vec<Arc<LogFile>>, Error> {
    let contents = Contents::read(datasets, segments)?;
    let mut files = Vec::new();
    for group in &contents.groups {
        files.extend(rewrite_group(datasets, segments, &contents.streams, group)?);
    }
    for (index, segment) in segments.iter().enumerate() {
        if contents.unreadable.contains(&index) {
            keep_aside(datasets, segment)?;
        } else {
            datasets.disk.remove(&segment.path)?;
        }
    }
    Ok(files)
}

/// A segment that holds what this version cannot read is not removed.
fn keep_aside(datasets: &Datasets, segment: &Segment) -> Result<(), Error> {
    let aside = segment.path.with_extension("unreadable");
    tracing::error!(path = %aside.display(), "a segment of the request log holds records that cannot be read: it is kept under another name");
    datasets.disk.rename(&segment.path, &aside)
}

pub(crate) fn open(path: &Path) -> Result<SegmentReader, Error> {
    SegmentReader::open(path).map_err(reading(path))
}

fn reading(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File { operation: "read", path: path.clone(), source }
}

impl Contents {
    fn read(datasets: &Datasets, segments: &[Segment]) -> Result<Self, Error> {
        let mut contents = Self::default();
        for (index, segment) in segments.iter().enumerate() {
            datasets.check_stop()?;
            contents.add(index, &open(&segment.path)?);
        }
        contents.groups.sort_by(|a, b| a.partition.cmp(&b.partition));
        Ok(contents)
    }

    fn add(&mut self, segment: usize, reader: &SegmentReader) {
        let index = |index: usize| u32::try_from(index).unwrap_or_default(); // A segment is shorter than 4 GiB.
        let mut records = reader.records();
        // Records of one stream and day mostly follow each other.
        let mut last: Option<(usize, Day, u32, usize)> = None;
        while let Some(Entry { offset, length, stream, record }) = records.next() {
            let day = Day::of(record.time);
            let (own, group) = match last {
                Some((of, last_day, own, group)) if of == stream && last_day == day => (own, group),
                _ => {
                    let stored = records.stream(stream);
                    let (own, group) = (index(self.stream_of(stored)), self.group_of(stored, day));
                    last = Some((stream, day, own, group));
                    (own, group)
                }
            };
            if rows_of(&record) > 0 {
                let group = &mut self.groups[group];
                group.has_bodies |= matches!(record.payload, StoredPayload::Text { .. });
                group.places.push(Place {
                    segment: index(segment),
                    stream: own,
                    offset: index(offset),
                    length: index(length),
                });
            }
        }
        if records.unreadable() > 0 {
            self.unreadable.push(segment);
        }
    }

    fn stream_of(&mut self, stream: &Arc<StoredStream>) -> usize {
        self.streams.iter().position(|known| known == stream).unwrap_or_else(|| {
            self.streams.push(Arc::clone(stream));
            self.streams.len() - 1
        })
    }

    fn group_of(&mut self, stream: &StoredStream, day: Day) -> usize {
        let is_it = |Group { partition, .. }: &Group| partition.day == day && partition.dataset.is_of(stream);
        self.groups.iter().position(is_it).unwrap_or_else(|| {
            let partition = Partition { dataset: Arc::new(Dataset::of(stream)), day };
            self.groups.push(Group { partition, places: Vec::new(), has_bodies: false });
            self.groups.len() - 1
        })
    }
}

/// Writes the file of one dataset and day, if the segments hold any record that no file has yet.
fn rewrite_group(
    datasets: &Datasets,
    segments: &[Segment],
    streams: &[Arc<StoredStream>],
    Group { partition, places, has_bodies }: &Group,
) -> Result<Option<Arc<LogFile>>, Error> {
    let covered = datasets.with(|catalogue| catalogue.coverage(partition))?;
    let is_new: Vec<bool> = segments.iter().map(|segment| !covered.contains(segment.name)).collect();
    let places: Vec<Place> = places.iter().filter(|place| is_new[place.segment as usize]).copied().collect();
    let mut new = segments.iter().zip(&is_new).filter(|(_, is_new)| **is_new).map(|(segment, _)| segment.name);
    let (false, Some(first)) = (places.is_empty(), new.next()) else { return Ok(None) };
    let last = new.next_back().unwrap_or(first);
    let range = SegmentRange { epoch: first.epoch, lane: first.lane, first: first.number, last: last.number };

    let layout = layout_for(streams, &places, *has_bodies);
    let mut rows = Rows::new(Arc::new(layout.clone()), Projection::all(&layout));
    let draft = Draft { partition, layout, covers: [range].into_iter().collect(), replaced: &[] };
    let name = |_: &_| FileName::Rewritten(range);
    datasets
        .publish(draft, name, |writer| write_rows(datasets, segments, streams, &places, &mut rows, writer))
        .map(Some)
}

fn layout_for(streams: &[Arc<StoredStream>], places: &[Place], has_bodies: bool) -> Layout {
    let mut layout = LayoutBuilder::default();
    let mut is_used = vec![false; streams.len()];
    places.iter().for_each(|place| is_used[place.stream as usize] = true);
    let used = streams.iter().zip(is_used).filter(|(_, is_used)| *is_used);
    used.for_each(|(stream, _)| layout.add_stream(stream));
    if has_bodies {
        layout.add_bodies();
    }
    layout.finish()
}

fn write_rows(
    datasets: &Datasets,
    segments: &[Segment],
    streams: &[Arc<StoredStream>],
    places: &[Place],
    rows: &mut Rows,
    writer: &mut FileWriter,
) -> Result<(), Error> {
    let stream_places: Vec<_> = streams.iter().map(|stream| rows.place(stream)).collect();
    let paths: Vec<_> = segments.iter().map(|segment| segment.path.as_path()).collect();
    for_each_run(&paths, streams, places, |stream, records| {
        let mut rest: &mut [RowsOf<'_>] = records;
        while !rest.is_empty() {
            if rows.room() == 0 {
                datasets.check_stop()?;
                writer.write_rows(rows)?;
            }
            rest = rows.append_as_fits(rest, &stream_places[stream]);
        }
        Ok(())
    })?;
    writer.write_rows(rows)
}

/// Reads the records at these places, which are in order, a piece of the file at a time, and gives runs
/// of records of one stream with all their rows.
pub(crate) fn for_each_run(
    segments: &[&Path],
    streams: &[Arc<StoredStream>],
    places: &[Place],
    mut act: impl FnMut(usize, &mut [RowsOf<'_>]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut buffer = Vec::new();
    for places in places.chunk_by(|a, b| a.segment == b.segment) {
        let path = segments[places[0].segment as usize];
        let file = File::open(path).map_err(reading(path))?;
        for piece in pieces(places) {
            let start = piece[0].offset;
            buffer.resize(end_of(&piece[piece.len() - 1]) - start as usize, 0);
            file.read_exact_at(&mut buffer, u64::from(start)).map_err(reading(path))?;
            let mut records = Vec::with_capacity(piece.len().min(RUN));
            for run in piece.chunk_by(|a, b| a.stream == b.stream).flat_map(|run| run.chunks(RUN)) {
                let stream = run[0].stream as usize;
                for place in run {
                    let frame = &buffer[(place.offset - start) as usize..][..place.length as usize];
                    let record = decode_frame(frame, &streams[stream]).ok_or_else(|| changed(path))?;
                    records.push(RowsOf::all(record));
                }
                act(stream, &mut records)?;
                records.clear();
            }
        }
    }
    Ok(())
}

fn changed(path: &Path) -> Error {
    Error::Foreign { path: path.to_owned(), reason: "its contents have changed".into() }
}

fn end_of(place: &Place) -> usize {
    place.offset as usize + place.length as usize
}

/// Cuts places of one segment into runs that are read at once.
fn pieces(places: &[Place]) -> impl Iterator<Item = &[Place]> {
    let mut rest = places;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let is_together = |index: usize| {
            let (before, place) = (&rest[index - 1], &rest[index]);
            end_of(place) - first.offset as usize <= PIECE
                && (place.offset as usize).saturating_sub(end_of(before)) <= GAP
        };
        let end = (1..rest.len()).find(|index| !is_together(*index)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}
