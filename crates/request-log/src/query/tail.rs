//! The segments that are not yet rewritten.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    Error,
    dataset::{Dataset, Day, Layout, LogFile, layout_of},
    rewrite::open,
    segment::{Entry, SegmentName, SegmentReader, StoredPayload, StoredStream},
};

/// What a segment holds of a dataset.
#[derive(Debug, Clone)]
struct Part {
    dataset: Dataset,
    layouts: Vec<Layout>,
    first_seq: i64,
    last_seq: i64,
}

/// What a segment holds.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    parts: Vec<Part>,
}

/// Summaries of finished segments, which do not change.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    summaries: Mutex<HashMap<SegmentName, Arc<Summary>>>,
}

/// A segment as a query sees it.
#[derive(Debug)]
pub(crate) struct TailSegment {
    pub(crate) path: PathBuf,
    summary: Arc<Summary>,
    /// The days whose records are in a file already.
    covered: HashSet<Day>,
}

impl Tail {
    /// The segments, which are in order, with what they hold. `active` are still being written.
    pub(crate) fn read(
        &self,
        segments: &[(SegmentName, PathBuf)],
        active: &HashSet<SegmentName>,
    ) -> Result<Vec<(SegmentName, TailSegment)>, Error> {
        let mut kept = HashMap::new();
        let mut tail = Vec::with_capacity(segments.len());
        for (name, path) in segments {
            let known = self.summaries().get(name).cloned();
            let summary = match known {
                Some(summary) => summary,
                None => Arc::new(Summary::of(&open(path)?)),
            };
            if !active.contains(name) {
                kept.insert(*name, Arc::clone(&summary));
            }
            tail.push((*name, TailSegment { path: path.clone(), summary, covered: HashSet::new() }));
        }
        *self.summaries() = kept;
        Ok(tail)
    }

    fn summaries(&self) -> std::sync::MutexGuard<'_, HashMap<SegmentName, Arc<Summary>>> {
        self.summaries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Summary {
    fn of(reader: &SegmentReader) -> Self {
        let mut summary = Self::default();
        // The part of each stream.
        let mut parts: Vec<usize> = Vec::new();
        let mut records = reader.records();
        while let Some(Entry { stream, record, .. }) = records.next() {
            while parts.len() <= stream {
                let part = summary.part_of(records.stream(parts.len()));
                parts.push(part);
            }
            let part = &mut summary.parts[parts[stream]];
            let seq = record.seq.cast_signed();
            part.first_seq = part.first_seq.min(seq);
            part.last_seq = part.last_seq.max(seq);
            if matches!(record.payload, StoredPayload::Text { .. }) {
                part.layouts[0].has_bodies = true;
            }
        }
        summary
    }

    fn part_of(&mut self, stream: &StoredStream) -> usize {
        let index = self.parts.iter().position(|part| part.dataset.is_of(stream)).unwrap_or_else(|| {
            let dataset = Dataset::of(stream);
            self.parts.push(Part {
                dataset,
                layouts: vec![Layout::default()],
                first_seq: i64::MAX,
                last_seq: i64::MIN,
            });
            self.parts.len() - 1
        });
        let layout = layout_of(stream);
        if !self.parts[index].layouts.contains(&layout) {
            self.parts[index].layouts.push(layout);
        }
        index
    }
}

impl TailSegment {
    /// Leaves out what the files, which are of one dataset, hold of the segment.
    pub(crate) fn cover(&mut self, name: SegmentName, files: &[Arc<LogFile>]) {
        let covering = files.iter().filter(|file| file.covers.contains(name));
        self.covered = covering.map(|file| file.partition.day).collect();
    }

    pub(super) fn is_covered(&self, day: Day) -> bool {
        self.covered.contains(&day)
    }

    fn part(&self, dataset: &Dataset) -> Option<&Part> {
        self.summary.parts.iter().find(|part| part.dataset == *dataset)
    }

    pub(super) fn holds(&self, dataset: &Dataset) -> bool {
        self.part(dataset).is_some()
    }

    pub(super) fn layouts(&self, dataset: &Dataset) -> &[Layout] {
        self.part(dataset).map(|part| part.layouts.as_slice()).unwrap_or_default()
    }

    /// First and last sequence number of the dataset in the segment. More may follow while it is being
    /// written, but those came after the query.
    pub(super) fn bounds(&self, dataset: &Dataset) -> Option<(i64, i64)> {
        self.part(dataset).map(|part| (part.first_seq, part.last_seq))
    }
}
