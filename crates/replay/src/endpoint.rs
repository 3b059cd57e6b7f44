//! What people name on a command line: a cvm, a nic, an address, an external, the internet.

use std::net::Ipv4Addr;
use vpcsim_dataplane::{Program, Source};
use vpcsim_network::{CvmId, ExternalId, NicId};

/// One end of a trace, or the place of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A host: `web-1`.
    Cvm(CvmId),
    /// One of its nics: `web-1/eth1`.
    Nic(NicId),
    /// An address, ours or not: `10.0.1.10`, `203.0.113.9`.
    Address(Ipv4Addr),
    /// What lies behind a gateway at the edge of the simulated world: `external:office`.
    External(ExternalId),
    /// Somebody out there: `internet`.
    Internet,
}

/// A name that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {kind} is called `{given}`{}", .hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default())]
pub struct EndpointError {
    /// What was given.
    pub given: String,
    /// What was looked for.
    pub kind: &'static str,
    /// The nearest name, or all of them where they are few.
    pub hint: Option<String>,
}

/// Names beyond this many are not listed in a hint.
const MOST_LISTED: usize = 12;

impl Endpoint {
    /// Reads `internet`, an IPv4 address, `external:NAME`, `CVM/NIC` or `CVM`.
    ///
    /// # Errors
    /// When nothing has that name: what was looked for, and the nearest name there is.
    pub fn parse(program: &Program, text: &str) -> Result<Self, EndpointError> {
        let network = program.network();
        let text = text.trim();
        if text == "internet" {
            return Ok(Self::Internet);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if let Some(name) = text.strip_prefix("external:") {
            let names = network
                .externals
                .iter()
                .map(|external| external.name.as_str());
            return find("external", name, names).map(|at| Self::External(ExternalId(at)));
        }
        let (cvm, nic) = match text.split_once('/') {
            Some((cvm, nic)) => (cvm, Some(nic)),
            None => (text, None),
        };
        let names = network.cvms.iter().map(|cvm| cvm.name.as_str());
        let cvm = CvmId(find("cvm", cvm, names)?);
        let Some(nic) = nic else {
            return Ok(Self::Cvm(cvm));
        };
        let nics = &network.cvm(cvm).nics;
        let names = nics.iter().map(|&id| network.nic(id).name.as_str());
        let at = find("nic", nic, names).map_err(|error| EndpointError {
            given: text.to_owned(),
            ..error
        })?;
        Ok(Self::Nic(nics[at as usize]))
    }

    /// Where a packet from here starts: for `--at`. An address is its owner's; one that nobody
    /// here has is on the internet.
    pub fn source(self, program: &Program) -> Source {
        match self {
            Self::Cvm(cvm) => Source::Cvm(cvm),
            Self::Nic(nic) => Source::Nic(nic),
            Self::External(external) => Source::External(external),
            Self::Internet => Source::Internet,
            Self::Address(address) => match (program.sender(address), program.external_of(address))
            {
                (Some(cvm), _) => Source::Cvm(cvm),
                (None, Some(external)) => Source::External(external),
                (None, None) => Source::Internet,
            },
        }
    }

    /// As it is written on the command line.
    pub fn text(self, program: &Program) -> String {
        let network = program.network();
        match self {
            Self::Cvm(cvm) => network.cvm(cvm).name.clone(),
            Self::Nic(nic) => program.nic_name(nic),
            Self::Address(address) => address.to_string(),
            Self::External(external) => format!("external:{}", network.external(external).name),
            Self::Internet => "internet".to_owned(),
        }
    }
}

/// The position of a name, or what might have been meant.
fn find<'a>(
    kind: &'static str,
    given: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<u32, EndpointError> {
    let at = names.clone().position(|name| name == given);
    at.map(|at| at as u32).ok_or_else(|| EndpointError {
        given: given.to_owned(),
        kind,
        hint: hint(given, names),
    })
}

fn hint<'a>(given: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let nearest = names
        .clone()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    if let Some((_, name)) = nearest {
        return Some(format!("did you mean `{name}`?"));
    }
    let listed: Vec<_> = names
        .clone()
        .take(MOST_LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = names.count() - listed.len();
    match (listed.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!("known are {}", listed.join(", "))),
        (false, more) => Some(format!("known are {} and {more} more", listed.join(", "))),
    }
}
