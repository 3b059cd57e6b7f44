//! What of one network is what of the other: those of the same name.

use crate::places::Places;
use hashbrown::HashMap;
use vpcsim_dataplane::{Place, Program, Source};
use vpcsim_network::{CvmId, NicId};

/// Places and hosts of the old network, with those of the same name in the new one.
#[derive(Debug)]
pub(super) struct Twins {
    old: Places,
    new: Places,
    /// By the number of the old place, the number of the new one.
    places: Vec<Option<usize>>,
    cvms: Vec<Option<CvmId>>,
}

impl Twins {
    pub(super) fn new(old: &Program, new: &Program) -> Self {
        let (old_places, new_places) = (Places::new(old), Places::new(new));
        let by_name: HashMap<String, usize> = new_places
            .all()
            .map(|place| (new.place_name(place), new_places.number(place)))
            .collect();
        let places = old_places
            .all()
            .map(|place| by_name.get(&old.place_name(place)).copied());
        let cvms: HashMap<&str, CvmId> = (0..)
            .map(CvmId)
            .zip(&new.network().cvms)
            .map(|(id, cvm)| (cvm.name.as_str(), id))
            .collect();
        let twin = |name: &str| cvms.get(name).copied();
        Self {
            places: places.collect(),
            cvms: (old.network().cvms.iter())
                .map(|cvm| twin(&cvm.name))
                .collect(),
            old: old_places,
            new: new_places,
        }
    }

    /// Whether a place of the old network and one of the new have the same name.
    #[inline]
    pub(super) fn same_place(&self, old: Place, new: Place) -> bool {
        self.places[self.old.number(old)] == Some(self.new.number(new))
    }

    /// Whether packets start at the same place.
    #[inline]
    pub(super) fn same_source(&self, old: Option<Source>, new: Option<Source>) -> bool {
        match (old, new) {
            (None, None) | (Some(Source::Internet), Some(Source::Internet)) => true,
            (Some(Source::Cvm(old)), Some(Source::Cvm(new))) => self.cvms[old.index()] == Some(new),
            (Some(Source::Nic(old)), Some(Source::Nic(new))) => self.same_nic(old, new),
            (Some(Source::External(old)), Some(Source::External(new))) => {
                self.same_place(Place::External(old), Place::External(new))
            }
            _ => false,
        }
    }

    fn same_nic(&self, old: NicId, new: NicId) -> bool {
        self.same_place(Place::Nic(old), Place::Nic(new))
    }
}
