//! pcapng out.

use std::io::Write;

use super::{WriteError, buffer::Buffer};
use crate::{LinkType, MAX_RECORD};

/// Options of the section header (draft §4.1), the interface description (§4.2) and of any block (§3.5).
const SHB_USERAPPL: u16 = 4;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;
const OPT_COMMENT: u16 = 1;

/// opt_endofopt (draft §3.5).
const END_OF_OPTIONS: [u8; 4] = [0; 4];
/// Bytes of an enhanced packet block (draft §4.3) without packet and options.
const ENHANCED_PACKET: usize = 32;

/// The longest text of an option, in bytes; longer ones are cut between characters.
const TEXT_LIMIT: usize = 65_532;

/// Writes pcapng (draft-ietf-opsawg-pcapng): one little-endian section, times in nanoseconds.
///
/// The same calls give the same bytes, on every machine and in every run: no clock, no host name.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: Buffer<W>,
    /// The snaplen of each interface.
    snaplens: Vec<u32>,
}

impl<W: Write> Writer<W> {
    /// Starts a file: a section of unknown length, written by `vpcsim`.
    ///
    /// # Errors
    /// When the output refuses the header.
    pub fn new(out: W) -> Result<Self, WriteError> {
        let mut writer = Self {
            out: Buffer::new(out),
            snaplens: Vec::new(),
        };
        let mut options = Vec::new();
        text_option(&mut options, SHB_USERAPPL, "vpcsim");
        let mut head = [0; 16];
        head[0..4].copy_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        head[4..6].copy_from_slice(&1_u16.to_le_bytes());
        head[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        writer.block(0x0a0d_0d0a, &head, options)?;
        Ok(writer)
    }

    /// From here on a thread of its own hands bytes to the output; what that refuses, a later call says.
    pub fn write_behind(&mut self)
    where
        W: Send + 'static,
    {
        self.out.write_behind();
    }

    /// Adds an interface, at any time, and returns the number that its packets are written with.
    ///
    /// At most `snaplen` bytes of each packet are kept; 0 means all of them.
    ///
    /// # Errors
    /// When the output refuses it or the link type has no 16-bit number.
    pub fn add_interface(
        &mut self,
        name: &str,
        link_type: LinkType,
        snaplen: u32,
        description: Option<&str>,
    ) -> Result<u32, WriteError> {
        let number =
            u16::try_from(link_type.0).map_err(|_| WriteError::LinkType { got: link_type.0 })?;
        let mut options = Vec::new();
        text_option(&mut options, IF_NAME, name);
        if let Some(description) = description {
            text_option(&mut options, IF_DESCRIPTION, description);
        }
        option(&mut options, IF_TSRESOL, &[9]);
        let mut head = [0; 8];
        head[0..2].copy_from_slice(&number.to_le_bytes());
        head[4..8].copy_from_slice(&snaplen.to_le_bytes());
        self.block(1, &head, options)?;
        self.snaplens.push(snaplen);
        Ok(self.snaplens.len() as u32 - 1)
    }

    /// Writes a packet that `interface` saw `time` nanoseconds after 1970 and that had `original_len` bytes
    /// (never less than `data` has: the larger of the two is written), with a comment if it has one.
    ///
    /// # Errors
    /// When the output refuses it, the interface has not been added, or the packet is too long to be read
    /// back.
    pub fn write(
        &mut self,
        interface: u32,
        time: u64,
        original_len: u32,
        data: &[u8],
        comment: Option<&str>,
    ) -> Result<(), WriteError> {
        let Some(&snaplen) = self.snaplens.get(interface as usize) else {
            return Err(WriteError::UnknownInterface {
                got: interface,
                known: self.snaplens.len() as u32,
            });
        };
        // Room for the block around it and for the longest comment.
        const LIMIT: usize = MAX_RECORD - (128 << 10);
        if data.len() > LIMIT {
            return Err(WriteError::TooLong {
                limit: LIMIT,
                got: data.len(),
            });
        }
        let original_len = original_len.max(data.len() as u32);
        let kept = if snaplen == 0 {
            data.len()
        } else {
            data.len().min(snaplen as usize)
        };
        let data = &data[..kept];
        let comment = comment.map(shortened);
        let options = comment.map_or(0, |text| 8 + text.len().next_multiple_of(4));
        let padding = data.len().next_multiple_of(4) - data.len();
        // All parts are limited to less than MAX_RECORD together.
        let len = ENHANCED_PACKET + data.len() + padding + options;
        let mut head = [0; ENHANCED_PACKET - 4];
        let words = [
            6,
            len as u32,
            interface,
            (time >> 32) as u32,
            time as u32,
            data.len() as u32,
            original_len,
        ];
        for (place, word) in head.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let out = self.out.room(len)?;
        out.extend_from_slice(&head);
        out.extend_from_slice(data);
        out.extend_from_slice(&[0; 3][..padding]);
        if let Some(comment) = comment {
            option(out, OPT_COMMENT, comment.as_bytes());
            out.extend_from_slice(&END_OF_OPTIONS);
        }
        out.extend_from_slice(&(len as u32).to_le_bytes());
        Ok(())
    }

    /// Hands everything written so far to the output.
    ///
    /// # Errors
    /// When the output refuses it.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    /// Ends the file and gives the output back.
    ///
    /// # Errors
    /// When the output refuses the last bytes.
    pub fn finish(self) -> Result<W, WriteError> {
        Ok(self.out.finish()?)
    }

    /// Writes a block without a packet: its fixed fields, and its options.
    fn block(&mut self, kind: u32, head: &[u8], mut options: Vec<u8>) -> Result<(), WriteError> {
        options.extend_from_slice(&END_OF_OPTIONS);
        // Names are limited to 2^16 bytes.
        let len = 12 + head.len() + options.len();
        let (kind, stated) = (kind.to_le_bytes(), (len as u32).to_le_bytes());
        let out = self.out.room(len)?;
        for part in [&kind, &stated, head, &options, &stated] {
            out.extend_from_slice(part);
        }
        Ok(())
    }
}

/// Adds an option to those of a block.
fn option(options: &mut Vec<u8>, code: u16, value: &[u8]) {
    // TEXT_LIMIT keeps every value below 2^16 bytes.
    options.extend_from_slice(&code.to_le_bytes());
    options.extend_from_slice(&(value.len() as u16).to_le_bytes());
    options.extend_from_slice(value);
    let padding = value.len().next_multiple_of(4) - value.len();
    options.extend_from_slice(&[0; 3][..padding]);
}

fn text_option(options: &mut Vec<u8>, code: u16, text: &str) {
    option(options, code, shortened(text).as_bytes());
}

/// A text as an option can hold it.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_LIMIT)]
}
