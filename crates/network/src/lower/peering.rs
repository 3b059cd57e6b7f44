//! Peerings: two vpcs each, none of whose ranges overlap.

use super::vpc::overlap;
use super::{Lowering, entries};
use crate::decode::Spanned;
use crate::error::Kind;
use crate::file::PeeringDecl;
use crate::*;
use ipnet::Ipv4Net;
use std::collections::HashMap;

impl Lowering<'_> {
    pub(super) fn peerings(&mut self) {
        let mut joined: HashMap<[VpcId; 2], Spanned<String>> = HashMap::new();
        for entry in entries(&self.file.peerings) {
            let ends = entry.value.as_ref().and_then(|decl| {
                let marks = self.ends(decl)?;
                self.disjoint(&entry.name, marks);
                Some(marks.map(|end| end.value))
            });
            if let Some([one, other]) = ends {
                let key = if one <= other {
                    [one, other]
                } else {
                    [other, one]
                };
                if let Some(first) = joined.get(&key) {
                    let kind = Kind::DuplicatePeering {
                        one: self.vpc_name(one),
                        other: self.vpc_name(other),
                        first: first.value.clone(),
                    };
                    let first = first.mark;
                    self.errors
                        .push(kind, entry.name.mark, "joins them again")
                        .also(first, "joins them already");
                } else {
                    joined.insert(key, entry.name.clone());
                }
            }
            let accepted = entry.value.as_ref().is_some_and(|d| d.accepted.or(false));
            let account = |vpc: VpcId| self.vpc_facts(vpc).and_then(|f| f.account.clone());
            let same = ends.is_some_and(|[one, other]| account(one) == account(other));
            self.facts.peerings.push(ends);
            self.network.peerings.push(Peering {
                name: entry.name.value.clone(),
                vpcs: ends.unwrap_or([VpcId(0); 2]),
                active: same || accepted,
                mark: entry.name.mark,
            });
        }
        self.disjoint_peers();
    }

    fn ends(&mut self, decl: &PeeringDecl) -> Option<[Spanned<VpcId>; 2]> {
        let list = decl.vpcs.given()?;
        let [one, other] = list.items.as_slice() else {
            let found = list.items.len();
            self.errors
                .push(Kind::PeeringEnds { found }, list.mark, "not two");
            return None;
        };
        let mut find = |name: &Option<Spanned<String>>| {
            let name = name.as_ref()?;
            let id = self.names.vpcs.find(name, self.errors)?;
            Some(Spanned::new(VpcId(id), name.mark))
        };
        let (one, other) = (find(one), find(other));
        let (one, other) = (one?, other?);
        if one.value == other.value {
            self.errors
                .push(Kind::PeeringWithItself, other.mark, "the same vpc")
                .also(one.mark, "as this one");
            return None;
        }
        Some([one, other])
    }

    /// A pair of ranges of two vpcs that share addresses.
    fn shared(&self, one: VpcId, other: VpcId) -> Option<(Spanned<Ipv4Net>, Spanned<Ipv4Net>)> {
        let others = &self.vpc_facts(other)?.ranges;
        self.vpc_facts(one)?.ranges.iter().find_map(|a| {
            let b = others.iter().find(|b| overlap(a.value, b.value))?;
            Some((*a, *b))
        })
    }

    /// Reports a peering whose own two vpcs overlap.
    fn disjoint(&mut self, name: &Spanned<String>, ends: [Spanned<VpcId>; 2]) {
        let [one, other] = ends.map(|end| end.value);
        if let Some((a, b)) = self.shared(one, other) {
            let kind = Kind::PeersOverlap {
                peering: name.value.clone(),
                one: self.vpc_name(one),
                one_cidr: a.value,
                other: self.vpc_name(other),
                other_cidr: b.value,
            };
            self.errors
                .push(kind, name.mark, "joins overlapping vpcs")
                .also(a.mark, "this range")
                .also(b.mark, "and this one");
        }
    }

    /// Reports two peers of one vpc that overlap each other.
    fn disjoint_peers(&mut self) {
        let mut peers: HashMap<VpcId, Vec<(VpcId, Mark)>> = HashMap::new();
        for (i, entry) in entries(&self.file.peerings).iter().enumerate() {
            let Some(Some([one, other])) = self.facts.peerings.get(i).copied() else {
                continue;
            };
            for (vpc, peer) in [(one, other), (other, one)] {
                let others = peers.get(&vpc).map_or(&[][..], Vec::as_slice);
                let clash = others
                    .iter()
                    .filter(|(first, _)| *first != peer)
                    .find_map(|(first, mark)| Some((*first, *mark, self.shared(*first, peer)?)));
                if let Some((first, mark, (a, b))) = clash {
                    let kind = Kind::TwoPeersOverlap {
                        vpc: self.vpc_name(vpc),
                        one: self.vpc_name(first),
                        one_cidr: a.value,
                        other: self.vpc_name(peer),
                        other_cidr: b.value,
                    };
                    self.errors
                        .push(kind, entry.name.mark, "overlaps another peer")
                        .also(mark, "this peering's")
                        .also(a.mark, "this range")
                        .also(b.mark, "and this one");
                }
                peers.entry(vpc).or_default().push((peer, entry.name.mark));
            }
        }
    }
}
