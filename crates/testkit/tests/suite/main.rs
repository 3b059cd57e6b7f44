//! The testkit keeps its promises.

mod lab;
mod strategies;
