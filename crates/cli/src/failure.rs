//! Why a command could not do what it was asked.

use serde_json::{Value, json};
use vpcsim_network::NetworkErrors;

/// What went wrong, and how to mend it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The network file has mistakes.
    Network(Box<NetworkErrors>),
    /// Anything else.
    Other {
        /// What, on one line.
        message: String,
        /// How to mend it, where that is known.
        help: Option<String>,
    },
}

impl Failure {
    /// A failure that speaks for itself.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Other {
            message: message.into(),
            help: None,
        }
    }

    /// The same, and how to mend it.
    pub(crate) fn with_help(self, text: impl Into<String>) -> Self {
        match self {
            Self::Other { message, .. } => Self::Other {
                message,
                help: Some(text.into()),
            },
            network => network,
        }
    }

    /// The same, of this one of several files.
    pub(crate) fn in_file(self, name: &str) -> Self {
        match self {
            Self::Other { message, help } => Self::Other {
                message: format!("{name}: {message}"),
                help,
            },
            network => network,
        }
    }

    /// The failure as machines read it.
    pub(crate) fn document(&self) -> Value {
        match self {
            Self::Network(errors) => json!({"error": {
                "message": count(errors),
                "help": null,
                "network": errors.name(),
                "errors": errors.views(),
            }}),
            Self::Other { message, help } => json!({"error": {
                "message": message,
                "help": help,
            }}),
        }
    }
}

/// How many mistakes a network file has, on one line.
pub(crate) fn count(errors: &NetworkErrors) -> String {
    match errors.errors().len() {
        1 => format!("{} has 1 mistake", errors.name()),
        n => format!("{} has {n} mistakes", errors.name()),
    }
}

impl From<NetworkErrors> for Failure {
    fn from(errors: NetworkErrors) -> Self {
        Self::Network(Box::new(errors))
    }
}
