//! `vpcsim completions` and `vpcsim man`: made from the command line's own
//! definition.

use crate::args::{Cli, STATUS};
use crate::failure::Failure;
use crate::output::{Output, Status};
use clap::CommandFactory;
use clap::builder::Resettable;
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};
use std::io;

/// Prints a completion script.
pub(crate) fn completions(shell: Shell, output: &Output) -> Result<Status, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vpcsim", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Status::Done)
}

/// Prints a manual page.
pub(crate) fn man(command: Option<&str>, output: &Output) -> Result<Status, Failure> {
    let mut whole = Cli::command();
    // Gives the commands their full names and the global options.
    whole.build();
    let page = match command {
        None => whole,
        Some(name) => whole.find_subcommand(name).cloned().ok_or_else(|| {
            let names: Vec<_> = whole.get_subcommands().map(|c| c.get_name()).collect();
            Failure::new(format!("there is no command `{name}`"))
                .with_help(format!("the commands are {}", names.join(", ")))
        })?,
    };
    let mut text = Vec::new();
    render(page, &mut text)
        .map_err(|error| Failure::new(format!("cannot make the manual page: {error}")))?;
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(Status::Done)
}

/// The page that clap's definition makes, with the exit status where manual
/// pages have it.
fn render(command: clap::Command, text: &mut Vec<u8>) -> io::Result<()> {
    let page = Man::new(command.after_help(Resettable::Reset));
    page.render(text)?;
    let mut status = Roff::new();
    status.control("SH", ["EXIT STATUS"]);
    for (number, meaning) in STATUS {
        status.control("TP", []);
        status.text([roman(number.to_string())]);
        status.text([roman(meaning)]);
    }
    status.to_writer(text)
}
