//! The options at the end of a pcapng block (draft-ietf-opsawg-pcapng §3.5).

use crate::ByteOrder;

/// Option codes that are read (draft §4.2, interface description block).
pub(super) const IF_NAME: u16 = 2;
pub(super) const IF_DESCRIPTION: u16 = 3;
pub(super) const IF_TSRESOL: u16 = 9;
pub(super) const IF_TSOFFSET: u16 = 14;

const END_OF_OPTIONS: u16 = 0;

/// The most bytes of a text that are kept.
const TEXT_LIMIT: usize = 255;

/// Walks options: code and value of each, or the length that does not fit.
pub(super) struct Options<'a> {
    rest: &'a [u8],
    byte_order: ByteOrder,
}

/// An option that claims more bytes than its block has left.
#[derive(Debug)]
pub(super) struct TooLong {
    pub(super) limit: usize,
    pub(super) got: usize,
}

impl<'a> Options<'a> {
    pub(super) fn new(bytes: &'a [u8], byte_order: ByteOrder) -> Self {
        Self {
            rest: bytes,
            byte_order,
        }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<(u16, &'a [u8]), TooLong>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.len() < 4 {
            return None;
        }
        let code = self.byte_order.u16(self.rest, 0);
        let len = usize::from(self.byte_order.u16(self.rest, 2));
        let body = &self.rest[4..];
        if code == END_OF_OPTIONS {
            return None;
        }
        let Some(value) = body.get(..len) else {
            self.rest = &[];
            return Some(Err(TooLong {
                limit: body.len(),
                got: len,
            }));
        };
        self.rest = body.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok((code, value)))
    }
}

/// A text option: what is not UTF-8 is replaced, what is too long is cut.
pub(super) fn text(value: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&value[..value.len().min(TEXT_LIMIT)]).into_owned();
    text.truncate(text.floor_char_boundary(TEXT_LIMIT));
    text.shrink_to_fit();
    text
}
