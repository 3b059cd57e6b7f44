//! How large packets are.

use crate::random::Random;

/// The sizes of packets that carry data. Handshakes and acknowledgments have their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum SizeMix {
    /// 64-byte Ethernet frames: IPv4 packets of 46 bytes.
    Min64,
    /// Frames of 64, 594 and 1518 bytes as 7 : 4 : 1, the "simple IMIX": IPv4 packets of 46, 576
    /// and 1500 bytes.
    #[default]
    Imix,
    /// 1500-byte IPv4 packets.
    Full1500,
}

impl SizeMix {
    /// The length of the next IPv4 packet in bytes.
    pub(crate) fn next(self, random: &mut Random) -> usize {
        match self {
            Self::Min64 => 46,
            Self::Full1500 => 1500,
            Self::Imix => match random.below(12) {
                0..7 => 46,
                7..11 => 576,
                _ => 1500,
            },
        }
    }
}

/// `64`, `imix`, `1500`.
impl std::str::FromStr for SizeMix {
    type Err = UnknownSizeMix;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "64" => Ok(Self::Min64),
            "imix" | "IMIX" => Ok(Self::Imix),
            "1500" => Ok(Self::Full1500),
            _ => Err(UnknownSizeMix(text.to_owned())),
        }
    }
}

/// A size mix that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no size mix: 64, imix or 1500 wanted")]
pub struct UnknownSizeMix(String);
