//! `oracle`: the full comparison with the kernel, and its summary.
#![deny(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;
    use vpcsim_oracle::Summary;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let number = |name: &str, default: u64| option(name).map_or(Ok(default), |text| text.parse());
    let (Ok(packets), Ok(seed)) = (number("--packets", 1_200_000), number("--seed", 1)) else {
        eprintln!("usage: oracle [--area AREA] [--packets N] [--seed S]");
        return ExitCode::from(2);
    };
    let missing = vpcsim_oracle::run::missing();
    if !missing.is_empty() {
        eprintln!(
            "NOT CHECKED against a kernel: missing {}",
            missing.join(", ")
        );
        return ExitCode::from(2);
    }
    match vpcsim_oracle::run::run(option("--area").as_deref(), packets, seed) {
        Ok(reports) => {
            print!("{}", Summary(&reports));
            let unexplained: Vec<_> = reports.iter().flat_map(|r| &r.unexplained).collect();
            for difference in &unexplained {
                println!("\nUNEXPLAINED {difference}");
            }
            if unexplained.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("NOT CHECKED against a kernel: this is not Linux");
}
