//! Trackers and who holds them, against a list.

use super::super::{Holder, Opening, Settings, TrackId, Tracker, Tracks};
use crate::Nanos;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use vpcsim_network::TcpWindow;
use vpcsim_packet::{Headers, TcpFlags, build};

#[derive(Debug, Clone)]
enum Step {
    /// A tracker comes, of TCP or not, and a first holder.
    Come(bool),
    /// One more wants to hold this one of those that are there.
    Hold(usize),
    /// This holder of this one lets go.
    LetGo(usize, usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Come),
        4 => any::<usize>().prop_map(Step::Hold),
        4 => any::<(usize, usize)>().prop_map(|(track, holder)| Step::LetGo(track, holder)),
    ]
}

/// A tracker that is there, and its holders by their bits.
#[derive(Debug)]
struct Live {
    id: TrackId,
    tracker: Tracker,
    holders: Vec<(u8, Holder)>,
}

/// That of a connection which begins at this time, with this sequence number.
fn tracker(is_tcp: bool, number: u32) -> Tracker {
    let (from, to) = ((Ipv4Addr::LOCALHOST, 1), (Ipv4Addr::BROADCAST, 2));
    let packet = if is_tcp {
        build::tcp(from, to, TcpFlags::SYN).sequence(number)
    } else {
        build::udp(from, to, &[])
    };
    let bytes = packet.bytes();
    let headers = Headers::parse(&bytes).expect("a packet as it was built");
    let settings = Settings {
        window: TcpWindow::Track,
        loose: true,
    };
    match Tracker::open(&bytes, &headers, Nanos(number.into()), &settings) {
        Opening::Opens(tracker) => tracker,
        other => panic!("{other:?}"),
    }
}

proptest! {
    /// Up to four hold a tracker, each by one and the same bit while it does; nothing is lost while others
    /// come and go.
    #[test]
    fn each_keeps_its_tracker_and_its_bit(steps in vec(any_step(), 0..200)) {
        let mut tracks = Tracks::default();
        let mut live: Vec<Live> = Vec::new();
        for (slot, step) in (0..).zip(steps) {
            let holder = if slot % 2 == 0 { Holder::Nic(slot) } else { Holder::Gateway(slot) };
            let at = |number: usize| number % live.len().max(1);
            match step {
                Step::Come(is_tcp) => {
                    let tracker = tracker(is_tcp, slot);
                    let id = tracks.insert(&tracker);
                    prop_assert_eq!(tracks.bits(id), 0);
                    prop_assert!(!tracks.is_remembered(id));
                    prop_assert!(!tracks.is_held(id));
                    let bit = tracks.hold(id, holder);
                    let holders = vec![(bit, holder)];
                    live.push(Live { id, tracker, holders });
                }
                Step::Hold(number) => {
                    let at = at(number);
                    let Some(live) = live.get_mut(at) else { continue };
                    let has_room = live.holders.len() < 4;
                    prop_assert_eq!(tracks.has_room(live.id), has_room);
                    let bit = tracks.hold(live.id, holder);
                    prop_assert_eq!(bit != 0, has_room);
                    if has_room {
                        live.holders.push((bit, holder));
                    }
                }
                Step::LetGo(number, which) => {
                    let at = at(number);
                    let Some(one) = live.get_mut(at) else { continue };
                    let (_, holder) = one.holders.remove(which % one.holders.len());
                    prop_assert_eq!(tracks.release(one.id, holder), one.holders.is_empty());
                    if one.holders.is_empty() {
                        live.remove(at);
                    }
                }
            }
            for one in &mut live {
                prop_assert_eq!(tracks.get(one.id), one.tracker.by_ref());
                for &(bit, holder) in &one.holders {
                    prop_assert_eq!(tracks.bit(one.id, holder), bit);
                }
                let bits = one.holders.iter().fold(0, |bits, (bit, _)| bits | bit);
                prop_assert_eq!(bits.count_ones() as usize, one.holders.len());
                prop_assert_eq!(tracks.bits(one.id), bits);
                one.holders.sort_by_key(|(bit, _)| *bit);
                let wanted = one.holders.iter().map(|(_, holder)| *holder);
                prop_assert!(tracks.holders(one.id).eq(wanted));
            }
        }
        let ids: HashSet<_> = live.iter().map(|one| one.id).collect();
        prop_assert_eq!(ids.len(), live.len());
    }
}
