//! From the ticks of a file to nanoseconds since 1970.

/// How many ticks of a file's clock make a second (pcapng `if_tsresol`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TickRate {
    /// 10 to this power (0 to 127): 6 is microseconds, 9 nanoseconds.
    Decimal(u8),
    /// 2 to this power (0 to 127).
    Binary(u8),
}

impl TickRate {
    /// Microseconds: what a pcapng interface that says nothing has.
    pub const MICROS: Self = Self::Decimal(6);
    /// Nanoseconds.
    pub const NANOS: Self = Self::Decimal(9);

    /// Decodes the byte of an `if_tsresol` option: the top bit says which base, the others the power.
    pub const fn from_option(byte: u8) -> Self {
        if byte & 0x80 == 0 {
            Self::Decimal(byte)
        } else {
            Self::Binary(byte & 0x7f)
        }
    }
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A clock prepared so that a time costs a multiplication, not a power.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    step: Step,
    /// Nanoseconds to add.
    offset: i128,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A tick is this many nanoseconds.
    Multiply(u64),
    /// A nanosecond is this many ticks.
    Divide(u64),
    /// A second is 2 to this power ticks.
    Shift(u8),
    /// A tick is too short for any 64-bit count of them to reach a nanosecond.
    Zero,
}

impl Clock {
    /// A clock of `rate`, `offset` seconds ahead.
    pub(crate) fn new(rate: TickRate, offset: i64) -> Self {
        let step = match rate {
            TickRate::Decimal(power) if power <= 9 => {
                Step::Multiply(10_u64.pow(9 - u32::from(power)))
            }
            // 10^19 is the largest power of ten in 64 bits.
            TickRate::Decimal(power) if power <= 28 => {
                Step::Divide(10_u64.pow(u32::from(power) - 9))
            }
            TickRate::Decimal(_) => Step::Zero,
            TickRate::Binary(power) => Step::Shift(power),
        };
        Self {
            step,
            offset: i128::from(offset) * i128::from(NANOS_PER_SECOND),
        }
    }

    /// The nanoseconds since 1970 of `ticks`, rounded down, and whether they fit: a time that does not is
    /// held at the nearest end of the range.
    #[inline]
    pub(crate) fn nanos(&self, ticks: u64) -> (u64, bool) {
        let nanos = match self.step {
            Step::Multiply(factor) => u128::from(ticks) * u128::from(factor),
            Step::Divide(divisor) => u128::from(ticks / divisor),
            // At most 94 bits wide, and shifted by at most 127.
            Step::Shift(power) => (u128::from(ticks) * u128::from(NANOS_PER_SECOND)) >> power,
            Step::Zero => 0,
        };
        // At most 94 bits: no overflow in 127.
        let shifted = nanos as i128 + self.offset;
        match u64::try_from(shifted) {
            Ok(nanos) => (nanos, true),
            Err(_) if shifted < 0 => (0, false),
            Err(_) => (u64::MAX, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_turns_a_second_into_a_second() {
        for power in 0..=19 {
            let clock = Clock::new(TickRate::Decimal(power), 0);
            assert_eq!(
                clock.nanos(10_u64.pow(u32::from(power))),
                (NANOS_PER_SECOND, true),
                "10^{power}"
            );
        }
        for power in 0..64 {
            let clock = Clock::new(TickRate::Binary(power), 0);
            assert_eq!(
                clock.nanos(1 << power),
                (NANOS_PER_SECOND, true),
                "2^{power}"
            );
        }
    }

    #[test]
    fn no_rate_and_no_offset_overflows() {
        for byte in 0..=255 {
            for offset in [i64::MIN, -1, 0, 1, i64::MAX] {
                let clock = Clock::new(TickRate::from_option(byte), offset);
                for ticks in [0, 1, u64::MAX] {
                    let (nanos, fits) = clock.nanos(ticks);
                    assert!(fits || nanos == 0 || nanos == u64::MAX);
                }
            }
        }
    }

    #[test]
    fn an_offset_moves_times_both_ways() {
        assert_eq!(
            Clock::new(TickRate::MICROS, 2).nanos(5),
            (2_000_005_000, true)
        );
        assert_eq!(
            Clock::new(TickRate::NANOS, -2).nanos(3_000_000_000),
            (1_000_000_000, true)
        );
        assert_eq!(
            Clock::new(TickRate::NANOS, -2).nanos(1_000_000_000),
            (0, false)
        );
    }
}
