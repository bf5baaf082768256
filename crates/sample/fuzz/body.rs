// What is done with each input of the fuzz target `body`; an ordinary test does the same.

use std::collections::BTreeSet;

use sample::{Limits, PROBLEMS_MAX, read};

const LIMITS: Limits = Limits { samples_max: 8, labels_max: 4, top_max: 2 };

/// Reads bytes as the body of `POST /data`: what is taken keeps the bounds, its numbers are finite and each has a name of
/// its own, and it is read again as it is written.
pub(crate) fn body(bytes: &[u8]) {
    let Ok(samples) = read(bytes, &LIMITS) else { return };
    assert!(samples.len() <= LIMITS.samples_max);
    for reading in samples.into_iter().flatten() {
        assert!(reading.problems.len() <= PROBLEMS_MAX.min(reading.problems_total));
        let sample = reading.sample;
        let metrics = &sample.metrics;
        assert!(metrics.top.len() <= LIMITS.top_max);
        for labels in [metrics.disk.len(), metrics.network.len(), metrics.services.len(), metrics.other.len()]
        {
            assert!(labels <= LIMITS.labels_max, "{labels}");
        }
        let series = sample.series();
        let names: BTreeSet<&str> = series.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names.len(), series.len(), "a name stands twice in {names:?}");
        for one in &series {
            assert!(one.value.is_finite());
            let unit = sample::unit(&one.name).map(|(unit, _)| unit);
            assert_eq!(unit, Some(one.unit), "{}", one.name);
        }
        let written = serde_json::to_vec(&sample).expect("a sample is JSON");
        let again =
            read(&written, &LIMITS).expect("what was written is a sample").remove(0).expect("of a name");
        assert_eq!(again.sample, sample);
        assert_eq!(again.problems, []);
    }
}
