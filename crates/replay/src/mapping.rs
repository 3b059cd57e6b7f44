//! `--map ADDR=CVM`: an address of the capture that stands for a host of the network.

use crate::endpoint::{Endpoint, EndpointError};
use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Program;
use vpcsim_network::CvmId;
use vpcsim_packet::{
    FlowKey, Headers, Icmp, IcmpBody, Rewrite, Transport, rewrite, rewrite_quoted,
};

/// An address of the capture that stands for a host of the network.
///
/// Packets of that source are taken as the host's. Where the host does not own the address, the
/// host's primary private address takes its place, as source, as destination and in what ICMP
/// errors quote, so that packets as they were captured fit the network as it was declared.
/// Checksums follow by difference: a right one stays right, a wrong one wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mapping {
    /// The address in the capture.
    pub address: Ipv4Addr,
    /// The host that it stands for.
    pub cvm: CvmId,
}

/// Why `ADDR=CVM` is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// No `=`.
    #[error("`{given}` is no mapping: ADDRESS=CVM wanted, such as 192.168.1.7=web-1")]
    Form {
        /// What was given.
        given: String,
    },
    /// Left of `=` stands no IPv4 address.
    #[error("`{given}` is no IPv4 address, such as 192.168.1.7")]
    Address {
        /// What stands there.
        given: String,
    },
    /// Right of `=` stands no cvm.
    #[error("`{given}` is no cvm: a mapping needs a host, not a nic, an address or the internet")]
    NotACvm {
        /// What stands there.
        given: String,
    },
    /// Right of `=` stands the name of nothing.
    #[error(transparent)]
    Unknown(#[from] EndpointError),
}

impl Mapping {
    /// Reads `ADDR=CVM`.
    ///
    /// # Errors
    /// When it has another form, the address is none, or no cvm has that name.
    pub fn parse(program: &Program, text: &str) -> Result<Self, MappingError> {
        let (address, cvm) = text.split_once('=').ok_or_else(|| MappingError::Form {
            given: text.to_owned(),
        })?;
        let (address, cvm) = (address.trim(), cvm.trim());
        let address = address.parse().map_err(|_| MappingError::Address {
            given: address.to_owned(),
        })?;
        match Endpoint::parse(program, cvm)? {
            Endpoint::Cvm(cvm) => Ok(Self { address, cvm }),
            _ => Err(MappingError::NotACvm {
                given: cvm.to_owned(),
            }),
        }
    }
}

/// One mapping, with what it turns the address into.
#[derive(Debug, Clone, Copy)]
struct Resolved {
    mapping: Mapping,
    /// The host's own address; `None` where the host owns the mapped one.
    own: Option<Ipv4Addr>,
}

/// All mappings of a replay, by address: those of the network file (`captured_as`), and those that
/// were asked for. A later one for the same address replaces an earlier one.
#[derive(Debug, Clone)]
pub(crate) struct Mappings(HashMap<Ipv4Addr, Resolved>);

impl Mappings {
    pub(crate) fn new(program: &Program, mappings: &[Mapping]) -> Self {
        let cvms = (0..).map(CvmId).zip(&program.network().cvms);
        let declared = cvms.flat_map(|(cvm, host)| {
            let addresses = host.captured_as.iter();
            addresses.map(move |&address| Mapping { address, cvm })
        });
        let mut resolved = HashMap::new();
        for mapping in declared.chain(mappings.iter().copied()) {
            let nics = &program.network().cvm(mapping.cvm).nics;
            // By sender, so that secondary, virtual, lo and direct public addresses count too.
            let owned = program.sender(mapping.address) == Some(mapping.cvm);
            let own = match nics.first() {
                Some(&nic) if !owned => Some(program.network().nic(nic).address()),
                _ => None,
            };
            resolved.insert(mapping.address, Resolved { mapping, own });
        }
        Self(resolved)
    }

    /// Whether there are none, so that no packet changes.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The host that an address of the capture stands for.
    pub(crate) fn cvm(&self, address: Ipv4Addr) -> Option<CvmId> {
        self.find(address).map(|found| found.mapping.cvm)
    }

    /// Puts the hosts' own addresses in the place of mapped ones.
    pub(crate) fn apply(&self, bytes: &mut [u8], headers: &mut Headers) {
        if let Transport::Icmp(Icmp {
            body: IcmpBody::Error(quoted),
            ..
        }) = headers.transport
        {
            let change = self.change(&quoted.key);
            if !change.is_nothing() {
                rewrite_quoted(bytes, headers, &change);
            }
        }
        let change = Rewrite {
            source: self.own(headers.source),
            destination: self.own(headers.destination),
            ..Rewrite::default()
        };
        if !change.is_nothing() {
            rewrite(bytes, headers, &change);
        }
    }

    fn change(&self, key: &FlowKey) -> Rewrite {
        Rewrite {
            source: self.own(key.source),
            destination: self.own(key.destination),
            ..Rewrite::default()
        }
    }

    fn own(&self, address: Ipv4Addr) -> Option<Ipv4Addr> {
        self.find(address)?.own
    }

    fn find(&self, address: Ipv4Addr) -> Option<&Resolved> {
        self.0.get(&address)
    }
}
