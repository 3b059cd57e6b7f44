//! The TCP states of a connection, and which segment leads from one to which
//! (kernel `nf_conntrack_proto_tcp.c`; RFC 9293 seen by a bystander).

use super::Direction;
use vpcsim_packet::TcpFlags;

/// The state of a TCP connection as someone between its two ends sees it.
/// Packets may be lost after they were seen, so it is never what either end
/// believes, but what the packets so far allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcpState {
    /// Nothing seen.
    None,
    /// A SYN in the original direction.
    SynSent,
    /// A SYN-ACK against it.
    SynRecv,
    /// Both ends agree.
    Established,
    /// A FIN from one end.
    FinWait,
    /// That FIN acknowledged.
    CloseWait,
    /// A FIN from the other end too.
    LastAck,
    /// That FIN acknowledged.
    TimeWait,
    /// Reset.
    Close,
    /// SYNs from both ends at once.
    SynSent2,
}

impl TcpState {
    /// The kernel's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::Established => "ESTABLISHED",
            Self::FinWait => "FIN_WAIT",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::SynSent2 => "SYN_SENT2",
        }
    }

    /// Whether a FIN or RST was accepted.
    pub(super) fn is_closing(self) -> bool {
        matches!(
            self,
            Self::FinWait | Self::CloseWait | Self::LastAck | Self::TimeWait | Self::Close
        )
    }
}

/// What a segment is, to the state machine. RST outranks SYN, SYN outranks
/// FIN, FIN outranks ACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
}

impl Class {
    /// The class of a combination of flags; `None` for one that no TCP sends:
    /// SYN with FIN or RST, FIN without ACK, RST with URG, none at all. PSH,
    /// ECE and CWR go with anything.
    #[inline]
    pub(super) fn of(flags: TcpFlags) -> Option<Self> {
        let rst = flags.contains(TcpFlags::RST);
        let syn = flags.contains(TcpFlags::SYN);
        let fin = flags.contains(TcpFlags::FIN);
        let ack = flags.contains(TcpFlags::ACK);
        let urg = flags.contains(TcpFlags::URG);
        match (rst, syn, fin, ack, urg) {
            (true, false, false, _, false) => Some(Self::Rst),
            (false, true, false, false, _) => Some(Self::Syn),
            (false, true, false, true, false) => Some(Self::SynAck),
            (false, false, true, true, _) => Some(Self::Fin),
            (false, false, false, true, _) => Some(Self::Ack),
            _ => None,
        }
    }
}

/// Where a segment leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// To a state, perhaps the one it came from.
    To(TcpState),
    /// Nowhere: perhaps tracking is out of step with the two ends. Let it
    /// through and learn from the answer.
    Ignore,
    /// It cannot be.
    Invalid,
}

/// The whole state machine.
pub(super) fn next(state: TcpState, direction: Direction, class: Class) -> Next {
    match class {
        Class::Syn => after_syn(state, direction),
        Class::SynAck => after_syn_ack(state, direction),
        Class::Fin => after_fin(state),
        Class::Ack => after_ack(state, direction),
        Class::Rst => match state {
            TcpState::None => Next::Invalid,
            _ => Next::To(TcpState::Close),
        },
    }
}

fn after_syn(state: TcpState, direction: Direction) -> Next {
    use TcpState::*;
    match (direction, state) {
        (Direction::Original, None | SynSent) => Next::To(SynSent),
        // A finished connection begins again, if other conditions hold.
        (Direction::Original, TimeWait | Close) => Next::To(SynSent),
        (Direction::Original, SynSent2) => Next::To(SynSent2),
        // Either wrong, or tracking holds a connection that both ends gave up.
        (Direction::Original, _) => Next::Ignore,
        // Simultaneous open (RFC 9293 §3.5).
        (Direction::Reply, SynSent | SynSent2) => Next::To(SynSent2),
        // The ends have swapped roles.
        (Direction::Reply, TimeWait) => Next::To(SynSent),
        (Direction::Reply, _) => Next::Invalid,
    }
}

fn after_syn_ack(state: TcpState, direction: Direction) -> Next {
    use TcpState::*;
    match (direction, state) {
        // Only the second half of a simultaneous open.
        (Direction::Original, SynRecv | SynSent2) => Next::To(SynRecv),
        (Direction::Original, _) | (Direction::Reply, None) => Next::Invalid,
        (Direction::Reply, SynSent | SynSent2) => Next::To(SynRecv),
        // Sent again, or the answer to a SYN that was ignored.
        (Direction::Reply, _) => Next::Ignore,
    }
}

fn after_fin(state: TcpState) -> Next {
    use TcpState::*;
    match state {
        None | SynSent | SynSent2 => Next::Invalid,
        SynRecv | Established => Next::To(FinWait),
        // Of the other end, or the same one again: not told apart.
        FinWait | CloseWait | LastAck => Next::To(LastAck),
        TimeWait => Next::To(TimeWait),
        Close => Next::To(Close),
    }
}

fn after_ack(state: TcpState, direction: Direction) -> Next {
    use TcpState::*;
    match (state, direction) {
        // Picked up in the middle.
        (None, Direction::Original) => Next::To(Established),
        (None, Direction::Reply) => Next::Invalid,
        // No SYN-ACK yet, so there is nothing to acknowledge …
        (SynSent | SynSent2, Direction::Original) => Next::Invalid,
        // … but the server may remember a connection that the client does not.
        (SynSent | SynSent2, Direction::Reply) => Next::Ignore,
        (SynRecv, Direction::Original) => Next::To(Established),
        (SynRecv, Direction::Reply) => Next::To(SynRecv),
        (Established, _) => Next::To(Established),
        (FinWait | CloseWait, _) => Next::To(CloseWait),
        (LastAck | TimeWait, _) => Next::To(TimeWait),
        (Close, _) => Next::To(Close),
    }
}
