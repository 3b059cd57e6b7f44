//! `vpcsim check`.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;
use vpcsim_network::Lint;

/// Read a network file, say what is wrong with it, and try what it expects
///
/// Mistakes make the file invalid and end with status 2. Lints find what is valid and hurts all the same: each has
/// a name, says where and why, and how to mend it. They warn, unless they are denied or allowed here or in the
/// file's `lints` section; a name is stronger than `all`, and what is said here stronger than what the file says.
///
/// What the file expects of the network (`expect`) is tried, request and reply; what it expects of many (groups,
/// prefixes, port ranges, the internet) is decided for all their packets. What does not hold is shown with the trace
/// of a packet, and ends with status 1.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Network file (YAML)
    pub(crate) network: PathBuf,

    /// Lints that end with status 1 when they find something: names, or `all`; may be repeated
    #[arg(long, value_name = "LINT", value_delimiter = ',', value_parser = lints())]
    pub(crate) deny: Vec<LintName>,

    /// Lints that say nothing: names, or `all`; may be repeated
    #[arg(long, value_name = "LINT", value_delimiter = ',', value_parser = lints(), hide_possible_values = true)]
    pub(crate) allow: Vec<LintName>,

    /// Write the answer as JUnit XML too, for build servers: a test case for each lint and each expectation;
    /// `-` is standard output, and the text then goes to standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Print one JSON document instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// A lint, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LintName(pub(crate) Option<Lint>);

fn lints() -> impl TypedValueParser<Value = LintName> {
    let lints = Lint::ALL.iter();
    let names = lints.map(|lint| PossibleValue::new(lint.name()).help(lint.summary()));
    let all = PossibleValue::new("all").help("every lint that is not named");
    PossibleValuesParser::new(names.chain([all])).map(|name| LintName(Lint::find(&name)))
}
