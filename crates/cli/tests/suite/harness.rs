//! Running the command, and what it runs on.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Two hosts behind a nat gateway, one of which must not ask for names.
pub(crate) const NAT: &str = "\
vpcs:
  shop:
    cidr: 10.0.0.0/16
    route_table: out
    subnets:
      app: {cidr: 10.0.1.0/24}
route_tables:
  out:
    routes:
      - {to: 0.0.0.0/0, via: nat/gw}
eips:
  gw: {address: 203.0.113.10}
nat_gateways:
  gw: {eips: [gw]}
security_groups:
  app:
    ingress:
      - accept icmp from any
    egress:
      - drop udp all to any
      - accept all to any
cvms:
  app-1: {subnet: app, address: 10.0.1.11, security_groups: [app]}
  app-2: {subnet: app, address: 10.0.1.12, security_groups: [app]}
";

/// [`NAT`] with an eip that nothing uses, on line 12.
pub(crate) fn with_a_spare_eip() -> String {
    NAT.replace(
        "eips:\n  gw:",
        "eips:\n  spare: {address: 203.0.113.99}\n  gw:",
    )
}

/// How output names the rule or route of [`NAT`] that has these words: `(line 20)`.
#[track_caller]
pub(crate) fn line_of(words: &str) -> String {
    let at = NAT.lines().position(|line| line.contains(words)).unwrap();
    format!("(line {})", at + 1)
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The same, if it ended with that status.
    #[track_caller]
    pub(crate) fn status(self, wanted: i32) -> Self {
        assert_eq!(self.status, wanted, "{self:#?}");
        self
    }

    /// The same, if standard error has these words.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {self:#?}");
        }
        self
    }

    /// The same, if standard output has these words.
    #[track_caller]
    pub(crate) fn shows(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.out.contains(word), "no {word:?} in {self:#?}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The command, in surroundings that do not depend on who runs the tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpcsim"));
    command
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null());
    command
}

/// Runs the command.
pub(crate) fn vpcsim<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    ran(command().args(arguments))
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A directory of a test's own.
#[derive(Debug)]
pub(crate) struct Desk(TempDir);

impl Desk {
    /// With [`NAT`] as `net.yaml`.
    pub(crate) fn new() -> Self {
        let desk = Self(TempDir::new().unwrap());
        desk.file("net.yaml", NAT.as_bytes());
        desk
    }

    /// The path of a file on it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Puts a file on it.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Its network.
    pub(crate) fn network(&self) -> String {
        self.path("net.yaml")
    }

    /// Puts a capture of twenty flows between the network's first host and the
    /// internet on it.
    pub(crate) fn traffic(&self, name: &str, more: &[&str]) -> String {
        let path = self.path(name);
        let arguments = [
            "gen",
            "-o",
            &path,
            "--flows",
            "20",
            "--clients",
            "10.0.1.11/32",
        ];
        vpcsim(arguments.iter().chain(more)).status(0);
        path
    }
}

/// A pcap file without packets (little-endian, microseconds, Ethernet).
pub(crate) fn empty_pcap() -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend(2_u16.to_le_bytes());
    file.extend(4_u16.to_le_bytes());
    file.extend([0; 8]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file
}

/// The top of the repository.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a program that need not be there: on a build machine (`CI`) its absence
/// is a failure, elsewhere it is said loudly.
pub(crate) fn tool(program: &str, arguments: &[&str]) -> Option<Ran> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(Ran {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
        Err(error) => {
            let absent = format!("NOT CHECKED: {program} cannot be run ({error})");
            assert!(std::env::var_os("CI").is_none(), "{absent}");
            eprintln!("{absent}");
            None
        }
    }
}
