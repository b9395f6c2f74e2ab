//! One Parquet file: how it is written, and what it says about itself.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use bytes::Bytes;
use parquet::{
    arrow::{
        ARROW_SCHEMA_META_KEY, ArrowWriter, ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
        },
        arrow_writer::ArrowWriterOptions,
        encode_arrow_schema,
    },
    basic::{Compression, Encoding},
    bloom_filter::Sbbf,
    errors::ParquetError,
    file::{
        metadata::{KeyValue, PageIndexPolicy, ParquetMetaData},
        properties::{EnabledStatistics, WriterProperties},
        reader::{ChunkReader, Length},
    },
    schema::types::ColumnPath,
};
use serde::{Deserialize, Serialize};

use super::{Coverage, Layout, Rows, fixed};
use crate::{
    Error,
    disk::{Disk, NewFile},
};

/// Rows of a row group.
pub(crate) const GROUP_ROWS: usize = 32 * 1024;
/// A row group ends early at this many bytes.
const GROUP_BYTES: usize = 16 << 20;
/// Rows of a page: what is decoded at once when few rows are read.
const PAGE_ROWS: usize = 8192;
/// Rows that are read at once, and about how many bytes these may take.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 4 << 20;
/// Of how many absent request ids one looks present.
const FALSE_POSITIVES: f64 = 0.01;

/// How much of a column tells whether it is worth compressing.
const SAMPLE_BYTES: usize = 32 << 10;

/// Columns whose values differ little from row to row.
const DELTAS: [usize; 4] = [fixed::ROW, fixed::TIME, fixed::SEQ, fixed::STATUS];
/// Columns of few different values.
const DICTIONARIES: [usize; 3] = [fixed::PREDICTOR, fixed::REVISION, fixed::ERROR];

/// Key of our own description in a file's metadata.
const SUMMARY: &str = "provost.request-log";
/// Version of the format; files of a later one are left alone.
const VERSION: u32 = 1;

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileSummary {
    version: u32,
    /// The segments whose records of this dataset and day are in the file.
    pub(crate) covers: Coverage,
    #[serde(flatten)]
    pub(crate) bounds: RowBounds,
}

/// Which rows a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowBounds {
    pub(crate) rows: u64,
    pub(crate) first_seq: i64,
    pub(crate) last_seq: i64,
    /// In microseconds since the Unix epoch, as the column is.
    pub(crate) first_time: i64,
    pub(crate) last_time: i64,
}

impl RowBounds {
    /// The bounds of no rows.
    const NONE: Self =
        Self { rows: 0, first_seq: i64::MAX, last_seq: i64::MIN, first_time: i64::MAX, last_time: i64::MIN };

    fn add(&mut self, batch: &RecordBatch) {
        let seqs = batch.column(fixed::SEQ).as_any().downcast_ref::<Int64Array>();
        let times = batch.column(fixed::TIME).as_any().downcast_ref::<TimestampMicrosecondArray>();
        self.rows += batch.num_rows() as u64;
        for &seq in seqs.map(|seqs| seqs.values().as_ref()).unwrap_or_default() {
            self.first_seq = self.first_seq.min(seq);
            self.last_seq = self.last_seq.max(seq);
        }
        for &time in times.map(|times| times.values().as_ref()).unwrap_or_default() {
            self.first_time = self.first_time.min(time);
            self.last_time = self.last_time.max(time);
        }
    }
}

/// Writes one file.
pub(crate) struct FileWriter {
    path: PathBuf,
    /// Made when the first batch tells which columns are worth compressing.
    writer: Writer,
    bounds: RowBounds,
}

enum Writer {
    Waiting(NewFile),
    Writing(Box<ArrowWriter<NewFile>>),
    Failed,
}

impl FileWriter {
    /// A new file at `path`.
    pub(crate) fn create(disk: &Disk, path: &Path) -> Result<Self, Error> {
        let writer = Writer::Waiting(disk.create_file(path)?);
        Ok(Self { path: path.to_owned(), writer, bounds: RowBounds::NONE })
    }

    /// Writes the rows, of which none are left then.
    pub(crate) fn write_rows(&mut self, rows: &mut Rows) -> Result<(), Error> {
        let batch = rows.finish().map_err(|error| Error::parquet("write", &self.path)(error.into()))?;
        self.write(&batch)
    }

    /// Writes a batch; all batches of a file have the same columns.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.bounds.add(batch);
        let failed = Error::parquet("write", &self.path);
        self.writer(batch)?.write(batch).map_err(failed)
    }

    fn writer(&mut self, batch: &RecordBatch) -> Result<&mut ArrowWriter<NewFile>, Error> {
        let failed = Error::parquet("write", &self.path);
        self.writer = match std::mem::replace(&mut self.writer, Writer::Failed) {
            Writer::Waiting(file) => {
                let properties = properties(batch).map_err(&failed)?;
                // Readers are to see plain text where the batches hold dictionaries.
                let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
                let writer = ArrowWriter::try_new_with_options(file, batch.schema(), options);
                Writer::Writing(Box::new(writer.map_err(&failed)?))
            }
            other => other,
        };
        match &mut self.writer {
            Writer::Writing(writer) => Ok(writer),
            _ => Err(failed(ParquetError::General("nothing was written".to_owned()))),
        }
    }

    /// Rows and their bounds so far.
    pub(crate) fn bounds(&self) -> RowBounds {
        self.bounds
    }

    /// Ends the file, which has some rows, and brings it to the disk.
    pub(crate) fn finish(self, covers: Coverage) -> Result<FileSummary, Error> {
        let failed = Error::parquet("write", &self.path);
        let Writer::Writing(mut writer) = self.writer else {
            return Err(failed(ParquetError::General("there are no rows".to_owned())));
        };
        let summary = FileSummary { version: VERSION, covers, bounds: self.bounds };
        // A struct of numbers always encodes.
        let text = serde_json::to_string(&summary).unwrap_or_default();
        writer.append_key_value_metadata(KeyValue::new(SUMMARY.to_owned(), text));
        writer.finish().map_err(failed)?;
        writer.inner().sync()?;
        Ok(summary)
    }
}

/// How a file is written whose first rows are these.
fn properties(first: &RecordBatch) -> Result<WriterProperties, ParquetError> {
    let path = |column: usize| ColumnPath::from(vec![fixed::NAMES[column].to_owned()]);
    let layout = Layout::of_schema(&first.schema());
    let layout = layout.ok_or_else(|| ParquetError::General("the columns are not those of a log".to_owned()))?;
    let schema = encode_arrow_schema(&layout.schema());
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("provost ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_key_value_metadata(Some(vec![KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), schema)]))
        // Ids are in no order: the filter tells where one is, and bounds would tell nothing.
        .set_column_statistics_enabled(path(fixed::REQUEST_ID), EnabledStatistics::None)
        .set_column_bloom_filter_enabled(path(fixed::REQUEST_ID), true)
        .set_column_bloom_filter_fpp(path(fixed::REQUEST_ID), FALSE_POSITIVES)
        .set_column_bloom_filter_max_ndv(path(fixed::REQUEST_ID), GROUP_ROWS as u64);
    for column in DELTAS {
        builder = builder.set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
    }
    for column in DICTIONARIES {
        builder = builder.set_column_dictionary_enabled(path(column), true);
    }
    for (index, (field, array)) in first.schema().fields().iter().zip(first.columns()).enumerate() {
        if !DELTAS.contains(&index) && !DICTIONARIES.contains(&index) && is_compressible(array) {
            let path = ColumnPath::from(vec![field.name().clone()]);
            builder = builder.set_column_compression(path, Compression::LZ4_RAW);
        }
    }
    Ok(builder.build())
}

/// Whether compression makes the values of a column, of which these are the first, any smaller. Random
/// ids and the results of calculations mostly are not, and trying costs more than all else.
fn is_compressible(array: &dyn Array) -> bool {
    let data = array.to_data();
    // Without values there is nothing to say against it.
    let Some(values) = data.buffers().last().filter(|_| array.null_count() < array.len()) else { return true };
    let sample = &values[..values.len().min(SAMPLE_BYTES)];
    let compressed = lz4_flex::block::compress(sample);
    compressed.len() <= sample.len() / 10 * 9
}

/// An open file. Its name may go away meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct FileReader {
    path: Arc<Path>,
    source: Source,
    metadata: ArrowReaderMetadata,
}

impl FileReader {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { operation: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let source = Source { file: Arc::new(file), len };
        let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&source, options).map_err(Error::parquet("read", path))?;
        Ok(Self { path: path.into(), source, metadata })
    }

    /// What the file says about itself and its columns.
    pub(crate) fn describe(&self) -> Result<(FileSummary, Layout), Error> {
        let foreign = |reason: String| Error::Foreign { path: self.path.to_path_buf(), reason };
        let entries = self.metadata().file_metadata().key_value_metadata();
        let text =
            entries.into_iter().flatten().find(|entry| entry.key == SUMMARY).and_then(|entry| entry.value.as_ref());
        let text = text.ok_or_else(|| foreign("it does not say which segments it covers".into()))?;
        let summary: FileSummary = serde_json::from_str(text).map_err(|error| foreign(error.to_string()))?;
        if summary.version > VERSION {
            return Err(foreign(format!("a newer version of Provost wrote it (format {})", summary.version)));
        }
        let layout =
            Layout::of_schema(self.metadata.schema()).ok_or_else(|| foreign("its columns are others".into()))?;
        Ok((summary, layout))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.source.len
    }

    pub(crate) fn metadata(&self) -> &Arc<ParquetMetaData> {
        self.metadata.metadata()
    }

    /// Where the column stands, if the file has it.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.metadata.schema().fields().iter().position(|field| field.name() == name)
    }

    /// Starts to read these columns.
    pub(crate) fn read(&self, columns: impl IntoIterator<Item = usize>) -> ParquetRecordBatchReaderBuilder<Source> {
        let mask = ProjectionMask::leaves(self.metadata.parquet_schema(), columns);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.source.clone(), self.metadata.clone());
        builder.with_projection(mask)
    }

    /// How many rows of a row group are read at once.
    pub(crate) fn batch_rows(&self, group: usize) -> usize {
        let group = self.metadata().row_group(group);
        let bytes = usize::try_from(group.total_byte_size()).unwrap_or(usize::MAX);
        let rows = usize::try_from(group.num_rows()).unwrap_or_default().max(1);
        (BATCH_BYTES / (bytes / rows).max(1)).clamp(1, BATCH_ROWS)
    }

    /// Reads all columns of all rows.
    pub(crate) fn read_all(&self) -> Result<ParquetRecordBatchReader, Error> {
        let rows = (0..self.metadata().num_row_groups()).map(|group| self.batch_rows(group)).min();
        let builder = self.read(0..self.metadata.schema().fields().len()).with_batch_size(rows.unwrap_or(1));
        builder.build().map_err(Error::parquet("read", &self.path))
    }

    /// The filter of request ids of a row group.
    pub(crate) fn request_ids(&self, group: usize) -> Result<Option<Sbbf>, Error> {
        let builder = self.read([]);
        let filter = builder.get_row_group_column_bloom_filter(group, fixed::REQUEST_ID);
        filter.map_err(Error::parquet("read", &self.path))
    }
}

/// Reads at positions, so that readers of one file do not disturb each other.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    file: Arc<File>,
    len: u64,
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Source {
    type T = io::BufReader<SourceReader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(io::BufReader::new(SourceReader { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let is_inside = start.checked_add(length as u64).is_some_and(|end| end <= self.len);
        if !is_inside {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} of a file of {}", self.len)));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// Reads on from a position.
#[derive(Debug)]
pub(crate) struct SourceReader {
    file: Arc<File>,
    at: u64,
}

impl Read for SourceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
