//! Pictures of real networks and real replays: read as text, and looked at in a real browser,
//! headless Chromium, at two widths, light and dark.
//!
//! `cargo xtask test` installs Chromium where it can. Without it those tests say what they did not
//! check, and fail where `CI` is set.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

mod chromium;
mod graph;
mod in_browser_drawing;
mod in_browser_page;
mod material;
mod page;
