//! Pools of addresses.

use crate::random::Random;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// The host addresses of some prefixes, by number.
///
/// Of a prefix of /29 or shorter the network, the first (the router's) and the broadcast address
/// are left out; of longer ones nothing is.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    nets: Vec<Ipv4Net>,
}

impl Pool {
    pub(crate) fn new(nets: &[Ipv4Net]) -> Self {
        Self {
            nets: nets.to_vec(),
        }
    }

    /// How many addresses there are.
    pub(crate) fn len(&self) -> u64 {
        self.nets.iter().map(|net| hosts(*net).1).sum()
    }

    /// The address with this number, counted on past the end from the start.
    pub(crate) fn get(&self, number: u64) -> Option<Ipv4Addr> {
        let mut number = number.checked_rem(self.len())?;
        for net in &self.nets {
            let (first, count) = hosts(*net);
            if number < count {
                return Some(Ipv4Addr::from(first.wrapping_add(number as u32)));
            }
            number -= count;
        }
        None
    }

    /// Any address.
    pub(crate) fn any(&self, random: &mut Random) -> Option<Ipv4Addr> {
        self.get(random.below(self.len()))
    }
}

/// The first host address of a prefix, and how many there are.
fn hosts(net: Ipv4Net) -> (u32, u64) {
    let all = 1_u64 << (32 - net.prefix_len());
    let first = u32::from(net.network());
    if all < 8 {
        (first, all)
    } else {
        (first + 2, all - 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(nets: &[&str]) -> Pool {
        let nets: Vec<Ipv4Net> = nets.iter().map(|net| net.parse().unwrap()).collect();
        Pool::new(&nets)
    }

    #[test]
    fn routers_and_broadcasts_are_nobody() {
        let pool = pool(&["10.0.0.0/29", "192.0.2.7/32"]);
        let all: Vec<_> = (0..pool.len()).filter_map(|n| pool.get(n)).collect();
        let named: Vec<Ipv4Addr> = [
            "10.0.0.2",
            "10.0.0.3",
            "10.0.0.4",
            "10.0.0.5",
            "10.0.0.6",
            "192.0.2.7",
        ]
        .iter()
        .map(|a| a.parse().unwrap())
        .collect();
        assert_eq!(all, named);
        assert_eq!(pool.get(6), pool.get(0));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert_eq!(pool(&[]).get(3), None);
        assert_eq!(pool(&["0.0.0.0/0"]).len(), (1 << 32) - 3);
    }
}
