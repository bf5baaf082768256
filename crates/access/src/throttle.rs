//! Slows down whoever guesses: so many wrong keys of one address, then one every few seconds.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use event::Timestamp;

/// How long until one more try is free.
const REFILL: Duration = Duration::from_secs(5);
/// Addresses remembered. Beyond it the one whose last wrong key lies furthest back is forgotten.
const ADDRESSES_MAX: usize = 16_384;

/// The wrong tries of addresses; of IPv6, of networks of 64 bits, which one guest commonly has whole.
#[derive(Debug)]
pub(crate) struct Throttle {
    burst: u32,
    by_address: Mutex<HashMap<IpAddr, Tries>>,
}

/// When all tries would be free again, were there no more wrong ones: a bucket that leaks.
#[derive(Debug, Clone, Copy)]
struct Tries {
    free_at: i64,
    last: i64,
}

impl Throttle {
    /// So many tries at once.
    pub(crate) fn new(burst: u32) -> Self {
        Self { burst: burst.max(1), by_address: Mutex::default() }
    }

    /// How long an address must wait; None when it need not.
    pub(crate) fn wait(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let tries = *self.lock().get(&network(address))?;
        let owed = tries.free_at.saturating_sub(now.as_nanos());
        let most = i64::from(self.burst.saturating_sub(1)).saturating_mul(nanos(REFILL));
        (owed > most).then(|| Duration::from_nanos((owed - most).unsigned_abs()))
    }

    /// A wrong key came.
    pub(crate) fn failed(&self, address: IpAddr, now: Timestamp) {
        let mut table = self.lock();
        let now = now.as_nanos();
        let address = network(address);
        if table.len() >= ADDRESSES_MAX && !table.contains_key(&address) {
            table.retain(|_, tries| tries.free_at > now);
            let oldest = table.iter().min_by_key(|(_, tries)| tries.last).map(|(address, _)| *address);
            if let Some(oldest) = oldest.filter(|_| table.len() >= ADDRESSES_MAX) {
                table.remove(&oldest);
            }
        }
        let most = i64::from(self.burst).saturating_mul(nanos(REFILL));
        let tries = table.entry(address).or_insert(Tries { free_at: now, last: now });
        tries.free_at = tries.free_at.max(now).saturating_add(nanos(REFILL)).min(now.saturating_add(most));
        tries.last = now;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, Tries>> {
        self.by_address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000).unwrap()
    }

    #[test]
    fn a_burst_is_free_and_then_one_try_every_few_seconds() {
        let throttle = Throttle::new(3);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(throttle.wait(address, at(100)), None);
            throttle.failed(address, at(100));
        }
        assert_eq!(throttle.wait(address, at(100)), Some(REFILL));
        throttle.failed(address, at(100));
        assert_eq!(throttle.wait(address, at(100)), Some(REFILL), "debts do not grow without end");
        assert_eq!(throttle.wait(address, at(105)), None);
        throttle.failed(address, at(105));
        assert_eq!(throttle.wait(address, at(106)), Some(Duration::from_secs(4)));
        assert_eq!(throttle.wait("192.0.2.2".parse().unwrap(), at(106)), None);
        assert_eq!(throttle.wait(address, at(200)), None);
    }

    #[test]
    fn one_network_is_one_address() {
        let throttle = Throttle::new(1);
        throttle.failed("2001:db8::1".parse().unwrap(), at(1));
        throttle.failed("::ffff:192.0.2.1".parse().unwrap(), at(1));
        for (address, waits) in
            [("2001:db8::2", true), ("2001:db8:0:1::1", false), ("192.0.2.1", true), ("192.0.2.2", false)]
        {
            assert_eq!(throttle.wait(address.parse().unwrap(), at(1)).is_some(), waits, "{address}");
        }
    }

    #[test]
    fn the_table_does_not_grow_without_end() {
        let throttle = Throttle::new(1);
        for number in 0..ADDRESSES_MAX as u32 + 10 {
            throttle.failed(IpAddr::V4(number.into()), at(i64::from(number / 10_000)));
        }
        assert_eq!(throttle.lock().len(), ADDRESSES_MAX);
        assert!(throttle.wait(IpAddr::V4((ADDRESSES_MAX as u32 + 9).into()), at(1)).is_some());
    }
}
