//! Parquet, read back with the crate's reader.

use crate::formats::{sample, samples, written};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use vpcsim_flowlog::{FIELDS, Format, Record};

fn open(records: &[Record<'_>]) -> SerializedFileReader<bytes::Bytes> {
    SerializedFileReader::new(written(Format::Parquet, records).into()).unwrap()
}

/// A cell as the CSV has it.
fn cell(field: &Field) -> String {
    match field {
        Field::Str(text) => text.clone(),
        Field::UByte(number) => number.to_string(),
        Field::UShort(number) => number.to_string(),
        Field::Long(number) => number.to_string(),
        Field::TimestampMillis(millis) => (millis / 1000).to_string(),
        other => panic!("a column of another type: {other:?}"),
    }
}

#[test]
fn parquet_read_back_is_the_csv() {
    // Without the record whose account has commas: that takes a CSV parser to read.
    let records = &samples()[..2];
    let csv = String::from_utf8(written(Format::Csv, records)).unwrap();
    let mut lines = csv.lines();
    let names = lines.next().unwrap().replace('-', "_");
    let rows = open(records);
    let rows = rows.get_row_iter(None).unwrap().map(Result::unwrap);
    let read: Vec<_> = rows
        .map(|row| {
            let columns: Vec<_> = row.get_column_iter().collect();
            let read: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(read.join(","), names);
            let cells: Vec<_> = columns.iter().map(|(_, field)| cell(field)).collect();
            cells.join(",")
        })
        .collect();
    assert_eq!(read, lines.collect::<Vec<_>>());
}

#[test]
fn the_largest_numbers_and_oddest_names_survive() {
    let record = samples().pop().unwrap();
    let file = open(&[record]);
    let row = file.get_row_iter(None).unwrap().next().unwrap().unwrap();
    let cells: Vec<_> = row
        .get_column_iter()
        .map(|(_, field)| cell(field))
        .collect();
    let expected = [
        "2",
        record.account_id,
        record.interface_id,
        "0.0.0.0",
        "255.255.255.255",
        "65535",
        "65535",
        "255",
        "9223372036854775807",
        "9223372036854775807",
        "0",
        "18446744073",
        "ACCEPT",
        "OK",
    ];
    assert_eq!(cells, expected);
}

#[test]
fn columns_have_the_types_that_readers_expect() {
    let file = open(&[sample()]);
    let schema = file.metadata().file_metadata().schema_descr();
    let unsigned = |bits| Some(LogicalType::integer(bits, false));
    assert_eq!(schema.num_columns(), FIELDS.len());
    for column in schema.columns() {
        let logical = column.logical_type_ref().cloned();
        let expected = match column.name() {
            "version" | "protocol" => unsigned(8),
            "srcport" | "dstport" => unsigned(16),
            "packets" | "bytes" => None,
            "start" | "end" => Some(LogicalType::timestamp(true, TimeUnit::MILLIS)),
            _ => Some(LogicalType::String),
        };
        assert_eq!(logical, expected, "{}", column.name());
    }
}

#[test]
fn many_records_come_in_groups() {
    let records: Vec<_> = (0..140_000_u64)
        .map(|number| Record {
            packets: number,
            ..sample()
        })
        .collect();
    let file = open(&records);
    assert_eq!(file.num_row_groups(), 2);
    let packets = file.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        let (_, field) = row.get_column_iter().nth(8).unwrap();
        cell(field)
    });
    assert!(packets.eq((0..140_000).map(|number: u64| number.to_string())));
}

#[test]
fn a_log_without_records_is_a_file_all_the_same() {
    let file = open(&[]);
    assert_eq!(file.metadata().file_metadata().num_rows(), 0);
    assert_eq!(file.num_row_groups(), 0);
}
