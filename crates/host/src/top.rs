//! Which processes take most.

/// What a process takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Takes<T> {
    /// Whose it is.
    pub(crate) of: T,
    /// In percent of one processor.
    pub(crate) cpu_percent: f64,
    /// Memory, in whatever unit is the same for all.
    pub(crate) rss: u64,
    /// Read and written, in bytes a second; None where that is not known.
    pub(crate) io_bytes_s: Option<f64>,
}

/// Those that take most of each, the most time first, none twice. What takes nothing is none of them.
pub(crate) fn top<T: Copy + PartialEq>(mut all: Vec<Takes<T>>, each: usize) -> Vec<Takes<T>> {
    let mut top: Vec<Takes<T>> = Vec::new();
    let orders: [fn(&Takes<T>) -> f64; 3] =
        [|one| one.cpu_percent, |one| one.rss as f64, |one| one.io_bytes_s.unwrap_or(0.0)];
    for of in orders {
        let wanted = each.min(all.len());
        if wanted == 0 {
            break;
        }
        all.select_nth_unstable_by(wanted - 1, |a, b| of(b).total_cmp(&of(a)));
        for one in all.iter().take(wanted).filter(|one| of(one) > 0.0) {
            if !top.iter().any(|other| other.of == one.of) {
                top.push(*one);
            }
        }
    }
    top.sort_by(|a, b| b.cpu_percent.total_cmp(&a.cpu_percent).then(b.rss.cmp(&a.rss)));
    top
}
