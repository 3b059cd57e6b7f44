//! The page and the drawings in a real browser, headless Chromium: at two widths, light and dark.
//!
//! `cargo xtask test` installs it where it can. Without it these tests say what they did not check,
//! and fail where `CI` is set.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod chromium;
mod drawing;
mod material;
mod page;
