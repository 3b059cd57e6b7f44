//! Security groups, templates and network acls.

use super::*;
use ipnet::Ipv4Net;

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Let it pass.
    Accept,
    /// Drop it, silently.
    Drop,
}

/// The protocol of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleProtocol {
    /// Any protocol.
    All,
    /// TCP (6).
    Tcp,
    /// UDP (17).
    Udp,
    /// ICMP (1).
    Icmp,
    /// GRE (47); security groups only.
    Gre,
}

impl RuleProtocol {
    /// The IANA protocol number; `None` for [`RuleProtocol::All`].
    pub fn number(self) -> Option<u8> {
        match self {
            Self::All => None,
            Self::Icmp => Some(1),
            Self::Tcp => Some(6),
            Self::Udp => Some(17),
            Self::Gre => Some(47),
        }
    }
}

/// A protocol with destination ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Service {
    /// The protocol.
    pub protocol: RuleProtocol,
    /// Destination ports, never empty; [`PortRange::ALL`] alone where the
    /// protocol has none.
    pub ports: Vec<PortRange>,
}

/// The other end that a security-group rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Any address (`any`, `0.0.0.0/n`).
    Any,
    /// A prefix.
    Prefix(Ipv4Net),
    /// The private addresses of a group's members.
    Group(SecurityGroupId),
    /// The addresses of a template.
    Template(AddressTemplateId),
}

/// One line of a security group.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityGroupRule {
    /// Accept or drop.
    pub action: Action,
    /// What it speaks of: any of these (a service template has several).
    pub services: Vec<Service>,
    /// The source for ingress, the destination for egress.
    pub peer: Peer,
    /// Where it is declared.
    pub mark: Mark,
}

/// An ordered, stateful rule list bound to nics.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityGroup {
    /// Name in the file; a vpc's implicit group is `default` or `VPC/default`.
    pub name: String,
    /// Rules for what arrives, in order.
    pub ingress: Vec<SecurityGroupRule>,
    /// Rules for what leaves, in order.
    pub egress: Vec<SecurityGroupRule>,
    /// Where it is declared.
    pub mark: Mark,
}

/// A named list of addresses.
#[derive(Debug, Clone, PartialEq)]
pub struct AddressTemplate {
    /// Name in the file.
    pub name: String,
    /// Its members.
    pub members: Vec<AddressRange>,
    /// Where it is declared.
    pub mark: Mark,
}

/// A named list of services.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceTemplate {
    /// Name in the file.
    pub name: String,
    /// Its members.
    pub services: Vec<Service>,
    /// Where it is declared.
    pub mark: Mark,
}

/// One line of a network acl.
#[derive(Debug, Clone, PartialEq)]
pub struct AclRule {
    /// Accept or drop.
    pub action: Action,
    /// The source for ingress, the destination for egress.
    pub peer: Ipv4Net,
    /// The protocol; never [`RuleProtocol::Gre`].
    pub protocol: RuleProtocol,
    /// Ports, read by policy `acl_port`; [`PortRange::ALL`] where the protocol has none.
    pub ports: PortRange,
    /// Where it is declared.
    pub mark: Mark,
}

/// An ordered, stateless rule list at the edge of subnets of one vpc.
#[derive(Debug, Clone, PartialEq)]
pub struct Acl {
    /// Name in the file.
    pub name: String,
    /// The vpc it belongs to.
    pub vpc: VpcId,
    /// Rules for what enters a subnet, in order.
    pub ingress: Vec<AclRule>,
    /// Rules for what leaves a subnet, in order.
    pub egress: Vec<AclRule>,
    /// Where it is declared.
    pub mark: Mark,
}
