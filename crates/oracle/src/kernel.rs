//! A Linux kernel on the bench: a network namespace with TUN ports, fed one packet at a time.

use crate::sys;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Command, Stdio};

/// What a namespace shall look like. Ports are made first, then
/// the two scripts run, then the sysctls are set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Names of the TUN ports.
    pub(crate) ports: Vec<&'static str>,
    /// `net/…` below `/proc/sys`, and the value.
    pub(crate) sysctls: Vec<(String, String)>,
    /// Lines for `ip -batch`.
    pub(crate) ip: String,
    /// A ruleset for `nft -f`; empty: no netfilter at all.
    pub(crate) nft: String,
    /// IP protocols whose locally delivered packets are read.
    pub(crate) local_protocols: Vec<u8>,
}

/// Where the kernel let a packet out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum At {
    /// By this port.
    Port(usize),
    /// It was delivered to the namespace itself.
    Local,
}

/// A namespace of its own. Made on a thread that does nothing else: the thread stays inside.
#[derive(Debug)]
pub(crate) struct Kernel {
    namespace: File,
    ports: Vec<File>,
    local: Vec<File>,
    netfilter: Option<File>,
    buffer: Vec<u8>,
}

/// Sysctls that hold for every namespace, so that no default of the machine matters.
const COMMON: &[(&str, &str)] = &[
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    ("net/ipv4/conf/all/accept_redirects", "0"),
    ("net/ipv4/conf/default/accept_redirects", "0"),
    ("net/ipv4/conf/all/log_martians", "0"),
    ("net/ipv4/conf/default/log_martians", "0"),
    ("net/ipv4/icmp_ratelimit", "0"),
    ("net/ipv4/icmp_ratemask", "0"),
    ("net/ipv4/ip_default_ttl", "64"),
    ("net/ipv4/ip_no_pmtu_disc", "0"),
];

/// The same for namespaces that track connections.
const TRACKING: &[(&str, &str)] = &[
    ("nf_conntrack_checksum", "0"),
    ("nf_conntrack_log_invalid", "0"),
    ("nf_conntrack_tcp_max_retrans", "3"),
    ("nf_conntrack_tcp_ignore_invalid_rst", "0"),
];

/// `NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE`, which without a tuple deletes all.
const DELETE_CONNECTIONS: u16 = 0x0102;
/// `NLM_F_REQUEST | NLM_F_ACK`
const REQUEST_WITH_ANSWER: u16 = 0x0005;
const NETLINK_ERROR: u16 = 2;

impl Kernel {
    /// Makes the namespace; the calling thread stays in it.
    ///
    /// # Errors
    /// What went wrong, with the output of the program that failed.
    pub(crate) fn new(setup: &Setup) -> io::Result<Self> {
        let mut kernel = Self {
            namespace: sys::new_net_namespace()?,
            ports: Vec::new(),
            local: setup
                .local_protocols
                .iter()
                .map(|&protocol| sys::local_packets(protocol))
                .collect::<io::Result<_>>()?,
            netfilter: (!setup.nft.is_empty())
                .then(sys::netfilter_socket)
                .transpose()?,
            buffer: vec![0; 1 << 16],
        };
        for (name, value) in COMMON {
            kernel.sysctl(name, value)?;
        }
        // After the defaults, which they take over.
        for name in &setup.ports {
            kernel.ports.push(sys::open_tun(name)?);
        }
        let mut links = String::from("link set dev lo up\n");
        for name in &setup.ports {
            links += &format!("link set dev {name} up\n");
        }
        pipe("ip", &["-batch", "-"], &links)?;
        for name in &setup.ports {
            pipe(
                "tc",
                &["qdisc", "replace", "dev", name, "root", "noqueue"],
                "",
            )?;
        }
        pipe("ip", &["-batch", "-"], &setup.ip)?;
        if !setup.nft.is_empty() {
            pipe("nft", &["-f", "-"], &setup.nft)?;
            for (name, value) in TRACKING {
                kernel.sysctl(&format!("net/netfilter/{name}"), value)?;
            }
        }
        for (name, value) in &setup.sysctls {
            kernel.sysctl(name, value)?;
        }
        Ok(kernel)
    }

    /// Sets a sysctl of the namespace.
    ///
    /// # Errors
    /// When the kernel does not have it or does not take the value.
    pub(crate) fn sysctl(&self, name: &str, value: &str) -> io::Result<()> {
        sys::enter_net_namespace(&self.namespace)?;
        let path = format!("/proc/sys/{name}");
        fs::write(&path, value).map_err(|error| io::Error::other(format!("{path}: {error}")))
    }

    /// A packet arrives at a port. Returns what left before the kernel was done with it: by
    /// port, in order; what is not there was dropped.
    ///
    /// # Errors
    /// When a port fails for another reason than the packet.
    pub(crate) fn inject(&mut self, port: usize, packet: &[u8]) -> io::Result<Vec<(At, Vec<u8>)>> {
        match self.ports[port].write(packet) {
            Ok(_) => {}
            // Not even an IP version: the interface refuses it.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {}
            Err(error) => return Err(error),
        }
        let mut seen = Vec::new();
        let ports = (0..).map(At::Port).zip(&mut self.ports);
        let local = self.local.iter_mut().map(|local| (At::Local, local));
        for (at, source) in ports.chain(local) {
            loop {
                match source.read(&mut self.buffer) {
                    Ok(length) => seen.push((at, self.buffer[..length].to_vec())),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(seen)
    }

    /// Forgets every connection.
    ///
    /// # Errors
    /// When netlink refuses.
    pub(crate) fn forget_connections(&mut self) -> io::Result<()> {
        let Some(netfilter) = &mut self.netfilter else {
            return Ok(());
        };
        // struct nlmsghdr, then struct nfgenmsg: any family.
        let mut request = Vec::with_capacity(20);
        request.extend_from_slice(&20_u32.to_ne_bytes());
        request.extend_from_slice(&DELETE_CONNECTIONS.to_ne_bytes());
        request.extend_from_slice(&REQUEST_WITH_ANSWER.to_ne_bytes());
        request.extend_from_slice(&[0; 12]);
        netfilter.write_all(&request)?;
        let length = netfilter.read(&mut self.buffer)?;
        let answer = &self.buffer[..length];
        let field = |at: usize| answer.get(at..at + 4).and_then(|b| b.try_into().ok());
        let kind = field(4).map(|bytes| u32::from_ne_bytes(bytes) as u16);
        let error = field(16).map(i32::from_ne_bytes);
        match (kind, error) {
            (Some(NETLINK_ERROR), Some(0)) => Ok(()),
            (Some(NETLINK_ERROR), Some(error)) => Err(io::Error::from_raw_os_error(-error)),
            _ => Err(io::Error::other("netlink gave no answer")),
        }
    }
}

/// Runs a program with this input in the thread's namespace.
fn pipe(program: &str, arguments: &[&str], input: &str) -> io::Result<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::other(format!("{program}: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let command = format!("{program} {}", arguments.join(" "));
    Err(io::Error::other(format!("{command}\n{input}\n{complaint}")))
}
