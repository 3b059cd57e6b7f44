//! Records into a file.

use crate::csv;
use crate::{Format, Record};
use std::io::{self, BufWriter, Write};

/// Writes records in a [`Format`].
#[derive(Debug)]
pub struct Writer<W: Write + Send>(Inner<W>);

#[derive(Debug)]
enum Inner<W: Write + Send> {
    Text(BufWriter<W>),
    Csv(BufWriter<W>),
    #[cfg(feature = "parquet")]
    Parquet(Box<crate::parquet::Writer<W>>),
}

impl<W: Write + Send> Writer<W> {
    /// Starts a file.
    ///
    /// # Errors
    /// When the output refuses the first bytes; [`Format::Parquet`] in a build without it.
    pub fn new(format: Format, out: W) -> io::Result<Self> {
        Ok(Self(match format {
            Format::Text => Inner::Text(BufWriter::new(out)),
            Format::Csv => {
                let mut out = BufWriter::new(out);
                csv::header(&mut out)?;
                Inner::Csv(out)
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => Inner::Parquet(Box::new(crate::parquet::Writer::new(out)?)),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => return Err(io::ErrorKind::Unsupported.into()),
        }))
    }

    /// Writes a record. Parquet keeps up to 131 072 of them in memory.
    ///
    /// # Errors
    /// When the output refuses it.
    pub fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        match &mut self.0 {
            Inner::Text(out) => writeln!(out, "{record}"),
            Inner::Csv(out) => csv::record(out, record),
            #[cfg(feature = "parquet")]
            Inner::Parquet(writer) => writer.write(record),
        }
    }

    /// Passes on what can be passed on: of Parquet nothing, whose file is of no use before
    /// [`Self::finish`].
    ///
    /// # Errors
    /// When the output refuses it.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inner::Text(out) | Inner::Csv(out) => out.flush(),
            #[cfg(feature = "parquet")]
            Inner::Parquet(_) => Ok(()),
        }
    }

    /// Ends the file and gives the output back.
    ///
    /// # Errors
    /// When the output refuses the last bytes.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Inner::Text(out) | Inner::Csv(out) => out.into_inner().map_err(io::Error::from),
            #[cfg(feature = "parquet")]
            Inner::Parquet(writer) => writer.finish(),
        }
    }
}
