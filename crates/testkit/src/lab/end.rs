//! What became of one packet, and what to expect of it.

use std::fmt;
use std::sync::Arc;
use vpcsim_dataplane::{Decision, Drop, Other, Program, Role, Stop, Verdict};
use vpcsim_packet::{FlowKey, Headers, IcmpBody, Transport, Verdict as Checksum, verify_checksums};

/// One stop of the walk, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The network made this packet.
    pub generated: bool,
    /// `acl-ingress`.
    pub stage: &'static str,
    /// `edge`.
    pub element: String,
    /// `accepted`, `delivered at db-1/eth0`, `dropped acl-deny`, `held`.
    pub decision: String,
    /// `ingress 2`.
    pub rule: Option<String>,
    /// `mid_stream`.
    pub policy: Option<&'static str>,
    /// The packet as it leaves the stage: `tcp 10.0.1.10:40000 > 10.0.2.10:80`.
    pub packet: String,
}

impl Seen {
    pub(super) fn of(program: &Program, stop: &Stop<'_>) -> Self {
        Self {
            generated: stop.generated,
            stage: stop.stage.name(),
            element: program.element_name(stop.element),
            decision: match stop.decision {
                Decision::Pass(outcome) => outcome.name().to_owned(),
                Decision::Deliver(place) => format!("delivered at {}", program.place_name(place)),
                Decision::Drop(reason) => format!("dropped {reason}"),
                Decision::Hold => "held".to_owned(),
            },
            rule: stop.rule.map(|rule| rule.to_string()),
            policy: stop.policy.map(|policy| policy.name()),
            packet: flow(stop.headers),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = if self.generated { " (generated)" } else { "" };
        write!(
            f,
            "  {:<22} {:<16} {:<28} {}{made}",
            self.stage, self.element, self.decision, self.packet
        )?;
        if let Some(rule) = &self.rule {
            write!(f, "  by {rule}")?;
        }
        if let Some(policy) = self.policy {
            write!(f, "  policy {policy}")?;
        }
        Ok(())
    }
}

/// What became of one packet. The `delivered_at`, `dropped`, … methods panic when it went
/// otherwise, and print every stop of the walk.
#[derive(Debug, Clone)]
#[must_use = "say what you expect of it"]
pub struct End {
    program: Arc<Program>,
    verdict: Verdict,
    bytes: Vec<u8>,
    stops: Vec<Seen>,
    others: Vec<Other>,
}

impl End {
    pub(super) fn new(
        program: Arc<Program>,
        verdict: Verdict,
        bytes: Vec<u8>,
        stops: Vec<Seen>,
        others: Vec<Other>,
    ) -> Self {
        Self {
            program,
            verdict,
            bytes,
            stops,
            others,
        }
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The packet as it looks where it ended.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The headers as they look where it ended.
    ///
    /// # Panics
    /// When it is malformed.
    #[track_caller]
    pub fn headers(&self) -> Headers {
        match Headers::parse(&self.bytes) {
            Ok(headers) => headers,
            Err(malformed) => panic!("{malformed}\n{self}"),
        }
    }

    /// The flow as it looks where it ended: `tcp 203.0.113.7:40000 > 10.0.1.10:80`.
    #[track_caller]
    pub fn flow(&self) -> String {
        flow(&self.headers())
    }

    /// Every stop of the walk, those of packets that the network made included.
    pub fn stops(&self) -> &[Seen] {
        &self.stops
    }

    /// Packets that ended during this walk beside the one that was sent.
    pub fn others(&self) -> &[Other] {
        &self.others
    }

    /// The packets that the network made on this one's account, each as an end of its own.
    pub fn generated(&self) -> Vec<Self> {
        self.role(Role::Generated)
    }

    /// The packets that were held and have ended now.
    pub fn released(&self) -> Vec<Self> {
        self.role(Role::Captured)
    }

    /// The pieces that it was cut into.
    pub fn pieces(&self) -> Vec<Self> {
        self.role(Role::Piece)
    }

    fn role(&self, role: Role) -> Vec<Self> {
        let ours = self.others.iter().filter(|other| other.role == role);
        ours.map(|other| Self {
            program: Arc::clone(&self.program),
            verdict: other.verdict,
            bytes: other.bytes.clone(),
            stops: self.stops.clone(),
            others: Vec::new(),
        })
        .collect()
    }

    /// Where it was delivered, or why it was not: `db-1/eth0`, `acl-deny`, `held`.
    pub fn outcome(&self) -> String {
        match self.verdict {
            Verdict::Delivered(place) => self.program.place_name(place),
            Verdict::Dropped(drop) => drop.reason.name().to_owned(),
            Verdict::NotIpv4 => "not-ipv4".to_owned(),
            Verdict::Malformed(_) => "malformed".to_owned(),
            Verdict::Unattributed => "unattributed".to_owned(),
            Verdict::Held => "held".to_owned(),
        }
    }

    /// It arrived at `place`: `db-1/eth0`, `internet`, `external:office`, `nat:gw`.
    #[track_caller]
    pub fn delivered_at(&self, place: &str) -> &Self {
        match self.verdict {
            Verdict::Delivered(at) if self.program.place_name(at) == place => self,
            _ => panic!("expected: delivered at {place}\n{self}"),
        }
    }

    /// It was dropped for `reason` at `stage` by `element`.
    #[track_caller]
    pub fn dropped(&self, reason: &str, stage: &str, element: &str) -> &Self {
        match self.verdict {
            Verdict::Dropped(drop)
                if drop.reason.name() == reason
                    && drop.stage.name() == stage
                    && self.program.element_name(drop.element) == element =>
            {
                self
            }
            _ => panic!("expected: dropped {reason} at {stage} by {element}\n{self}"),
        }
    }

    /// It was dropped by this rule (`ingress 2`, `egress implicit deny`, `routes 1`).
    #[track_caller]
    pub fn by_rule(&self, rule: &str) -> &Self {
        let decided = self.drop().and_then(|drop| drop.rule);
        if decided.is_none_or(|decided| decided.to_string() != rule) {
            panic!("expected: by rule {rule}\n{self}");
        }
        self
    }

    /// It was dropped by this policy (`mid_stream`).
    #[track_caller]
    pub fn by_policy(&self, policy: &str) -> &Self {
        let decided = self.drop().and_then(|drop| drop.policy);
        if decided.is_none_or(|decided| decided.name() != policy) {
            panic!("expected: by policy {policy}\n{self}");
        }
        self
    }

    /// It waits for its first fragment.
    #[track_caller]
    pub fn held(&self) -> &Self {
        if self.verdict != Verdict::Held {
            panic!("expected: held\n{self}");
        }
        self
    }

    /// It passed `stage` like this: `("acl-ingress", "same-subnet")`.
    #[track_caller]
    pub fn passed(&self, stage: &str, decision: &str) -> &Self {
        let did = |seen: &Seen| seen.stage == stage && seen.decision == decision;
        if !self.stops.iter().any(did) {
            panic!("expected: {decision} at {stage}\n{self}");
        }
        self
    }

    /// It never came to `stage`.
    #[track_caller]
    pub fn never_at(&self, stage: &str) -> &Self {
        if self.stops.iter().any(|seen| seen.stage == stage) {
            panic!("expected: never at {stage}\n{self}");
        }
        self
    }

    /// Every checksum of it is right: outer ones, and those of the packet that it quotes, as far
    /// as their bytes are there.
    #[track_caller]
    pub fn checksums_are_right(&self) -> &Self {
        let headers = self.headers();
        let mut reports = vec![verify_checksums(&self.bytes, &headers)];
        if let Transport::Icmp(icmp) = headers.transport
            && let IcmpBody::Error(quoted) = icmp.body
            && let Some(inner) = self.bytes.get(quoted.offset..headers.total_len)
            && let Ok(headers) = Headers::parse(inner)
        {
            reports.push(verify_checksums(inner, &headers));
        }
        for report in reports {
            if [report.ip, report.transport].contains(&Checksum::Wrong) {
                panic!("expected: right checksums, not {report:?}\n{self}");
            }
        }
        self
    }

    /// The flow of the packet that this ICMP error quotes, as the error's receiver sees it.
    ///
    /// # Panics
    /// When it quotes none.
    #[track_caller]
    pub fn quoted(&self) -> String {
        match self.headers().transport {
            Transport::Icmp(icmp) => match icmp.body {
                IcmpBody::Error(quoted) => quoted.key.to_string(),
                _ => panic!("quotes nothing\n{self}"),
            },
            _ => panic!("quotes nothing\n{self}"),
        }
    }

    fn drop(&self) -> Option<Drop> {
        match self.verdict {
            Verdict::Dropped(drop) => Some(drop),
            _ => None,
        }
    }
}

/// Every stop and the verdict.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for seen in &self.stops {
            writeln!(f, "{seen}")?;
        }
        match self.verdict {
            Verdict::Delivered(place) => {
                write!(f, "  = delivered at {}", self.program.place_name(place))
            }
            Verdict::Dropped(drop) => write!(
                f,
                "  = dropped {} at {} by {}",
                drop.reason,
                drop.stage,
                self.program.element_name(drop.element)
            ),
            Verdict::Malformed(malformed) => write!(f, "  = malformed: {malformed}"),
            _ => write!(f, "  = {}", self.outcome()),
        }
    }
}

fn flow(headers: &Headers) -> String {
    match FlowKey::of(headers) {
        Some(key) => key.to_string(),
        None => format!(
            "{} {} > {} offset {}",
            headers.protocol, headers.source, headers.destination, headers.fragment_offset
        ),
    }
}
