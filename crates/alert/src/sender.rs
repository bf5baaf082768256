//! The tasks that hand messages to channels: one for each channel, which waits for no other.

use std::{sync::Arc, time::Duration};

use event::Timestamp;
use retry::{Breaker, BreakerConfig};
use telemetry::{
    metric,
    task::{Stop, Tasks},
};
use tokio::{sync::watch, time::Instant};

use crate::{
    channel::{Channel, ChannelConfig, Receipt, SendError},
    message::Message,
    outbox::{Batch, Claim, Outbox, OutboxError, Settled},
};

/// Tells what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A channel looks by itself so often whether something is due, and so does what happens when nobody acts.
const LOOK: Duration = Duration::from_secs(1);
/// How long a channel may take beyond its own time limit, in case it does not heed that.
const GRACE: Duration = Duration::from_secs(5);
/// How long messages that are being sent may take once it is to stop.
const LAST: Duration = Duration::from_secs(20);
/// After so many failures in a row a channel is tried only now and then: with the pauses of the outbox.
const FAILURES_MAX: u32 = 3;
/// Sends what is in the outbox.
pub struct Sender {
    outbox: Arc<Outbox>,
    clock: Clock,
}

impl Sender {
    /// Of this outbox, by this clock.
    pub fn new(outbox: Arc<Outbox>, clock: Clock) -> Self {
        Self { outbox, clock }
    }

    /// Sends until it is told to stop, over the channels that the routes name; anew when other routes are to hold. A
    /// message that is being sent then is given some time.
    pub async fn run(self, stop: Stop) {
        let mut reloaded = self.outbox.reloaded();
        while !stop.is_cancelled() {
            reloaded.mark_unchanged();
            let tasks = Tasks::new();
            for config in self.outbox.routes().channels() {
                let worker = Worker::new(Arc::clone(&self.outbox), config.clone(), Arc::clone(&self.clock));
                tasks.spawn(format!("alerts to {}", config.name), worker.run(tasks.stop()));
            }
            tasks.spawn(
                "alerts in time",
                in_time(Arc::clone(&self.outbox), Arc::clone(&self.clock), tasks.stop()),
            );
            let panicked = async {
                let task = tasks.panicked().await;
                tracing::error!(task, "sending alerts anew");
                tokio::time::sleep(LOOK).await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                // The outbox holds the other end, so that it always is a reload.
                _reload = reloaded.changed() => {}
                () = panicked => {}
            }
            let stragglers = tasks.shutdown(LAST).await;
            if !stragglers.is_empty() {
                tracing::warn!(tasks = ?stragglers, "alerts were being sent and will be sent again");
            }
        }
    }
}

/// Repeats, escalates and forgets.
async fn in_time(outbox: Arc<Outbox>, clock: Clock, stop: Stop) {
    loop {
        let (work, now) = (Arc::clone(&outbox), clock());
        let more = match telemetry::task::blocking("alerts in time", move || work.tick(now)).await {
            Ok(Ok(more)) => more,
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot look after alerts; trying again");
                false
            }
            Err(error) => {
                tracing::error!(ending = telemetry::task::ending(&error), "cannot look after alerts");
                false
            }
        };
        if !more && stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

/// Sends over one channel.
struct Worker {
    outbox: Arc<Outbox>,
    config: ChannelConfig,
    clock: Clock,
    /// Once it could be opened.
    channel: Option<Arc<dyn Channel>>,
    breaker: Breaker,
    hold_until: Option<Instant>,
    woken: watch::Receiver<u64>,
}

impl Worker {
    fn new(outbox: Arc<Outbox>, config: ChannelConfig, clock: Clock) -> Self {
        let woken = outbox.woken();
        let pauses = outbox.config();
        let breaker = Breaker::new(&BreakerConfig {
            failures_max: FAILURES_MAX,
            pause_min: pauses.pause_min,
            pause_max: pauses.pause_max,
        });
        Self { outbox, config, clock, channel: None, breaker, hold_until: None, woken }
    }

    async fn run(mut self, stop: Stop) {
        while !stop.is_cancelled() {
            if let Some(pause) = self.pause() {
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                continue;
            }
            self.woken.mark_unchanged();
            match self.claim().await {
                Ok(Claim::Send(batch)) => self.deliver(&batch, &stop).await,
                Ok(Claim::Wait(at)) => {
                    let nanos = at.as_nanos().saturating_sub((self.clock)().as_nanos());
                    let wait = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
                    self.wait(wait.min(LOOK), &stop).await;
                }
                Ok(Claim::Nothing) => self.wait(LOOK, &stop).await,
                Err(error) => {
                    tracing::warn!(channel = self.config.name, %error, "cannot read what is to be sent");
                    self.wait(LOOK, &stop).await;
                }
            }
        }
    }

    /// How long the channel is to be left alone.
    fn pause(&mut self) -> Option<Duration> {
        let now = Instant::now();
        self.hold_until = self.hold_until.filter(|until| *until > now);
        let held = self.hold_until.map(|until| until - now);
        let open = self.breaker.probe_in(now.into_std()).filter(|pause| !pause.is_zero());
        held.max(open)
    }

    async fn wait(&mut self, time: Duration, stop: &Stop) {
        let woken = async {
            // The outbox holds the other end.
            let _woken = tokio::time::timeout(time, self.woken.changed()).await;
        };
        stop.run_until_cancelled(woken).await;
    }

    async fn claim(&self) -> Result<Claim, OutboxError> {
        let (outbox, name, now) = (Arc::clone(&self.outbox), self.config.name.clone(), (self.clock)());
        let claimed = telemetry::task::blocking("taking an alert", move || outbox.claim(&name, now)).await;
        claimed.unwrap_or_else(|error| {
            tracing::error!(ending = telemetry::task::ending(&error), "an alert could not be taken");
            Ok(Claim::Nothing)
        })
    }

    /// Sends, and does not rest before it is written down what came of it: else the same would be sent again.
    async fn deliver(&mut self, batch: &Batch, stop: &Stop) {
        let outcome = self.send(&batch.message).await;
        self.learn(&outcome);
        let (batch, outcome) = (Arc::new(batch.clone()), Arc::new(outcome));
        loop {
            let (outbox, now) = (Arc::clone(&self.outbox), (self.clock)());
            let (settling, came) = (Arc::clone(&batch), Arc::clone(&outcome));
            let settled =
                telemetry::task::blocking("settling an alert", move || outbox.settle(&settling, &came, now));
            match settled.await {
                Ok(Ok(settled)) => return self.tell(settled, &outcome),
                Ok(Err(error)) => {
                    let channel = &self.config.name;
                    tracing::error!(channel, %error, "cannot write down what came of an alert; trying again");
                }
                Err(error) => {
                    tracing::error!(
                        ending = telemetry::task::ending(&error),
                        "cannot write down what came of an alert"
                    );
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
                return;
            }
        }
    }

    async fn send(&mut self, message: &Message) -> Result<Receipt, SendError> {
        let channel = match &self.channel {
            Some(channel) => Arc::clone(channel),
            None => {
                let config = self.config.clone();
                let opened = telemetry::task::blocking("opening a channel", move || config.open()).await;
                let opened = opened.map_err(|error| SendError::passing(telemetry::task::ending(&error)))?;
                // What is wrong may be a file that is missing, and may be there later.
                let opened = opened.map_err(|error| SendError::passing(error.to_string()))?;
                Arc::clone(self.channel.insert(opened))
            }
        };
        match tokio::time::timeout(self.config.timeout + GRACE, channel.send(message)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendError::passing("it did not answer in time")),
        }
    }

    fn learn(&mut self, outcome: &Result<Receipt, SendError>) {
        match outcome {
            Err(error) if !error.is_permanent => {
                self.breaker.failed(Instant::now().into_std());
                let asked = error
                    .retry_after
                    .map(|asked| Instant::now() + asked.min(self.outbox.config().retry_after_max));
                self.hold_until = asked.or(self.hold_until);
            }
            // Whoever refuses is there.
            Ok(_) | Err(_) => self.breaker.succeeded(),
        }
    }

    fn tell(&self, settled: Settled, outcome: &Result<Receipt, SendError>) {
        let outcome_name = match settled {
            Settled::Delivered => "delivered",
            Settled::Failed => "failed",
            Settled::Dead => "dead",
        };
        metrics::counter!(metric::ALERT_TRIES, "outcome" => outcome_name).increment(1);
        if let Err(error) = outcome {
            let channel = &self.config.name;
            tracing::warn!(channel, %error, outcome = outcome_name, "an alert was not taken");
        }
    }
}
