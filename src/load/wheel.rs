//! A hashed wheel of 1 ms slots: which devices are due. Knows no clock and no device.
//!
//! A slot is the head of a list that runs through links of the devices themselves, so that an entry costs no memory of
//! its own and is put in and taken out in constant work. What is due in a later round of the wheel stays in its slot.

/// No device.
pub(super) const NOBODY: u32 = u32::MAX;

/// Where the wheel finds the link and the due instant of a device.
pub(super) trait Links {
    /// The next in the same list.
    fn link(&self, id: u32) -> u32;
    /// Sets the next in the same list.
    fn set_link(&mut self, id: u32, next: u32);
    /// When it is due, in ms since the epoch.
    fn due(&self, id: u32) -> u32;
}

/// The wheel.
#[derive(Debug)]
pub(super) struct Wheel {
    heads: Vec<u32>,
    /// Every instant up to this one has been taken out, in ms since the epoch.
    turned: u32,
}

impl Wheel {
    /// A wheel for waits that are mostly shorter than `longest` ms. Longer ones cost one look for each round.
    #[must_use]
    pub(super) fn new(longest: u32) -> Self {
        let slots = longest.clamp(1 << 10, 1 << 19).next_power_of_two();
        Self { heads: vec![NOBODY; slots as usize], turned: 0 }
    }

    /// Puts a device in at its due instant; one that is overdue comes out at the next turn.
    pub(super) fn insert(&mut self, id: u32, links: &mut impl Links) {
        let at = links.due(id).max(self.turned.saturating_add(1));
        let slot = self.slot(at);
        if let Some(head) = self.heads.get_mut(slot) {
            links.set_link(id, *head);
            *head = id;
        }
    }

    /// Takes out all that is due up to and including `now` ms, the earliest slot first.
    pub(super) fn turn(&mut self, now: u32, links: &mut impl Links, mut out: impl FnMut(u32)) {
        // After a long stop of the process one round shows every slot.
        let last = u32::try_from(self.heads.len()).unwrap_or(u32::MAX);
        let first = self.turned.saturating_add(1).max(now.saturating_sub(last - 1));
        for at in first..=now {
            let slot = self.slot(at);
            let Some(head) = self.heads.get_mut(slot) else { continue };
            let mut next = std::mem::replace(head, NOBODY);
            let mut later = NOBODY;
            while next != NOBODY {
                let id = next;
                next = links.link(id);
                if links.due(id) <= now {
                    out(id);
                } else {
                    links.set_link(id, later);
                    later = id;
                }
            }
            if let Some(head) = self.heads.get_mut(slot) {
                *head = later;
            }
        }
        self.turned = self.turned.max(now);
    }

    const fn slot(&self, at: u32) -> usize {
        at as usize & (self.heads.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Table(Vec<(u32, u32)>);

    impl Links for Table {
        fn link(&self, id: u32) -> u32 {
            self.0[id as usize].0
        }
        fn set_link(&mut self, id: u32, next: u32) {
            self.0[id as usize].0 = next;
        }
        fn due(&self, id: u32) -> u32 {
            self.0[id as usize].1
        }
    }

    proptest! {
        #[test]
        fn each_comes_out_once_and_not_before_its_time(
            dues in prop::collection::vec(0_u32..5_000, 1..200),
            steps in prop::collection::vec(1_u32..900, 1..40),
        ) {
            let mut table = Table(dues.iter().map(|&due| (NOBODY, due)).collect());
            let mut wheel = Wheel::new(1);
            for id in 0..u32::try_from(dues.len()).unwrap() {
                wheel.insert(id, &mut table);
            }
            let mut out = vec![None; dues.len()];
            let mut before = 0;
            let mut now = 0;
            for step in steps.iter().chain([&6_000]) {
                now += step;
                let mut here = Vec::new();
                wheel.turn(now, &mut table, |id| here.push(id));
                for id in here {
                    let due = dues[id as usize];
                    prop_assert!(due <= now);
                    prop_assert!(due > before || due == 0, "late: due {due}, in ({before}, {now}]");
                    prop_assert_eq!(out[id as usize].replace(now), None);
                }
                before = now;
            }
            prop_assert!(out.iter().all(Option::is_some));
        }
    }

    #[test]
    fn who_is_overdue_comes_at_the_next_turn_and_who_comes_back_waits_again() {
        let mut table = Table(vec![(NOBODY, 10)]);
        let mut wheel = Wheel::new(1);
        wheel.turn(50, &mut table, |_| panic!("empty"));
        wheel.insert(0, &mut table);
        let mut out = Vec::new();
        wheel.turn(51, &mut table, |id| out.push(id));
        assert_eq!(out, [0]);
        table.0[0].1 = 51 + 1024;
        wheel.insert(0, &mut table);
        wheel.turn(51 + 1023, &mut table, |_| panic!("early"));
        wheel.turn(51 + 1024, &mut table, |id| out.push(id));
        assert_eq!(out, [0, 0]);
    }
}
