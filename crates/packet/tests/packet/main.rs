//! What the packet crate promises, one file per promise. Properties are checked against
//! etherparse and pnet_packet, against packets built afresh, and on hostile bytes.

#[cfg(test)]
mod checksums;
#[cfg(test)]
mod fragments;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod glance;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod made_here;
#[cfg(test)]
mod names;
#[cfg(test)]
mod parsing;
#[cfg(test)]
mod quoted;
#[cfg(test)]
mod rewriting;
#[cfg(test)]
mod verifying;
