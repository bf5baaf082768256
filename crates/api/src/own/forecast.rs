//! When the disk will be full, at the pace of the last days.

use std::time::Duration;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// What a forecast rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Bytes that may still be taken: those that are free, but for those that stay in reserve.
    pub usable_bytes: u64,
    /// Bytes that the index has.
    pub index_bytes: u64,
    /// Events that take them.
    pub index_events: u64,
    /// Events of the last 24 hours, by their own time.
    pub events_of_day: u64,
    /// Events of the last 7 days.
    pub events_of_week: u64,
    /// Age after which events are deleted.
    pub retention: Option<Duration>,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forecast {
    /// The greater of the last day and of the mean of the last week: a quiet day promises nothing.
    pub events_a_day: u64,
    /// At what an event takes in the index now.
    pub bytes_a_day: u64,
    /// What the index comes to once as much is deleted as comes.
    pub bytes_at_retention: Option<u64>,
    /// When no byte is left, at the earliest; None where that never comes: nothing grows, or what is deleted makes enough room.
    pub full_in: Option<Duration>,
}

/// None where there is nothing to tell from: no event in the index.
pub(super) fn forecast(room: &Room) -> Option<Forecast> {
    if room.index_events == 0 {
        return None;
    }
    let events_a_day = room.events_of_day.max(room.events_of_week.div_ceil(7));
    let bytes_a_day = scaled(events_a_day, room.index_bytes, room.index_events);
    let bytes_at_retention =
        room.retention.map(|retention| scaled(bytes_a_day, retention.as_secs(), DAY.as_secs()));
    let most = room.index_bytes.saturating_add(room.usable_bytes);
    let is_enough = bytes_at_retention.is_some_and(|bytes| bytes <= most);
    let full_in = (bytes_a_day > 0 && !is_enough)
        .then(|| Duration::from_secs(scaled(room.usable_bytes, DAY.as_secs(), bytes_a_day)));
    Some(Forecast { events_a_day, bytes_a_day, bytes_at_retention, full_in })
}

/// `amount * times / of`; `of` is above 0.
fn scaled(amount: u64, times: u64, of: u64) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(times) / u128::from(of)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;
    const ROOM: Room = Room {
        usable_bytes: 90 * GB,
        index_bytes: 30 * GB,
        index_events: 1_000_000_000,
        events_of_day: 100_000_000,
        events_of_week: 700_000_000,
        retention: None,
    };

    fn days(forecast: Option<Forecast>) -> Option<u64> {
        forecast.unwrap().full_in.map(|time| time.as_secs() / DAY.as_secs())
    }

    #[test]
    fn it_is_full_when_the_pace_has_taken_what_is_left() {
        let found = forecast(&ROOM).unwrap();
        assert_eq!((found.events_a_day, found.bytes_a_day), (100_000_000, 3 * GB));
        assert_eq!(days(Some(found)), Some(30));
        assert_eq!(days(forecast(&Room { usable_bytes: 0, ..ROOM })), Some(0), "the reserve is reached");
    }

    #[test]
    fn a_quiet_day_promises_nothing_and_a_busy_one_counts() {
        assert_eq!(days(forecast(&Room { events_of_day: 0, ..ROOM })), Some(30));
        assert_eq!(days(forecast(&Room { events_of_day: 300_000_000, ..ROOM })), Some(10));
        let found = forecast(&Room { events_of_day: 0, events_of_week: 0, ..ROOM }).unwrap();
        assert_eq!((found.bytes_a_day, found.full_in), (0, None));
    }

    #[test]
    fn what_is_deleted_makes_room() {
        let kept = |days: u32| forecast(&Room { retention: Some(DAY * days), ..ROOM }).unwrap();
        assert_eq!((kept(30).bytes_at_retention, kept(30).full_in), (Some(90 * GB), None));
        assert_eq!(kept(40).full_in, None, "it comes to exactly what there is");
        assert_eq!(kept(41).bytes_at_retention, Some(123 * GB));
        assert_eq!(days(Some(kept(41))), Some(30));
    }

    #[test]
    fn of_nothing_there_is_no_forecast_and_no_figure_overflows() {
        assert_eq!(forecast(&Room { index_events: 0, ..ROOM }), None);
        let most = Room {
            usable_bytes: u64::MAX,
            index_bytes: u64::MAX,
            index_events: 1,
            events_of_day: u64::MAX,
            events_of_week: u64::MAX,
            retention: Some(Duration::MAX),
        };
        assert_eq!(forecast(&most).unwrap().bytes_a_day, u64::MAX);
    }
}
