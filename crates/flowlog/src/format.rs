//! Which format a file gets, by its ending.

use std::path::{Path, PathBuf};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Lines as the platform writes them (`.log`).
    Text,
    /// CSV with a line of field names (`.csv`).
    Csv,
    /// Apache Parquet, compressed with Snappy (`.parquet`).
    Parquet,
}

/// Why a file has no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Its ending says nothing.
    #[error("the ending of {} names no format of flow logs", .0.display())]
    Ending(PathBuf),
    /// This build does not write Parquet.
    #[error("{}: this vpcsim was built without the feature `parquet`", .0.display())]
    NoParquet(PathBuf),
}

impl FormatError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Ending(_) if cfg!(feature = "parquet") => {
                "end it in .log for text, .csv or .parquet"
            }
            Self::Ending(_) => "end it in .log for text, or in .csv",
            Self::NoParquet(_) => {
                "build it with `--features parquet`, or end the file in .log or .csv"
            }
        }
    }
}

impl Format {
    /// The format of a file: `.log`, `.csv` or `.parquet`, in capitals or not.
    ///
    /// # Errors
    /// Another ending or none; Parquet where this build does not write it.
    pub fn of(path: impl AsRef<Path>) -> Result<Self, FormatError> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let format = match ending.to_str() {
            Some("log") => Self::Text,
            Some("csv") => Self::Csv,
            Some("parquet") => Self::Parquet,
            _ => return Err(FormatError::Ending(path.to_owned())),
        };
        if format == Self::Parquet && !cfg!(feature = "parquet") {
            return Err(FormatError::NoParquet(path.to_owned()));
        }
        Ok(format)
    }
}
