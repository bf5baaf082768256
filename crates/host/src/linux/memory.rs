//! Memory and swap (proc(5), `/proc/meminfo`).

use super::number::{lines, number, words};
use crate::{
    rate::percent,
    reading::{Memory, Swap},
};

pub(crate) fn parse(bytes: &[u8]) -> Option<(Memory, Swap)> {
    let of = |name: &[u8]| {
        let line = lines(bytes).find_map(|line| line.strip_prefix(name))?;
        words(line).next().and_then(number).and_then(|kib| kib.checked_mul(1024))
    };
    let total = of(b"MemTotal:")?;
    let cached = of(b"Cached:").unwrap_or(0);
    // Kernels before 3.14 do not estimate it.
    let available = of(b"MemAvailable:").or_else(|| Some(of(b"MemFree:")?.saturating_add(cached)))?;
    let available = available.min(total);
    let used = total - available;
    let memory = Memory { total, available, used, percent: percent(used, total)?, cached: Some(cached) };
    let swap_total = of(b"SwapTotal:").unwrap_or(0);
    let swap_used = swap_total.saturating_sub(of(b"SwapFree:").unwrap_or(swap_total));
    let swap =
        Swap { total: swap_total, used: swap_used, percent: percent(swap_used, swap_total).unwrap_or(0.0) };
    Some((memory, swap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_can_be_had_is_not_used() {
        let text = b"MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 750 kB\nCached: 600 kB\n\
            SwapTotal: 200 kB\nSwapFree: 150 kB\n";
        let (memory, swap) = parse(text).unwrap();
        assert_eq!((memory.used, memory.percent, memory.cached), (250 << 10, 25.0, Some(600 << 10)));
        assert_eq!((swap.used, swap.percent), (50 << 10, 25.0));
        assert_eq!(parse(b"MemTotal: 10 kB\nMemFree: 2 kB\n").unwrap().0.used, 8 << 10);
        assert_eq!(parse(b"MemTotal: x kB\n"), None);
    }
}
