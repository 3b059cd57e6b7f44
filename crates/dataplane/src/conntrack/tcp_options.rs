//! The TCP options that tracking reads (RFC 7323 window scale, RFC 2018 SACK).

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;

/// RFC 7323 §2.3: larger shifts count as this one.
const MAX_SCALE: u8 = 14;

/// Bytes of one SACK block: left edge, right edge.
const SACK_BLOCK: usize = 8;

/// What a SYN or SYN-ACK offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Offer {
    pub(super) window_scale: Option<u8>,
    pub(super) sack: bool,
}

impl Offer {
    pub(super) fn of(options: &[u8]) -> Self {
        let mut offer = Self::default();
        for (kind, value) in Options(options) {
            match (kind, value) {
                (WINDOW_SCALE, &[shift]) => offer.window_scale = Some(shift.min(MAX_SCALE)),
                (SACK_PERMITTED, []) => offer.sack = true,
                _ => {}
            }
        }
        offer
    }
}

/// The right edges in the first well-formed SACK option.
pub(super) fn sack_right_edges(options: &[u8]) -> impl Iterator<Item = u32> {
    Options(options)
        .find(|(kind, value)| {
            *kind == SACK && !value.is_empty() && value.len().is_multiple_of(SACK_BLOCK)
        })
        .map(|(_, value)| value)
        .unwrap_or_default()
        .chunks_exact(SACK_BLOCK)
        .map(|block| u32::from_be_bytes([block[4], block[5], block[6], block[7]]))
}

/// Kind and value of each option; ends at the first one that does not fit.
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.0 {
                [] | [END, ..] => return None,
                [NO_OPERATION, ref rest @ ..] => self.0 = rest,
                [kind, length, ..] if length >= 2 && usize::from(length) <= self.0.len() => {
                    let (option, rest) = self.0.split_at(usize::from(length));
                    self.0 = rest;
                    return Some((kind, &option[2..]));
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_syn_offers() {
        let options = [2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 0];
        let offer = Offer::of(&options);
        assert_eq!(offer.window_scale, Some(7));
        assert!(offer.sack);
    }

    #[test]
    fn a_scale_beyond_14_counts_as_14() {
        assert_eq!(Offer::of(&[3, 3, 200]).window_scale, Some(14));
    }

    #[test]
    fn stops_at_an_option_that_does_not_fit() {
        assert_eq!(
            Offer::of(&[4, 2, 3, 30]),
            Offer {
                window_scale: None,
                sack: true
            }
        );
        assert_eq!(Offer::of(&[3, 0, 7]), Offer::default());
        assert_eq!(Offer::of(&[3]), Offer::default());
    }

    #[test]
    fn sack_blocks_of_broken_length_are_not_read() {
        let mut options = vec![5, 10, 0, 0, 0, 1, 0, 0, 0, 9];
        assert_eq!(sack_right_edges(&options).collect::<Vec<_>>(), [9]);
        options[1] = 9;
        assert_eq!(sack_right_edges(&options).count(), 0);
    }
}
