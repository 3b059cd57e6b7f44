//! A cloud network as people declare it.
//!
//! [`Network`] is the validated graph: every reference is resolved to a dense
//! id, every rule is typed, and nothing in it contradicts the platform. It
//! knows nothing of packets and is immutable once made. The only way to make
//! one is to read a network file with [`Network::from_yaml`], so that a
//! `Network` is always valid.
#![forbid(unsafe_code)]

mod decode;
pub mod edit;
mod error;
mod file;
mod lint;
mod lookup;
mod lower;
mod model;
mod summary;
mod words;
mod yaml;

pub use error::{ErrorView, NetworkError, NetworkErrorKind, NetworkErrors};
pub use lint::{Finding, FindingView, Findings, Level, Levels, Lint, Why};
pub use lower::NOT_PUBLIC;
pub use model::*;
pub use summary::Summary;

use decode::{Decode, Definitions};
use error::Errors;
use lint::Silences;

impl Network {
    /// Reads a network file. `name` is what errors call it.
    ///
    /// # Errors
    /// All mistakes of the file at once, in file order.
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, NetworkErrors> {
        read(name, text).map(|read| read.network)
    }

    /// Reads a network file, and says what is valid in it and hurts all the same.
    ///
    /// # Errors
    /// All mistakes of the file at once, in file order.
    pub fn check(name: &str, text: &str) -> Result<(Self, Findings), NetworkErrors> {
        let Read {
            network,
            file,
            levels,
            silences,
        } = read(name, text)?;
        let found = lint::lint(text, &file, &network);
        let findings = Findings::new(name, text, found, levels, silences);
        Ok((network, findings))
    }

    /// The JSON Schema (2020-12) of the network file, for editors.
    pub fn schema() -> serde_json::Value {
        let mut definitions = Definitions::default();
        let root = file::File::schema(&mut definitions);
        definitions.document(root)
    }
}

/// A network with what declares it, and what the file says of lints.
struct Read {
    network: Network,
    file: file::File,
    levels: Levels,
    silences: Silences,
}

fn read(name: &str, text: &str) -> Result<Read, NetworkErrors> {
    let mut errors = Errors::default();
    let read = yaml::Tree::parse(text, &mut errors)
        .and_then(|tree| file::File::decode(tree.root(), &mut errors))
        .map(|file| {
            let network = lower::lower(&file, &mut errors);
            let lints = file.lints.given();
            Read {
                network,
                levels: lints.map_or_else(Levels::default, |lints| lints.levels(&mut errors)),
                silences: Silences::read(text, &mut errors),
                file,
            }
        });
    match read {
        Some(read) if errors.is_empty() => Ok(read),
        _ => Err(NetworkErrors::new(name, text, errors.into_sorted())),
    }
}
