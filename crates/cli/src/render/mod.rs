//! Text for people: what a terminal or a log shows.
//!
//! Everything here returns text with colours in it; [`crate::output`] takes them
//! out again where they are not wanted.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod diff;
mod drops;
pub(crate) mod expect;
pub(crate) mod failure;
pub(crate) mod finding;
pub(crate) mod fix;
pub(crate) mod learn;
pub(crate) mod number;
pub(crate) mod reach;
pub(crate) mod report;
mod rules;
pub(crate) mod services;
mod snippet;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod trace;
