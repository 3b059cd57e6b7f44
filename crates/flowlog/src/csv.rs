//! Records as CSV (RFC 4180).

use crate::record::{FIELDS, Record, STATUS, VERSION};
use std::borrow::Cow;
use std::io::{self, Write};

/// Writes the line that names the fields.
pub(crate) fn header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", FIELDS.join(","))
}

/// Writes one record.
pub(crate) fn record(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    let Record {
        account_id,
        interface_id,
        source,
        destination,
        source_port,
        destination_port,
        protocol,
        packets,
        bytes,
        start,
        end,
        action,
    } = record;
    let (account, nic, action) = (quoted(account_id), quoted(interface_id), action.name());
    writeln!(
        out,
        "{VERSION},{account},{nic},{source},{destination},{source_port},{destination_port},\
         {protocol},{packets},{bytes},{start},{end},{action},{STATUS}"
    )
}

fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}
