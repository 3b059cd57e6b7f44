//! Text and CSV, held to the documented format.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use vpcsim_flowlog::{Action, FIELDS, Format, FormatError, Record, Writer};

/// The line that Tencent Cloud's documentation shows.
const DOCUMENTED: &str = "2 1251762227 eni-lq6mkcis 172.31.16.139 172.31.16.21 20641 22 6 20 4249 \
                          1418530010 1418530070 ACCEPT OK";

pub(crate) fn sample() -> Record<'static> {
    Record {
        account_id: "1251762227",
        interface_id: "eni-lq6mkcis",
        source: Ipv4Addr::new(172, 31, 16, 139),
        destination: Ipv4Addr::new(172, 31, 16, 21),
        source_port: 20641,
        destination_port: 22,
        protocol: 6,
        packets: 20,
        bytes: 4249,
        start: 1_418_530_010,
        end: 1_418_530_070,
        action: Action::Accept,
    }
}

/// Records that try each format: odd names, the largest numbers.
pub(crate) fn samples() -> Vec<Record<'static>> {
    vec![
        sample(),
        Record {
            account_id: "",
            interface_id: "web-1/eth0",
            action: Action::Reject,
            protocol: 1,
            source_port: 7,
            destination_port: 3 | 1 << 8,
            ..sample()
        },
        Record {
            account_id: "two words, and a \"comma\"\nand a line",
            source: Ipv4Addr::UNSPECIFIED,
            destination: Ipv4Addr::BROADCAST,
            source_port: u16::MAX,
            destination_port: u16::MAX,
            protocol: u8::MAX,
            packets: i64::MAX as u64,
            bytes: i64::MAX as u64,
            start: 0,
            end: 18_446_744_073,
            ..sample()
        },
    ]
}

pub(crate) fn written(format: Format, records: &[Record<'_>]) -> Vec<u8> {
    let mut writer = Writer::new(format, Vec::new()).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    writer.finish().unwrap()
}

fn text(format: Format, records: &[Record<'_>]) -> String {
    String::from_utf8(written(format, records)).unwrap()
}

#[test]
fn a_line_has_the_documented_fields_in_the_documented_order() {
    let line = text(Format::Text, &[sample()]);
    let line = line.strip_suffix('\n').unwrap();
    let fields: Vec<_> = line.split(' ').collect();
    let documented: Vec<_> = DOCUMENTED.split(' ').collect();
    assert_eq!(fields.len(), FIELDS.len());
    for ((name, field), documented) in FIELDS.iter().zip(&fields).zip(&documented) {
        assert_eq!(field, documented, "{name}");
    }
    assert_eq!(line, DOCUMENTED);
}

#[test]
fn every_line_has_fourteen_fields_whatever_the_names() {
    for line in text(Format::Text, &samples()).lines() {
        assert_eq!(line.split(' ').count(), 14, "{line}");
    }
    let line = text(Format::Text, &samples()[1..2]);
    assert!(line.starts_with("2 - web-1/eth0 "), "{line}");
    let line = text(Format::Text, &samples()[2..]);
    assert!(
        line.starts_with("2 two_words,_and_a_\"comma\"_and_a_line "),
        "{line}"
    );
}

#[test]
fn csv_names_its_fields_and_quotes_what_it_must() {
    let csv = text(Format::Csv, &samples());
    let mut lines = csv.splitn(4, '\n');
    assert_eq!(lines.next(), Some(FIELDS.join(",").as_str()));
    assert_eq!(lines.next(), Some(DOCUMENTED.replace(' ', ",").as_str()));
    let reject = lines.next().unwrap();
    assert!(reject.starts_with("2,,web-1/eth0,"), "{reject}");
    assert!(reject.ends_with(",7,259,1,20,4249,1418530010,1418530070,REJECT,OK"));
    let quoted = lines.next().unwrap();
    assert!(
        quoted.starts_with("2,\"two words, and a \"\"comma\"\"\nand a line\",eni-lq6mkcis,"),
        "{quoted}"
    );
}

#[test]
fn the_ending_names_the_format() {
    assert_eq!(Format::of("a/b.log"), Ok(Format::Text));
    assert_eq!(Format::of("FLOWS.CSV"), Ok(Format::Csv));
    #[cfg(feature = "parquet")]
    assert_eq!(Format::of("x.y.parquet"), Ok(Format::Parquet));
    #[cfg(not(feature = "parquet"))]
    assert_eq!(
        Format::of("x.parquet"),
        Err(FormatError::NoParquet("x.parquet".into()))
    );
    for other in ["flows", "flows.txt", ".log", "", "flows.log.gz", "log", "-"] {
        let error = Format::of(other).unwrap_err();
        assert_eq!(error, FormatError::Ending(other.into()));
        assert!(error.to_string().contains(other), "{error}");
        assert!(error.help().contains(".csv"));
    }
}

/// Takes nothing.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_of_that_kind() {
    let formats: &[Format] = if cfg!(feature = "parquet") {
        &[Format::Text, Format::Csv, Format::Parquet]
    } else {
        &[Format::Text, Format::Csv]
    };
    for &format in formats {
        let written = Writer::new(format, Full).and_then(|mut writer| {
            writer.write(&sample())?;
            writer.finish()
        });
        let error = written.err().expect("nothing can be written");
        assert_eq!(
            error.kind(),
            io::ErrorKind::StorageFull,
            "{format:?}: {error}"
        );
    }
}
