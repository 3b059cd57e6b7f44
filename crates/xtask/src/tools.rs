//! Programs that tasks call, and how to get them.

use std::path::Path;
use std::process::{Command, Stdio};

/// A program that a task calls when it is there.
pub(crate) struct Tool {
    program: &'static str,
    /// The Debian package that has it.
    package: &'static str,
    /// What no test can see without it.
    checks: &'static str,
}

/// What tests call.
pub(crate) const FOR_TESTS: &[Tool] = &[
    Tool {
        program: "tshark",
        package: "tshark",
        checks: "that Wireshark reads the captures vpcsim writes, packet for packet",
    },
    Tool {
        program: "capinfos",
        package: "tshark",
        checks: "that capinfos counts the packets, interfaces and times of written captures alike",
    },
    Tool {
        program: "chromium",
        package: "chromium",
        checks: "that pages and drawings look right in a browser",
    },
    Tool {
        program: "ip",
        package: "iproute2",
        checks: "that packets meet the same in a Linux kernel",
    },
    Tool {
        program: "nft",
        package: "nftables",
        checks: "that packets meet the same in a Linux kernel",
    },
];

/// What a replay is measured beside.
pub(crate) const FOR_VERSUS: &[Tool] = &[
    Tool {
        program: "tcpdump",
        package: "tcpdump",
        checks: "how fast a replay is beside a copy by tcpdump",
    },
    Tool {
        program: "tcprewrite",
        package: "tcpreplay",
        checks: "how fast a replay is beside a rewrite by tcprewrite",
    },
];
/// What a picture of a page needs.
pub(crate) const FOR_PICTURES: &[Tool] = &[Tool {
    program: "chromium",
    package: "chromium",
    checks: "what a page looks like",
}];

/// What the count of instructions needs.
pub(crate) const FOR_INSTRUCTIONS: &[Tool] = &[Tool {
    program: "valgrind",
    package: "valgrind",
    checks: "how many instructions a packet of a live flow costs",
}];

/// Installs what is missing, or says what will not be checked. Whether all is there.
///
/// Never fails: whoever calls the program decides what its absence means (on a
/// build machine, where `CI` is set, a failure).
pub(crate) fn provide(tools: &[Tool]) -> bool {
    let mut packages: Vec<_> = missing(tools).map(|tool| tool.package).collect();
    packages.dedup();
    if packages.is_empty() {
        return true;
    }
    if can_install() {
        println!("installing with apt-get: {}", packages.join(" "));
        install(&packages);
    }
    for tool in missing(tools) {
        println!("NOT CHECKED: {}", tool.checks);
        println!(
            "             ({} is missing; as root: apt-get install {})",
            tool.program, tool.package
        );
    }
    missing(tools).next().is_none()
}

fn missing(tools: &[Tool]) -> impl Iterator<Item = &Tool> {
    tools.iter().filter(|tool| !on_path(tool.program))
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

fn can_install() -> bool {
    on_path("apt-get") && is_root()
}

fn is_root() -> bool {
    // `/proc/self` belongs to the user that runs this process.
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Path::new("/proc/self")
            .metadata()
            .is_ok_and(|m| m.uid() == 0)
    }
    #[cfg(not(unix))]
    {
        false
    }
}

fn install(packages: &[&str]) {
    // The lists on the machine may do when an update fails.
    apt_get(&["update", "-qq"]);
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments);
}

fn apt_get(arguments: &[&str]) {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("apt-get {} failed: {status}", arguments.join(" ")),
        Err(error) => eprintln!("apt-get cannot be run: {error}"),
    }
}
