//! The devices of a shard: records in chunks, their codes beside them. Knows no clock and no connection.
//!
//! ```text
//! record  104 bytes   life of the code, device, due instant, link of the wheel, who it is
//! code     33 bytes   the device code, of 43 characters for example, packed; longer ones stand by themselves
//! user     12 bytes   the user code, only in chunks where somebody is going to decide
//! ```
//!
//! Memory grows in chunks, so nothing is ever copied, and the slot of a device that ended is used again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use super::packed::Form;
use super::wheel::{Links, NOBODY};
use crate::device::Device;
use crate::oracle::Life;

/// Records in one chunk.
const CHUNK: u32 = 4096;

/// Bytes kept for a user code beside the record.
const USER_WIDTH: usize = 16;

/// One device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// What the oracle knows of its code.
    pub(super) life: Life,
    /// When it polls next.
    pub(super) device: Device,
    /// The fingerprint of its user code.
    pub(super) user_code: u64,
    /// When it is due, in ms since the epoch.
    pub(super) due: u32,
    /// Its number in its group.
    pub(super) number: u32,
    link: u32,
    /// Its group.
    pub(super) group: u8,
    /// Its client, among those of the scenario.
    pub(super) client: u8,
    /// Where it stands.
    pub(super) stage: Stage,
    /// What is still to come for it.
    pub(super) flags: u8,
}

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody is here.
    Free,
    /// It is to ask for codes.
    Asking,
    /// It has codes.
    Waiting,
    /// It polls no more, but a decision about its code is still to come.
    Ended,
    /// That decision came out, too late: it asks once more whether it took effect.
    Again,
}

/// All devices of a shard.
#[derive(Debug)]
pub(super) struct Population {
    /// What a record without a code has in place of a life.
    blank: Life,
    chunks: Vec<Chunk>,
    free: u32,
    /// How the device codes are kept; the first one decides.
    form: Option<Form>,
    long_codes: HashMap<u32, Box<[u8]>>,
    long_user_codes: HashMap<u32, Box<[u8]>>,
}

#[derive(Debug)]
struct Chunk {
    records: Vec<Record>,
    codes: Vec<u8>,
    lengths: Option<Box<[u8]>>,
    user_codes: Vec<u8>,
}

impl Population {
    /// None yet. Until it has a code, a device has this life.
    #[must_use]
    pub(super) fn new(blank: Life) -> Self {
        Self {
            blank,
            chunks: Vec::new(),
            free: NOBODY,
            form: None,
            long_codes: HashMap::new(),
            long_user_codes: HashMap::new(),
        }
    }

    /// A slot for a new device that is going to ask for codes.
    pub(super) fn add(&mut self, group: u8, client: u8, number: u32, due: u32) -> u32 {
        let record = Record {
            life: self.blank,
            device: Device::new(Duration::ZERO, None, None),
            user_code: 0,
            due,
            number,
            link: NOBODY,
            group,
            client,
            stage: Stage::Asking,
            flags: 0,
        };
        if self.free != NOBODY {
            let id = self.free;
            if let Some(place) = self.get_mut(id) {
                let next = place.link;
                *place = record;
                self.free = next;
                return id;
            }
        }
        if self.chunks.last().is_none_or(|chunk| chunk.records.len() == CHUNK as usize) {
            self.chunks.push(Chunk {
                records: Vec::with_capacity(CHUNK as usize),
                codes: Vec::new(),
                lengths: None,
                user_codes: Vec::new(),
            });
        }
        let before = u32::try_from(self.chunks.len() - 1).unwrap_or(u32::MAX).saturating_mul(CHUNK);
        let Some(chunk) = self.chunks.last_mut() else { return NOBODY };
        chunk.records.push(record);
        before + u32::try_from(chunk.records.len() - 1).unwrap_or(0)
    }

    /// The slot is free again.
    pub(super) fn remove(&mut self, id: u32) {
        self.long_codes.remove(&id);
        self.long_user_codes.remove(&id);
        let next = self.free;
        if let Some(record) = self.get_mut(id) {
            record.stage = Stage::Free;
            record.link = next;
            self.free = id;
        }
    }

    /// A device.
    #[must_use]
    pub(super) fn get(&self, id: u32) -> Option<&Record> {
        self.chunks.get((id / CHUNK) as usize)?.records.get((id % CHUNK) as usize)
    }

    /// A device, to be changed.
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Record> {
        self.chunks.get_mut((id / CHUNK) as usize)?.records.get_mut((id % CHUNK) as usize)
    }

    /// Keeps the device code, and the user code where somebody is going to use it.
    pub(super) fn keep_codes(&mut self, id: u32, device_code: &[u8], user_code: Option<&[u8]>) {
        let form = *self.form.get_or_insert_with(|| Form::like(device_code));
        let nth = (id % CHUNK) as usize;
        let Some(chunk) = self.chunks.get_mut((id / CHUNK) as usize) else { return };
        if !chunk.keep(nth, form, device_code) {
            self.long_codes.insert(id, device_code.into());
        } else {
            self.long_codes.remove(&id);
        }
        let Some(user_code) = user_code else { return };
        if !chunk.keep_user(nth, user_code) {
            self.long_user_codes.insert(id, user_code.into());
        } else {
            self.long_user_codes.remove(&id);
        }
    }

    /// The device code.
    #[must_use]
    pub(super) fn device_code(&self, id: u32) -> Cow<'_, [u8]> {
        if let Some(code) = self.long_codes.get(&id) {
            return Cow::Borrowed(code);
        }
        let kept = self.form.and_then(|form| {
            let chunk = self.chunks.get((id / CHUNK) as usize)?;
            chunk.code((id % CHUNK) as usize, form)
        });
        Cow::Owned(kept.unwrap_or_default())
    }

    /// The user code, where it was kept.
    #[must_use]
    pub(super) fn user_code(&self, id: u32) -> &[u8] {
        if let Some(code) = self.long_user_codes.get(&id) {
            return code;
        }
        let nth = (id % CHUNK) as usize;
        let Some(chunk) = self.chunks.get((id / CHUNK) as usize) else { return &[] };
        let kept = chunk.user_codes.get(nth * USER_WIDTH..(nth + 1) * USER_WIDTH).unwrap_or(&[]);
        kept.split(|&byte| byte == 0).next().unwrap_or(&[])
    }
}

impl Chunk {
    /// Keeps a code in the common form; false when that cannot be.
    fn keep(&mut self, nth: usize, form: Form, code: &[u8]) -> bool {
        let (longest, width) = (form.longest, form.bytes(form.longest));
        if self.codes.is_empty() {
            self.codes = vec![0; width * CHUNK as usize];
        }
        let place = self.codes.get_mut(nth * width..(nth + 1) * width);
        if !place.is_some_and(|place| form.write(code, place)) {
            return false;
        }
        if code.len() < longest && self.lengths.is_none() {
            self.lengths = Some(vec![u8::try_from(longest).unwrap_or(u8::MAX); CHUNK as usize].into());
        }
        if let Some(length) = self.lengths.as_mut().and_then(|lengths| lengths.get_mut(nth)) {
            *length = u8::try_from(code.len()).unwrap_or(u8::MAX);
        }
        true
    }

    fn code(&self, nth: usize, form: Form) -> Option<Vec<u8>> {
        let width = form.bytes(form.longest);
        let kept = self.codes.get(nth * width..(nth + 1) * width)?;
        let length = self.lengths.as_ref().and_then(|lengths| lengths.get(nth));
        form.read(kept, length.map_or(form.longest, |&length| length.into()))
    }

    fn keep_user(&mut self, nth: usize, code: &[u8]) -> bool {
        if code.len() > USER_WIDTH || code.contains(&0) {
            return false;
        }
        if self.user_codes.is_empty() {
            self.user_codes = vec![0; USER_WIDTH * CHUNK as usize];
        }
        if let Some(place) = self.user_codes.get_mut(nth * USER_WIDTH..(nth + 1) * USER_WIDTH) {
            place.fill(0);
            if let Some(front) = place.get_mut(..code.len()) {
                front.copy_from_slice(code);
            }
        }
        true
    }
}

impl Links for Population {
    fn link(&self, id: u32) -> u32 {
        self.get(id).map_or(NOBODY, |record| record.link)
    }
    fn set_link(&mut self, id: u32, next: u32) {
        if let Some(record) = self.get_mut(id) {
            record.link = next;
        }
    }
    fn due(&self, id: u32) -> u32 {
        self.get(id).map_or(0, |record| record.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Oracle, Table, Terms};
    use crate::requirement::Requirements;
    use crate::timing::Constants;

    #[test]
    fn a_record_is_as_small_as_ten_million_want_it() {
        assert_eq!(size_of::<Record>(), 104);
    }

    #[test]
    fn codes_of_any_length_are_kept_and_slots_are_used_again() {
        let oracle = Oracle::new(
            Table::builtin(&Requirements::builtin().unwrap()).unwrap(),
            Terms::new(&Constants::new()),
        );
        let mut devices = Population::new(oracle.issued(Duration::ZERO, Duration::ZERO, None, None));
        let codes: Vec<Vec<u8>> =
            (0..9000_usize).map(|n| format!("{n:0width$}", width = 40 + n % 7).into_bytes()).collect();
        let ids: Vec<u32> = (0..9000).map(|n| devices.add(0, 0, n, 0)).collect();
        for (id, code) in ids.iter().zip(&codes) {
            devices.keep_codes(*id, code, (id % 3 == 0).then_some(b"WDJB-MJHT"));
        }
        for (id, code) in ids.iter().zip(&codes) {
            assert_eq!(devices.device_code(*id), &code[..]);
            assert_eq!(devices.user_code(*id), if id % 3 == 0 { b"WDJB-MJHT" as &[u8] } else { b"" });
        }
        devices.remove(17);
        devices.remove(4711);
        assert_eq!(devices.add(1, 0, 1, 0), 4711);
        assert_eq!(devices.add(1, 0, 2, 0), 17);
        devices.keep_codes(17, &[b'x'; 300], Some(&[b'y'; 40]));
        assert_eq!(devices.device_code(17), &[b'x'; 300][..]);
        assert_eq!(devices.user_code(17), [b'y'; 40]);
        devices.remove(17);
        assert_eq!(devices.add(1, 0, 3, 0), 17);
        devices.keep_codes(17, b"short", Some(b"AB"));
        assert_eq!((&*devices.device_code(17), devices.user_code(17)), (b"short" as &[u8], b"AB" as &[u8]));
        assert_eq!(devices.add(1, 0, 4, 0), 9000);
    }
}
