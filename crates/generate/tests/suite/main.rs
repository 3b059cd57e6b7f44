//! The generator keeps its promises, and so do the captures made with it.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod captures;
mod demo;
mod scene;
mod traffic;
