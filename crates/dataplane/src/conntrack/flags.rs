//! Yes-or-no answers, eight to a byte: so a connection's tracker keeps to 56 bytes.

/// One answer: a bit of a byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag(u8);

impl Flag {
    /// Bit `n`, 0 to 7.
    pub(super) const fn bit(n: u8) -> Self {
        Self(1 << n)
    }
}

/// The answers; all no at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const NONE: Self = Self(0);

    #[inline]
    pub(super) fn has(self, flag: Flag) -> bool {
        self.0 & flag.0 != 0
    }

    #[inline]
    pub(super) fn set(&mut self, flag: Flag, yes: bool) {
        *self = self.with(flag, yes);
    }

    #[inline]
    pub(super) fn with(self, flag: Flag, yes: bool) -> Self {
        Self(self.0 & !flag.0 | (flag.0 * u8::from(yes)))
    }
}
