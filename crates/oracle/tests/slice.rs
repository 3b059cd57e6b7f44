//! A slice of the comparison with the kernel, in about half a minute.
#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

use std::collections::BTreeSet;
use vpcsim_oracle::Summary;
use vpcsim_oracle::exceptions::Exception;
use vpcsim_oracle::run::{missing, run};

/// Packets in all areas together.
const PACKETS: u64 = 400_000;

#[test]
fn kernel_and_dataplane_agree() {
    let missing = missing();
    if !missing.is_empty() {
        let text = format!(
            "NOT CHECKED: that packets meet the same in a Linux kernel; missing: {}",
            missing.join(", ")
        );
        assert!(std::env::var_os("CI").is_none(), "{text}");
        eprintln!("{text}");
        return;
    }
    let reports = run(None, PACKETS, 1).expect("the kernel side works");
    println!("{}", Summary(&reports));
    let mut unexplained = Vec::new();
    let mut shown = BTreeSet::new();
    for report in reports {
        shown.extend(report.exceptions.keys().copied());
        assert!(report.packets > 0, "{}: nothing was compared", report.name);
        unexplained.extend(report.unexplained);
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n\n"));
    // A difference on purpose that nothing shows is none.
    for exception in Exception::ALL {
        assert!(shown.contains(exception), "nothing shows {exception}");
    }
}
