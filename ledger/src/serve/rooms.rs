//! Room for what is large or lasts: so much in all, so much for one caller, so that nobody takes what others need.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rooms that callers may hold.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    all_max: usize,
    each_max: usize,
    held: Arc<Mutex<BTreeMap<u32, usize>>>,
}

/// A room; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    rooms: Rooms,
    principal: u32,
}

impl Rooms {
    /// `all_max` at once, of which one caller has at most `each_max`.
    pub(super) fn new(all_max: usize, each_max: usize) -> Self {
        Self { all_max, each_max, held: Arc::default() }
    }

    /// A room for `principal`; `None` when there is none.
    pub(super) fn take(&self, principal: u32) -> Option<Room> {
        let mut held = self.lock();
        let mine = held.get(&principal).copied().unwrap_or(0);
        if mine >= self.each_max || held.values().sum::<usize>() >= self.all_max {
            return None;
        }
        held.insert(principal, mine + 1);
        Some(Room { rooms: self.clone(), principal })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, usize>> {
        // Counts are changed in one step: a panic elsewhere leaves them right.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut held = self.rooms.lock();
        let left = held.get(&self.principal).map_or(0, |mine| mine.saturating_sub(1));
        // Those who hold nothing are forgotten: the map is as small as the house.
        if left == 0 {
            held.remove(&self.principal)
        } else {
            held.insert(self.principal, left)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_leaves_room_for_others_and_gives_it_back() {
        let rooms = Rooms::new(3, 2);
        let mine = [rooms.take(1), rooms.take(1)];
        assert!(mine.iter().all(Option::is_some) && rooms.take(1).is_none());
        let other = rooms.take(2);
        assert!(other.is_some() && rooms.take(3).is_none());
        drop(other);
        assert!(rooms.take(1).is_none() && rooms.take(3).is_some());
        drop(mine);
        assert!(rooms.take(1).is_some() && rooms.lock().is_empty());
    }
}
