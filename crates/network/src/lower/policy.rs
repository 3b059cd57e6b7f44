//! Policies.

use super::Lowering;
use crate::file::ConntrackDecl;
use crate::{Conntrack, Policies};

impl Lowering<'_> {
    pub(super) fn policies(&mut self) {
        let Some(decl) = self.file.policies.given() else {
            return;
        };
        let default = Policies::default();
        self.network.policies = Policies {
            source_check: decl.source_check.or(default.source_check),
            acl_port: decl.acl_port.or(default.acl_port),
            sg_across_peering: decl.sg_across_peering.or(default.sg_across_peering),
            mid_stream: decl.mid_stream.or(default.mid_stream),
            on_rule_change: decl.on_rule_change.or(default.on_rule_change),
            tcp_window: decl.tcp_window.or(default.tcp_window),
            hairpin: decl.hairpin.or(default.hairpin),
            filtering: decl.filtering.or(default.filtering),
            fabric_ttl: u8::from(decl.fabric_ttl.given().is_some_and(|ttl| ttl.value.0 == 1)),
            mtu: decl.mtu.or(default.mtu),
            conntrack: decl.conntrack.given().map_or(default.conntrack, conntrack),
        };
    }
}

fn conntrack(decl: &ConntrackDecl) -> Conntrack {
    let mut conntrack = Conntrack::default();
    if let Some(max) = decl.max.given() {
        conntrack.max = max.value.0;
    }
    macro_rules! timeouts {
        ($($field:ident)*) => {
            $(
                if let Some(seconds) = decl.$field.given() {
                    conntrack.$field = seconds.value.0;
                }
            )*
        };
    }
    timeouts! {
        tcp_syn_sent tcp_syn_recv tcp_established tcp_fin_wait tcp_close_wait tcp_last_ack
        tcp_time_wait tcp_close tcp_max_retrans tcp_unacknowledged
        udp udp_stream icmp gre gre_stream generic
    }
    conntrack
}
