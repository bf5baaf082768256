//! `/proc/PID/stat`: one line of numbers, with a name in parentheses that may hold anything, parentheses and line ends too.

/// What is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) parent: u32,
    pub(crate) flags: u64,
    /// Processor time, user and system, in ticks.
    pub(crate) ticks: u64,
    /// Start, in ticks since the machine's.
    pub(crate) started: u64,
    pub(crate) resident_pages: u64,
}

/// `PF_KTHREAD` of the kernel's `sched.h`.
const KERNEL_THREAD: u64 = 0x0020_0000;

impl<'a> Stat<'a> {
    /// `None` where the text has another form. The name ends with the *last* parenthesis: what a process calls itself decides no field.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let open = text.iter().position(|&b| b == b'(')?;
        let close = text.iter().rposition(|&b| b == b')')?;
        let name = text.get(open + 1..close)?;
        // From field 3, the state, on.
        let fields: Vec<&[u8]> =
            text.get(close + 1..)?.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
        let number = |field: usize| {
            fields.get(field - 3).and_then(|text| std::str::from_utf8(text).ok()?.parse::<u64>().ok())
        };
        Some(Self {
            name,
            parent: u32::try_from(number(4)?).ok()?,
            flags: number(9)?,
            ticks: number(14)?.saturating_add(number(15)?),
            started: number(22)?,
            resident_pages: number(24)?,
        })
    }

    pub(crate) fn is_kernel_thread(&self) -> bool {
        self.flags & KERNEL_THREAD != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_decides_no_field() {
        let text = b"42 (a) S 1 (x\n) R 7 42 42 0 -1 4194560 90 0 0 0 11 22 0 0 20 0 1 0 12345 1000 33 18446744073709551615 0 0\n";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(stat.name, b"a) S 1 (x\n");
        assert_eq!((stat.parent, stat.ticks, stat.started, stat.resident_pages), (7, 33, 12345, 33));
        assert!(!stat.is_kernel_thread());
        assert_eq!(Stat::parse(b"42 (a"), None);
        assert_eq!(Stat::parse(b") ("), None);
    }
}
