//! The testkit keeps its promises.

mod lab;
mod lints;
mod strategies;
