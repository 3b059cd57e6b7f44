//! SEMANTICS §6: security groups, stateful per nic.

use super::{Carry, Entry, Flow, Path, never_opens};
use crate::set::Set;
use vpcsim_dataplane::{DropReason, Stage};
use vpcsim_network::{MidStream, NicId};
use vpcsim_packet::Protocol;

impl Carry<'_> {
    /// Judges packets at a nic and remembers their flow. `entry`: the public door by which they
    /// came. Returns those that pass, by the door of the flow that they answer (§2.5a).
    pub(super) fn security_group(
        &mut self,
        path: Path,
        nic: NicId,
        ingress: bool,
        entry: Option<Entry>,
    ) -> Vec<(Path, Option<Entry>)> {
        let mut passed = Vec::new();
        let mut strangers = path.set.clone();
        for index in 0..path.flows.len() {
            let flow = &path.flows[index];
            if flow.nic != nic || strangers.is_empty() {
                continue;
            }
            let answers = path.key.equals(flow.key.reversed(), &strangers);
            strangers = strangers.without(&answers);
            let repeats = path.key.equals(flow.key, &strangers);
            strangers = strangers.without(&repeats);
            let mut answers = path.part(answers);
            answers.flows[index].simultaneous |= !path.answer;
            passed.push((answers, flow.entry));
            // A SYN-ACK from the side that sent the SYN is impossible, unless both sent one.
            let impossible = path.answer && !flow.simultaneous;
            let tcp = Set::of_protocol(Protocol::TCP);
            let misfits = if impossible {
                repeats.and(&tcp)
            } else {
                Set::none()
            };
            passed.push((path.part(repeats.without(&misfits)), None));
            let misfits = self.judge_stateless(path.part(misfits), nic, ingress);
            passed.push((misfits, None));
        }
        let strangers = path.part(strangers);
        passed.extend(
            self.strangers(strangers, nic, ingress, entry)
                .map(|path| (path, None)),
        );
        passed.retain(|(path, _)| !path.set.is_empty());
        passed
    }

    /// Packets that belong to no flow of the nic.
    fn strangers(
        &mut self,
        path: Path,
        nic: NicId,
        ingress: bool,
        entry: Option<Entry>,
    ) -> impl Iterator<Item = Path> + use<> {
        let opening = match (path.opens, path.answer) {
            (false, _) => Set::none(),
            (true, false) => Set::anything(),
            (true, true) => Set::anything().without(&never_opens()),
        };
        let others = path.part(path.set.without(&opening));
        let others = self.judge_stateless(others, nic, ingress);
        let mut opened = self.rules(path.part(path.set.and(&opening)), nic, ingress);
        let key = opened.key;
        opened.flows.push(Flow {
            nic,
            key,
            entry,
            simultaneous: false,
        });
        [others, opened].into_iter()
    }

    /// Judges packets that leave no flow behind.
    fn judge_stateless(&mut self, path: Path, nic: NicId, ingress: bool) -> Path {
        let strict = self.program.network().policies.mid_stream == MidStream::Drop;
        if strict && self.facts.group_list(nic, ingress).is_some() {
            let nothing = path.part(Set::none());
            self.drop(path, DropReason::InvalidState, stage(ingress));
            return nothing;
        }
        self.rules(path, nic, ingress)
    }

    fn rules(&mut self, path: Path, nic: NicId, ingress: bool) -> Path {
        let Some(list) = self.facts.group_list(nic, ingress) else {
            return path;
        };
        let peer = if ingress {
            path.key.source
        } else {
            path.key.destination
        };
        let accepted = list.accepts(peer, path.key.ports);
        self.only(
            path,
            &accepted,
            DropReason::SecurityGroupDeny,
            stage(ingress),
        )
    }
}

fn stage(ingress: bool) -> Stage {
    if ingress {
        Stage::SecurityGroupIngress
    } else {
        Stage::SecurityGroupEgress
    }
}
