//! Why a packet was dropped, in one sentence.

use super::run::Way;
use crate::names::element_text;
use std::net::Ipv4Addr;
use vpcsim_dataplane::{Drop, DropReason, Element, Policy, Program, RuleList, Stage};
use vpcsim_network::{Network, NicId};
use vpcsim_packet::{FlowKey, Protocol};

/// The cause of a drop at the end of a way: what follows `dropped at STAGE: `.
pub(super) fn because(program: &Program, way: &Way, reply: bool, drop: &Drop) -> String {
    let Some(key) = way.last_key() else {
        return drop.reason.to_string();
    };
    let cause = Cause {
        program,
        network: program.network(),
        way,
        reply,
        drop,
        key,
    };
    let mut text = cause.text();
    if let Some(policy) = drop.policy {
        text += &format!(" (policy {policy})");
    }
    text
}

struct Cause<'a> {
    program: &'a Program,
    network: &'a Network,
    way: &'a Way,
    reply: bool,
    drop: &'a Drop,
    /// The packet where it was dropped.
    key: FlowKey,
}

impl Cause<'_> {
    fn text(&self) -> String {
        let element = element_text(self.program, self.drop.element);
        let name = self.program.element_name(self.drop.element);
        let FlowKey {
            source,
            destination,
            protocol,
            ..
        } = self.key;
        match self.drop.reason {
            DropReason::SourceNotOwned => {
                format!("{source} is no address that {name} may send from")
            }
            DropReason::SecurityGroupDeny => self.filtered(&element) + &self.other_nic(),
            DropReason::AclDeny if self.reply => {
                self.filtered(&element)
                    + "; an acl remembers nothing, so replies need rules of their own"
            }
            DropReason::AclDeny => self.filtered(&element),
            DropReason::InvalidState if self.drop.stage == Stage::NatGateway => {
                format!("it belongs to no session of {element}, and cannot open one")
            }
            DropReason::InvalidState => {
                "it opens no connection and belongs to none".to_owned() + &self.other_nic()
            }
            DropReason::ConntrackFull => format!("{element} remembers as many flows as it may"),
            DropReason::NoRoute => self.no_route(&element, destination),
            DropReason::NoSuchHost => format!("nobody in {element} has {destination}"),
            DropReason::PeeringNotTransitive => self.led_to(&format!(
                "{element}, which carries only what its two vpcs own, and {destination} is not in \
                 the other one"
            )),
            DropReason::PeeringInactive => self.led_to(&format!(
                "{element}, which the other account has not accepted"
            )),
            DropReason::HostNotForwarding => {
                self.led_to(&format!("{name}, which does not forward (ip_forward)"))
            }
            DropReason::HavipUnheld => self.led_to(&format!("{element}, which nobody holds")),
            DropReason::NextHopUnavailable => self.led_to(&format!("{element}, which is disabled")),
            DropReason::NoNatSession if self.drop.policy == Some(Policy::Hairpin) => {
                format!("{element} does not serve its own addresses from inside")
            }
            DropReason::NoNatSession => format!(
                "{element} has neither a session nor a dnat rule for {}",
                service(protocol, self.key.destination_port),
            ),
            DropReason::NoSuchPublicAddress => {
                format!("no eip of this network has the address {destination}")
            }
            DropReason::PublicAddressUnbound => format!("{element} is bound to nothing"),
            DropReason::NoPublicPath => {
                format!("no eip and no dnat rule stand for {destination} on the internet")
            }
            DropReason::SnatNoRule => {
                format!("{element} is strict (strict_snat), and no snat rule names {source}")
            }
            DropReason::RpFilter => self.rp_filter(&name, source),
            DropReason::Martian => {
                format!("{source} to {destination} cannot come in by {name} from outside")
            }
            DropReason::NotLocal => self.not_local(&name, destination),
            DropReason::TtlExceeded => "its time to live ran out: it went in a circle".to_owned(),
            DropReason::CvmStopped => format!("{name} is stopped"),
            other => format!("{other} by {element}"),
        }
    }

    /// What a rule list has against a packet.
    fn filtered(&self, element: &str) -> String {
        let FlowKey {
            source,
            destination,
            protocol,
            destination_port,
            ..
        } = self.key;
        let Some(rule) = self.drop.rule else {
            return format!("{element} denies it");
        };
        let service = service(protocol, destination_port);
        let packet = match rule.list {
            RuleList::Ingress => format!("{service} from {source}"),
            _ => format!("{service} to {destination}"),
        };
        let list = rule.list.name();
        match rule.position {
            Some(position) => format!("{list} rule {position} of {element} drops {packet}"),
            None => format!("no {list} rule of {element} accepts {packet}"),
        }
    }

    /// Why a group judges a reply at all: it leaves by a nic that has not seen the request.
    fn other_nic(&self) -> String {
        let leaves = self.reply && self.drop.stage == Stage::SecurityGroupEgress;
        match self.way.sender().filter(|_| leaves) {
            Some(nic) => {
                let nic = self.program.nic_name(nic);
                format!("; the reply leaves by {nic}, which has not seen the request")
            }
            None => String::new(),
        }
    }

    fn no_route(&self, element: &str, destination: Ipv4Addr) -> String {
        let Element::RouteTable(_) = self.drop.element else {
            return format!("the routing of {element} knows no way to {destination}");
        };
        let text = format!("no route of {element} leads to {destination}");
        if self.program.is_private(destination) {
            return text;
        }
        format!("{text}, and no eip stands for {}", self.key.source)
    }

    /// `route 2 of web leads to …`, or what it leads to alone where no route did.
    fn led_to(&self, what: &str) -> String {
        let position = self.drop.rule.and_then(|rule| rule.position);
        let (Some(table), Some(position)) = (self.way.table(), position) else {
            return format!("it comes to {what}");
        };
        let table = &self.network.route_table(table).name;
        format!("route {position} of {table} leads to {what}")
    }

    fn rp_filter(&self, nic: &str, source: Ipv4Addr) -> String {
        let Some(seen) = self.drop.reverse_path else {
            return format!("rp_filter on {nic}");
        };
        let back = match seen.nic {
            Some(nic) => format!(
                "the way back to {source} leads out of {}",
                self.program.nic_name(nic)
            ),
            None => format!("there is no way back to {source}"),
        };
        format!(
            "it comes in by {nic}, where rp_filter is {}, but {back}",
            seen.value
        )
    }

    fn not_local(&self, host: &str, destination: Ipv4Addr) -> String {
        let has = |nic: &NicId| {
            let mut addresses = self.network.nic(*nic).addresses.iter();
            addresses.any(|own| own.address == destination)
        };
        let Element::Cvm(cvm) = self.drop.element else {
            return format!("{destination} is not an address of {host}");
        };
        match self.network.cvm(cvm).nics.iter().find(|nic| has(nic)) {
            Some(&nic) => {
                let nic = self.program.nic_name(nic);
                format!("{destination} is bound to {nic}, but the guest has not configured it")
            }
            None => format!("{destination} is not an address of {host}, which does not forward"),
        }
    }
}

/// `tcp 80`, `icmp`.
fn service(protocol: Protocol, port: u16) -> String {
    match protocol {
        Protocol::TCP | Protocol::UDP => format!("{protocol} {port}"),
        _ => protocol.to_string(),
    }
}
