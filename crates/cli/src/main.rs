//! The vpcsim command.
fn main() {}
