//! The TCP options that tracking reads (RFC 7323 window scale, RFC 2018 SACK).

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;

/// RFC 7323 §2.3: larger shifts count as this one.
const MAX_SCALE: u8 = 14;

/// Two no-operations before timestamps, so that these are aligned; they end the options.
const TIMESTAMPS_ALONE: [u8; 4] = [NO_OPERATION, NO_OPERATION, 8, 10];
const TIMESTAMPS_LEN: usize = 12;

/// Bytes of one SACK block: left edge, right edge.
const SACK_BLOCK: usize = 8;

/// What a SYN or SYN-ACK offers, in one byte: the shift in the low four bits (at most 14), then
/// whether windows are scaled, then whether selective acknowledgments are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Offer(u8);

const SHIFT: u8 = 0b00_1111;
const SCALING: u8 = 0b01_0000;
const SACKING: u8 = 0b10_0000;

impl Offer {
    /// Selective acknowledgments, no scaling.
    pub(super) const SACK: Self = Self(SACKING);

    pub(super) fn of(options: &[u8]) -> Self {
        let mut offer = Self::default();
        for (kind, value) in Options(options) {
            match (kind, value) {
                (WINDOW_SCALE, &[shift]) => {
                    offer.0 = offer.0 & SACKING | SCALING | shift.min(MAX_SCALE);
                }
                (SACK_PERMITTED, []) => offer.0 |= SACKING,
                _ => {}
            }
        }
        offer
    }

    /// Shift of the sender's windows; 0 without scaling.
    #[inline]
    pub(super) fn scale(self) -> u8 {
        self.0 & SHIFT
    }

    pub(super) fn scaling(self) -> bool {
        self.0 & SCALING != 0
    }

    #[inline]
    pub(super) fn sack(self) -> bool {
        self.0 & SACKING != 0
    }

    /// The same offer, of which nothing came: the other end does not scale.
    pub(super) fn unscaled(self) -> Self {
        Self(self.0 & !SHIFT)
    }
}

/// The right edges in the first well-formed SACK option.
#[inline]
pub(super) fn sack_right_edges(options: &[u8]) -> impl Iterator<Item = u32> {
    // Nearly every segment has timestamps alone, and laid out like this (RFC 7323 appendix A).
    let timestamps_alone =
        options.len() == TIMESTAMPS_LEN && options.starts_with(&TIMESTAMPS_ALONE);
    Options(if timestamps_alone { &[] } else { options })
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
        assert!(offer.scaling() && offer.sack());
        assert_eq!(offer.scale(), 7);
        assert_eq!(offer.unscaled().scale(), 0);
        assert!(offer.unscaled().scaling() && offer.unscaled().sack());
    }

    #[test]
    fn a_scale_beyond_14_counts_as_14() {
        assert_eq!(Offer::of(&[3, 3, 200]).scale(), 14);
    }

    #[test]
    fn stops_at_an_option_that_does_not_fit() {
        assert_eq!(Offer::of(&[4, 2, 3, 30]), Offer::SACK);
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

    #[test]
    fn the_last_scale_of_several_counts() {
        assert_eq!(Offer::of(&[3, 3, 14, 3, 3, 1]).scale(), 1);
    }

    #[test]
    fn timestamps_hide_no_sack_that_follows_them() {
        let timestamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
        assert_eq!(sack_right_edges(&timestamps).count(), 0);
        let both = [&timestamps[..], &[1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9]].concat();
        assert_eq!(sack_right_edges(&both).collect::<Vec<_>>(), [9]);
    }
}
