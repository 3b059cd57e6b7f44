//! The stops of the walk, in the order a packet meets them: one file each.

mod acl;
mod eip;
mod external;
mod flow_rule;
mod host;
mod internet;
mod leave;
mod mtu;
mod nat_gateway;
mod route;
mod security_group;
mod source_check;
mod untranslate;
