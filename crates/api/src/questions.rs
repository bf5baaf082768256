//! Work for answers that takes the processor or the disk: off the reactor, and where it is bounded so much at once.

use problem::Problem;

use crate::gate::Gate;

/// Does work off the reactor. `what` names it in our log when it ends early.
///
/// # Errors
/// 500 when it panicked or was cancelled.
pub(crate) async fn off_reactor<T: Send + 'static>(
    name: &'static str,
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    telemetry::task::blocking(name, work).await.map_err(|error| {
        tracing::error!("{what} ended early: {}", telemetry::task::ending(&error));
        Problem::internal()
    })
}

/// Questions of one kind, of which so many are worked on at once. Clones share the bound.
#[derive(Debug, Clone)]
pub(crate) struct Questions {
    name: &'static str,
    what: &'static str,
    gate: Gate,
}

impl Questions {
    pub(crate) fn new(name: &'static str, what: &'static str, at_once: usize) -> Self {
        Self { name, what, gate: Gate::new(at_once) }
    }

    /// Works on a question off the reactor, with a copy of what it is about. Its place is free once the work is done, whoever
    /// waits for it.
    ///
    /// # Errors
    /// Those of the work, 429 when no place becomes free soon, 500 when the work ended early.
    pub(crate) async fn work<About: Clone + Send + 'static, T: Send + 'static>(
        &self,
        about: &About,
        work: impl FnOnce(&About) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let about = about.clone();
        let place = self.gate.enter().await?;
        let work = move || {
            let _place = place;
            work(&about)
        };
        off_reactor(self.name, self.what, work).await?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[tokio::test]
    async fn a_place_is_taken_until_the_work_is_done_also_when_nobody_waits_for_it() {
        let questions = Questions::new("test", "a test", 1);
        let (begun, begins) = sync_channel::<()>(1);
        let (go_on, goes_on) = sync_channel::<()>(1);
        let work = move |(): &()| {
            begun.send(()).unwrap();
            goes_on.recv().unwrap();
            Ok(())
        };
        let asking = questions.clone();
        let waiting = telemetry::task::spawn("test", async move { asking.work(&(), work).await });
        telemetry::task::blocking("test", move || begins.recv().unwrap()).await.unwrap();
        waiting.abort();
        assert!(waiting.await.is_err(), "who asked is gone");
        assert!(questions.gate.try_enter().is_none());
        go_on.send(()).unwrap();
        questions.work(&(), |&()| Ok(())).await.unwrap();
    }
}
