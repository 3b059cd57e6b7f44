//! Files of flow-log records.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

mod formats;
#[cfg(feature = "parquet")]
mod parquet;
