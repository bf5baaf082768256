//! Sends samples.

use std::{sync::Arc, time::Duration};

use intake::Clock;
use serde_json::Value as Json;
use telemetry::task::{Stop, blocking};
use tokio::time::Instant;
use tracing::warn;

use super::{follower::Follower, reach::Reach};
use crate::{
    answer::Outcome,
    buffer::{Buffer, Waiting},
    measured,
    offset::Offset,
    server::Server,
};

/// Samples of one request.
const SAMPLES_MAX: usize = 60;

/// Sends samples.
pub(crate) struct Samples {
    pub(crate) server: Server,
    pub(crate) buffer: Arc<Buffer>,
    pub(crate) follower: Follower,
    pub(crate) per_second: u32,
    pub(crate) clock: Clock,
    pub(crate) offset: Arc<Offset>,
    pub(crate) reach: Reach,
}

/// Sends samples until told to stop.
pub(crate) async fn samples(mut samples: Samples, stop: Stop) {
    // What the collector seems to take at once, and what is asked of it now.
    let (mut room, mut max) = (SAMPLES_MAX, SAMPLES_MAX);
    let sending = async {
        loop {
            let (buffer, now) = (Arc::clone(&samples.buffer), measured::milliseconds((samples.clock)()));
            let Ok(read) = blocking("samples", move || buffer.waiting(max, now)).await else { return };
            let waiting = match read {
                Ok(waiting) if waiting.is_nothing() => {
                    samples.buffer.changed().await;
                    continue;
                }
                Ok(waiting) => waiting,
                Err(error) => {
                    tokio::time::sleep(samples.reach.fails(&error.to_string(), None)).await;
                    continue;
                }
            };
            let began = Instant::now();
            let count = waiting.samples.len();
            let outcome = match count {
                0 => Outcome::Taken(Json::Null),
                _ => samples.send(&waiting).await,
            };
            match outcome {
                Outcome::Taken(answer) => {
                    samples.reach.works();
                    samples.follower.follow(&answer);
                    samples.done(waiting).await;
                    room = (room + 1).min(SAMPLES_MAX);
                    max = room;
                }
                Outcome::Later { reason, after } => {
                    tokio::time::sleep(samples.reach.fails(&reason, after)).await;
                    continue;
                }
                Outcome::TooLarge { .. } if count > 1 => {
                    room = count / 2;
                    max = room;
                    continue;
                }
                // One of them is not taken; alone it shows which.
                Outcome::Refused { .. } if count > 1 => {
                    max = 1;
                    continue;
                }
                Outcome::Refused { reason } | Outcome::TooLarge { reason } => {
                    warn!(reason, "the collector refused a sample for good; it is given up");
                    samples.buffer.gave_up(1);
                    samples.done(waiting).await;
                }
            }
            // What waited comes at a bounded rate, whatever the collector would take.
            let pace = Duration::from_secs_f64(count as f64 / f64::from(samples.per_second.max(1)));
            tokio::time::sleep_until(began + pace).await;
        }
    };
    stop.run_until_cancelled(sending).await;
}

impl Samples {
    async fn send(&self, waiting: &Waiting) -> Outcome {
        let before = (self.clock)();
        let (outcome, date) = self.server.samples(array(&waiting.samples)).await;
        if let Some(date) = date {
            self.offset.heard(before, (self.clock)(), date);
        }
        outcome
    }

    async fn done(&self, waiting: Waiting) {
        let buffer = Arc::clone(&self.buffer);
        match blocking("samples", move || buffer.done(&waiting)).await {
            Ok(Ok(())) | Err(_) => {}
            // They are sent again, and recognised there by their numbers.
            Ok(Err(error)) => warn!(%error, "cannot note which samples were sent"),
        }
    }
}

fn array(samples: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::with_capacity(samples.iter().map(|sample| sample.len() + 1).sum::<usize>() + 2);
    body.push(b'[');
    body.extend(samples.join(&b','));
    body.push(b']');
    body
}
