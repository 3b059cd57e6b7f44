//! Records as Parquet, by the column writers of the `parquet` crate: without Arrow, which the
//! fourteen flat columns have no need of.

use crate::Record;
use crate::record::{STATUS, VERSION};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io::{self, Write};
use std::sync::Arc;

/// The fields of [`crate::FIELDS`], with `_` for `-`, so that SQL needs no quotes around them.
const SCHEMA: &str = "
message flow_log {
  required int32 version (INTEGER(8,false));
  required binary account_id (STRING);
  required binary interface_id (STRING);
  required binary srcaddr (STRING);
  required binary dstaddr (STRING);
  required int32 srcport (INTEGER(16,false));
  required int32 dstport (INTEGER(16,false));
  required int32 protocol (INTEGER(8,false));
  required int64 packets;
  required int64 bytes;
  required int64 start (TIMESTAMP(MILLIS,true));
  required int64 end (TIMESTAMP(MILLIS,true));
  required binary action (STRING);
  required binary log_status (STRING);
}";

/// Records of a row group: what readers share out among their threads, and what waits in memory.
const GROUP: usize = 131_072;

/// Writes a Parquet file.
pub(crate) struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    /// Of the row group under way.
    columns: Columns,
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.columns.len();
        f.debug_struct("Writer").field("waiting", &waiting).finish()
    }
}

/// A column for each field that differs from record to record.
#[derive(Default)]
struct Columns {
    account_id: Vec<ByteArray>,
    interface_id: Vec<ByteArray>,
    source: Vec<ByteArray>,
    destination: Vec<ByteArray>,
    source_port: Vec<i32>,
    destination_port: Vec<i32>,
    protocol: Vec<i32>,
    packets: Vec<i64>,
    bytes: Vec<i64>,
    start: Vec<i64>,
    end: Vec<i64>,
    action: Vec<ByteArray>,
}

impl<W: Write + Send> Writer<W> {
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(to_io)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("vpcsim {}", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            file: SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(to_io)?,
            columns: Columns::default(),
        })
    }

    pub(crate) fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.columns.push(record);
        if self.columns.len() < GROUP {
            return Ok(());
        }
        self.write_group().map_err(to_io)
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        if self.columns.len() > 0 {
            self.write_group().map_err(to_io)?;
        }
        self.file.into_inner().map_err(to_io)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let columns = std::mem::take(&mut self.columns);
        let mut group = self.file.next_row_group()?;
        let same = |text: &str| vec![ByteArray::from(text); columns.len()];
        column::<Int32Type, W>(&mut group, &vec![VERSION.into(); columns.len()])?;
        column::<ByteArrayType, W>(&mut group, &columns.account_id)?;
        column::<ByteArrayType, W>(&mut group, &columns.interface_id)?;
        column::<ByteArrayType, W>(&mut group, &columns.source)?;
        column::<ByteArrayType, W>(&mut group, &columns.destination)?;
        column::<Int32Type, W>(&mut group, &columns.source_port)?;
        column::<Int32Type, W>(&mut group, &columns.destination_port)?;
        column::<Int32Type, W>(&mut group, &columns.protocol)?;
        column::<Int64Type, W>(&mut group, &columns.packets)?;
        column::<Int64Type, W>(&mut group, &columns.bytes)?;
        column::<Int64Type, W>(&mut group, &columns.start)?;
        column::<Int64Type, W>(&mut group, &columns.end)?;
        column::<ByteArrayType, W>(&mut group, &columns.action)?;
        column::<ByteArrayType, W>(&mut group, &same(STATUS))?;
        group.close()?;
        Ok(())
    }
}

impl Columns {
    fn len(&self) -> usize {
        self.packets.len()
    }

    fn push(&mut self, record: &Record<'_>) {
        let text = |text: &str| ByteArray::from(text);
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let millis = |seconds: u64| count(seconds.saturating_mul(1000));
        self.account_id.push(text(record.account_id));
        self.interface_id.push(text(record.interface_id));
        self.source.push(text(&record.source.to_string()));
        self.destination.push(text(&record.destination.to_string()));
        self.source_port.push(record.source_port.into());
        self.destination_port.push(record.destination_port.into());
        self.protocol.push(record.protocol.into());
        self.packets.push(count(record.packets));
        self.bytes.push(count(record.bytes));
        self.start.push(millis(record.start));
        self.end.push(millis(record.end));
        self.action.push(text(record.action.name()));
    }
}

/// Writes the next column of a row group.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

fn to_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
