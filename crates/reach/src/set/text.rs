//! Rules in words.

use super::rules::{joined, unless_all};
use super::{Field, Rule, Set, Span};
use ipnet::Ipv4Net;
use std::fmt;
use vpcsim_packet::Protocol;

/// `80`, `80-90`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl Rule {
    /// The packets of the rule.
    pub fn set(&self) -> Set {
        let messages = if self.icmp.is_empty() {
            &self.ports
        } else {
            &self.icmp
        };
        let lists = [
            &self.sources,
            &self.destinations,
            &self.protocols,
            messages,
            &self.source_ports,
        ];
        let fields = Field::ALL.into_iter().zip(lists);
        let fields = fields.filter(|(_, list)| !list.is_empty());
        fields.fold(Set::all(), |set, (field, list)| {
            let values = list.iter().fold(Set::none(), |all, span| {
                all.or(&Set::range(field, span.first, span.last))
            });
            set.and(&values)
        })
    }

    /// The source addresses in as few words as they need: `any`, prefixes, or `any except` some.
    pub fn sources_text(&self) -> String {
        addresses(&self.sources)
    }

    /// The destination addresses in as few words as they need.
    pub fn destinations_text(&self) -> String {
        addresses(&self.destinations)
    }

    /// Protocols and ports, without addresses: `tcp 22,443`, `icmp`, `all`.
    pub fn service_text(&self) -> String {
        let protocols = if self.protocols.is_empty() {
            "all".to_owned()
        } else {
            let names = self.protocols.iter().flat_map(|&span| protocol_names(span));
            names.collect::<Vec<_>>().join(",")
        };
        let ports = if self.icmp == REQUESTS {
            vec!["requests".to_owned()]
        } else if self.ports.is_empty() {
            self.icmp.iter().map(|&span| messages(span)).collect()
        } else {
            self.ports.iter().map(Span::to_string).collect::<Vec<_>>()
        };
        if ports.is_empty() {
            protocols
        } else {
            format!("{protocols} {}", ports.join(","))
        }
    }
}

impl Rule {
    /// The rule as it reads where nobody sends from other addresses than `senders`
    /// ([`Reach::senders`](crate::Reach::senders)): those need not be excepted.
    #[must_use]
    pub fn told_of(mut self, senders: &[Span]) -> Self {
        let mut wider = self.sources.clone();
        wider.extend(others(senders));
        let wider = unless_all(&joined(wider), Field::SOURCE);
        if addresses(&wider).len() < addresses(&self.sources).len() {
            self.sources = wider;
        }
        self
    }
}

/// `tcp 22,443 from 198.51.100.0/24 to 10.0.1.10`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.service_text())?;
        if !self.sources.is_empty() {
            write!(f, " from {}", self.sources_text())?;
        }
        if !self.destinations.is_empty() {
            write!(f, " to {}", self.destinations_text())?;
        }
        if !self.source_ports.is_empty() {
            let ports: Vec<_> = self.source_ports.iter().map(Span::to_string).collect();
            let icmp = self.protocols == [Span::of(u32::from(Protocol::ICMP.0))];
            let what = if icmp { "identifier" } else { "source port" };
            write!(f, ", {what} {}", ports.join(","))?;
        }
        Ok(())
    }
}

/// Echo, timestamp, information and address mask requests (RFC 792, RFC 950): all ICMP that is
/// ever answered.
const REQUESTS: [Span; 4] = [
    Span::of_kind(8),
    Span::of_kind(13),
    Span::of_kind(15),
    Span::of_kind(17),
];

/// As the network file writes protocols; more than a few in a row as a range of numbers.
fn protocol_names(span: Span) -> Vec<String> {
    if span.last - span.first > 4 {
        return vec![format!("protocols {span}")];
    }
    let names = (span.first..=span.last).map(|number| Protocol(number as u8).to_string());
    names.collect()
}

fn messages(span: Span) -> String {
    let (kind, code) = (span.first >> 8, span.first & 0xff);
    let whole = code == 0 && span.last & 0xff == 0xff;
    match (kind, whole) {
        (kind, true) if kind == span.last >> 8 => match kind {
            0 => "echo-reply".to_owned(),
            8 => "echo-request".to_owned(),
            _ => format!("type {kind}"),
        },
        (kind, true) => format!("types {kind}-{}", span.last >> 8),
        (kind, false) if kind == span.last >> 8 => {
            let codes = Span {
                first: code,
                last: span.last & 0xff,
            };
            format!("type {kind} code {codes}")
        }
        (kind, false) => format!(
            "type {kind} code {code} to type {} code {}",
            span.last >> 8,
            span.last & 0xff
        ),
    }
}

fn addresses(spans: &[Span]) -> String {
    if spans.is_empty() {
        return "any".to_owned();
    }
    let text = |spans: &[Span]| {
        let prefixes = spans.iter().flat_map(|span| span.prefixes());
        prefixes.map(prefix).collect::<Vec<_>>()
    };
    let (inside, outside) = (text(spans), text(&others(spans)));
    if outside.len() < inside.len() {
        format!("any except {}", outside.join(","))
    } else {
        inside.join(",")
    }
}

/// A single address without its length.
fn prefix(net: Ipv4Net) -> String {
    if net.prefix_len() == 32 {
        net.network().to_string()
    } else {
        net.to_string()
    }
}

/// The addresses between the spans.
fn others(spans: &[Span]) -> Vec<Span> {
    let (mut gaps, mut next) = (Vec::new(), Some(0_u32));
    for span in spans {
        if let Some(first) = next.filter(|&first| first < span.first) {
            let last = span.first - 1;
            gaps.push(Span { first, last });
        }
        next = span.last.checked_add(1);
    }
    if let Some(first) = next {
        let last = u32::MAX;
        gaps.push(Span { first, last });
    }
    gaps
}
