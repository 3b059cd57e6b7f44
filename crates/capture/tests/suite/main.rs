//! The reader and the writers against encoders of the tests' own.

mod encode;
mod formats;
mod hostile;
mod round_trip;
mod streaming;
mod truncation;
