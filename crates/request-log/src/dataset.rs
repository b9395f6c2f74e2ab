//! Parquet datasets: one a deployment, partitioned by the UTC day of the record.
//!
//! ```text
//! datasets/<namespace>/<deployment>/day=YYYY-MM-DD/<name>.parquet
//! ```
//!
//! A file is immutable. It says in its metadata which segments it covers, and that is the whole state
//! of recovery: a record of a covered segment is never written a second time, and a file whose segments
//! another file of the same day covers too is left over from a merge. One row is one instance.

mod body;
mod catalogue;
mod coverage;
mod file;
mod layout;
mod place;
mod rows;

pub(crate) use catalogue::{Catalogue, LogFile, newest_epoch};
pub(crate) use coverage::{Coverage, SegmentRange};
pub(crate) use file::{FileReader, FileSummary, FileWriter, RowBounds};
#[cfg(test)]
pub(crate) use layout::ValueColumn;
pub(crate) use layout::{BODIES, ColumnType, Layout, LayoutBuilder, fixed, layout_of};
pub(crate) use place::{Dataset, Day, FileName, Partition, TEMPORARY_NAME};
pub(crate) use rows::{Projection, Rows, RowsOf, StreamPlace, micros, number_text, rows_of};
