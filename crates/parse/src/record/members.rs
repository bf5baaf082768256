//! When a record's event happened and how bad it was: of several values the first that can be read.

use event::{Severity, Timestamp, Value, field};

use super::{Record, Slot};
use crate::{
    Context,
    names::{self, Member},
    scale, stamp, time,
};

impl<'a> Record<'a> {
    /// The values of a member that were given, by rank.
    pub(super) fn candidates(&mut self, member: Member) -> Vec<Slot<'a>> {
        let mut all: Vec<_> = self.slots[member as usize].take().into_iter().collect();
        all.extend(self.further.extract_if(.., |slot| slot.named.member == member));
        all.sort_by_key(|slot| slot.named.rank);
        all
    }

    pub(super) fn timestamp(&mut self, context: &Context<'_>) -> Timestamp {
        // Nearly always one is given, and can be read.
        if self.further.is_empty()
            && let Some(slot) = &self.slots[Member::Timestamp as usize]
            && let Some(read) = stamp::of(&slot.value, context)
            && (stamp::is_plausible(read) || slot.named.is_own)
        {
            self.slots[Member::Timestamp as usize] = None;
            return read;
        }
        let mut candidates = self.candidates(Member::Timestamp);
        let read: Vec<_> = candidates.iter().map(|slot| stamp::of(&slot.value, context)).collect();
        let find = |is_wanted: &dyn Fn(&Slot<'a>, Timestamp) -> bool| {
            let mut all = read.iter().zip(&candidates).enumerate();
            all.find_map(|(at, (read, slot))| {
                read.filter(|read| is_wanted(slot, *read)).map(|read| (at, read))
            })
        };
        let found = find(&|_, read| stamp::is_plausible(read)).or_else(|| find(&|slot, _| slot.named.is_own));
        if let Some((at, timestamp)) = found {
            candidates.remove(at);
            candidates.into_iter().for_each(|slot| self.unused(slot));
            return timestamp;
        }
        let together = self.date_and_time(&candidates, context);
        let mut is_replaced = self.shapeless_timestamp;
        for slot in candidates {
            if together.is_none() && slot.named.is_own && !self.flags.timestamp_replaced {
                (self.flags.timestamp_replaced, is_replaced) = (true, true);
                self.label("timestamp", slot.value);
            } else {
                self.unused(slot);
            }
        }
        self.flags.timestamp_replaced = is_replaced && together.is_none();
        together.unwrap_or(context.received)
    }

    /// `date=2026-10-22 time=21:59:01`, in the zone that `timezone` or `tz` names.
    pub(super) fn date_and_time(&self, candidates: &[Slot<'a>], context: &Context<'_>) -> Option<Timestamp> {
        let text = |name: &str| {
            candidates.iter().find(|slot| slot.path == name).and_then(|slot| slot.value.as_str())
        };
        let (date, clock) = (text("date")?, text("time")?);
        let zone = |path: &str| self.fields.iter().find(|field| field.path == path)?.value.as_str();
        let zone = zone("labels.timezone").or_else(|| zone("labels.tz"));
        let zoned = zone.and_then(|zone| time::parse(&format!("{date} {clock} {}", zone.trim()), context));
        zoned.or_else(|| time::parse(&format!("{date} {clock}"), context))
    }

    pub(super) fn level(&mut self) -> Option<Severity> {
        if self.further.is_empty()
            && let Some(slot) = &self.slots[Member::Level as usize]
            && let Value::String(text) = &slot.value
            && slot.path != "s"
            && let Some(severity) = Severity::from_name(text)
            && severity.as_str().eq_ignore_ascii_case(text)
        {
            self.slots[Member::Level as usize] = None;
            return Some(severity);
        }
        let mut candidates = self.candidates(Member::Level);
        let is_mongodb =
            self.fields.iter().any(|field| field.path == "labels.c" || field.path == "labels.ctx");
        candidates.retain_mut(|slot| {
            let stays = slot.path != "s" || is_mongodb;
            if !stays {
                let value = std::mem::replace(&mut slot.value, Value::Null);
                self.label(&slot.path, value);
            }
            stays
        });
        // Nextcloud and ownCloud count from debug (0) to fatal (4).
        let is_cloud = self.fields.iter().any(|field| field.path == "labels.reqId");
        let level = |slot: &Slot<'a>| match slot.value {
            Value::Int(number) if is_cloud => scale::cloud(number).map(|severity| (severity, false)),
            _ => scale::level(&slot.path, &slot.value),
        };
        let read: Vec<_> = candidates.iter().map(level).collect();
        let found = read.iter().position(Option::is_some);
        for (at, (slot, read)) in candidates.into_iter().zip(&read).enumerate() {
            let is_said = matches!(read, Some((_, true))) || slot.value.as_str() == Some("");
            if Some(at) == found || (found.is_none() && at == 0 && slot.named.is_own) {
                // Another spelling than the level's own is kept.
                if !is_said {
                    self.label("level", slot.value);
                }
            } else {
                self.unused(slot);
            }
        }
        read.get(found?).copied().flatten().map(|(severity, _)| severity)
    }

    /// The level of a record within the record.
    pub(super) fn nested_level(&self) -> Option<Severity> {
        self.fields.iter().find_map(|field| {
            let (_, last) = field.path.strip_prefix(field::LABELS)?.rsplit_once('.')?;
            let is_level =
                names::member(last).is_some_and(|named| named.member == Member::Level && named.is_own);
            let value = field.value.as_str().filter(|_| is_level)?;
            // Windows numbers its levels the other way round than syslog does.
            let name = if field.path.ends_with(".system.level") { "system.level" } else { last };
            scale::level(name, &Value::String(value.into())).map(|(severity, _)| severity)
        })
    }
}
