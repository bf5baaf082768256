//! Tasks and threads: each has a name, an owner and an end.
//!
//! A [`Tasks`] owns long-lived ones, tells them to stop and names those that do not. [`spawn`] is
//! for a task whose owner awaits its handle.

use std::{
    any::Any,
    collections::BTreeMap,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{AbortHandle, JoinError, JoinHandle},
    time::Instant,
};
/// Tells a task to stop; cancelled once and for good. Clones share it.
pub use tokio_util::sync::CancellationToken as Stop;
use tracing::Instrument;

/// Starts a named task. Its owner is whoever holds the handle.
#[must_use = "a task is awaited or aborted by its owner"]
pub fn spawn<F>(name: impl Into<String>, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let name = name.into();
    let span = tracing::info_span!("task", name);
    // The runtime's code is made once for each type of task: behind a pointer all are one.
    let future: Pin<Box<dyn Future<Output = F::Output> + Send>> = Box::pin(future);
    #[expect(clippy::disallowed_methods, reason = "the one place that starts tasks, and names them")]
    tokio::spawn(future.instrument(span))
}

/// What [`blocking`] runs at present.
static WORKING: Mutex<BTreeMap<&'static str, usize>> = Mutex::new(BTreeMap::new());

/// Runs what blocks or computes where it does not hold the reactor up, under a name by which
/// [`working`] tells of it.
#[must_use = "work is awaited by its owner"]
pub fn blocking<T: Send + 'static>(name: &'static str, work: impl FnOnce() -> T + Send + 'static) -> Work<T> {
    // As for tasks, all work is of one type for the runtime.
    let work: Box<dyn FnOnce() -> Box<dyn Any + Send> + Send> = Box::new(move || {
        let _working = Working::new(name);
        Box::new(work())
    });
    Work { task: tokio::task::spawn_blocking(work), result: PhantomData }
}

/// What [`blocking`] runs: gives the result, or that it panicked. It goes on where nobody waits for it.
#[derive(Debug)]
#[must_use = "work is awaited by its owner"]
pub struct Work<T> {
    task: JoinHandle<Box<dyn Any + Send>>,
    result: PhantomData<fn() -> T>,
}

impl<T: 'static> Future for Work<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(context).map_ok(|result| match result.downcast() {
            Ok(result) => *result,
            Err(_) => unreachable!("work gives what it was started for"),
        })
    }
}

/// How a task ended that gave no result, for our own log: the message of its panic may quote a log and is left
/// out.
pub fn ending(error: &JoinError) -> &'static str {
    if error.is_panic() { "it panicked" } else { "it was cancelled" }
}

/// The names of what [`blocking`] runs at present, and how many of each.
pub fn working() -> Vec<(&'static str, usize)> {
    let working = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
    working.iter().map(|(name, count)| (*name, *count)).collect()
}

/// Lives as long as its work.
struct Working(&'static str);

impl Working {
    fn new(name: &'static str) -> Self {
        *WORKING.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        Self(name)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let mut working = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = working.get_mut(self.0) {
            *count -= 1;
            if *count == 0 {
                working.remove(self.0);
            }
        }
    }
}

/// Something that is due from time to time, until a stop. What was missed is not made up for.
#[derive(Debug)]
pub struct Ticks {
    interval: tokio::time::Interval,
    stop: Stop,
}

impl Ticks {
    /// The first is due at once.
    pub fn every(period: Duration, stop: Stop) -> Self {
        let mut interval = tokio::time::interval(period);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        Self { interval, stop }
    }

    /// Waits for the next; false once there is to be none.
    pub async fn next(&mut self) -> bool {
        self.stop.run_until_cancelled(self.interval.tick()).await.is_some()
    }
}

/// Long-lived tasks and threads under one stop signal. Clones share them.
#[derive(Debug, Clone)]
pub struct Tasks {
    stop: Stop,
    entries: Arc<Mutex<Vec<Entry>>>,
    panicked: watch::Sender<Option<String>>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    /// Closed when the task or thread has ended, in whatever way.
    ended: watch::Receiver<()>,
    abort: Option<AbortHandle>,
}

/// Lives as long as its task or thread.
struct Alive {
    name: String,
    panicked: watch::Sender<Option<String>>,
    _ended: watch::Sender<()>,
}

impl Drop for Alive {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.name, "a task panicked");
            self.panicked.send_replace(Some(std::mem::take(&mut self.name)));
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// None yet.
    pub fn new() -> Self {
        Self { stop: Stop::new(), entries: Arc::default(), panicked: watch::Sender::new(None) }
    }

    /// The signal that every task of this group must heed.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Starts a task that ends by itself or soon after [`Tasks::stop`] is cancelled.
    pub fn spawn<F>(&self, name: impl Into<String>, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let name = name.into();
        let (alive, ended) = self.alive(&name);
        let handle = spawn(name.clone(), async move {
            let _alive = alive;
            future.await;
        });
        self.add(Entry { name, ended, abort: Some(handle.abort_handle()) });
    }

    /// Starts a thread of its own, for work that blocks; it ends by itself or soon after the
    /// signal that it is given is cancelled.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn thread(
        &self,
        name: impl Into<String>,
        work: impl FnOnce(Stop) + Send + 'static,
    ) -> std::io::Result<()> {
        let name = name.into();
        let (alive, ended) = self.alive(&name);
        let stop = self.stop();
        // The operating system shows the first 15 bytes.
        std::thread::Builder::new().name(name.clone()).spawn(move || {
            let _alive = alive;
            work(stop);
        })?;
        self.add(Entry { name, ended, abort: None });
        Ok(())
    }

    /// Tells all to stop and waits for them; answers with the names of those still running at the
    /// deadline. Such tasks are aborted; a thread cannot be.
    pub async fn shutdown(&self, deadline: Duration) -> Vec<String> {
        self.stop.cancel();
        let deadline = Instant::now() + deadline;
        let mut stragglers = Vec::new();
        while let Some(mut entry) = self.take() {
            let ended = async { while entry.ended.changed().await.is_ok() {} };
            if tokio::time::timeout_at(deadline, ended).await.is_err() {
                if let Some(abort) = &entry.abort {
                    abort.abort();
                }
                stragglers.push(entry.name);
            }
        }
        stragglers
    }

    /// Waits until a task or thread panics, and names it. A program that has lost one of its
    /// tasks does best to end.
    pub async fn panicked(&self) -> String {
        let mut panicked = self.panicked.subscribe();
        let name = panicked.wait_for(Option::is_some).await.ok().and_then(|name| name.clone());
        match name {
            Some(name) => name,
            // Cannot be: `self` holds the sender.
            None => std::future::pending().await,
        }
    }

    /// Names of those running.
    pub fn running(&self) -> Vec<String> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().filter(|entry| !entry.has_ended()).map(|entry| entry.name.clone()).collect()
    }

    fn alive(&self, name: &str) -> (Alive, watch::Receiver<()>) {
        let (sender, ended) = watch::channel(());
        (Alive { name: name.to_owned(), panicked: self.panicked.clone(), _ended: sender }, ended)
    }

    fn add(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| !entry.has_ended());
        entries.push(entry);
    }

    fn take(&self) -> Option<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Entry {
    fn has_ended(&self) -> bool {
        self.ended.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn tasks_and_threads_end_on_the_signal() {
        let tasks = Tasks::new();
        let stop = tasks.stop();
        tasks.spawn("waits", async move { stop.cancelled().await });
        tasks
            .thread("blocks", |stop| {
                while !stop.is_cancelled() {
                    std::thread::yield_now();
                }
            })
            .unwrap();
        assert_eq!(tasks.running(), ["waits", "blocks"]);
        assert_eq!(tasks.shutdown(SOON).await, Vec::<String>::new());
        assert_eq!(tasks.running(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn stragglers_are_named() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending());
        tasks.spawn("brief", async {});
        assert_eq!(tasks.shutdown(Duration::from_millis(1)).await, ["deaf"]);
    }

    #[tokio::test]
    async fn what_blocks_is_named_while_it_does() {
        let (end, ends) = std::sync::mpsc::sync_channel::<()>(0);
        let (begin, begins) = std::sync::mpsc::sync_channel::<()>(0);
        let work = blocking("a long sum", move || {
            drop(begin);
            ends.recv().is_err()
        });
        assert!(begins.recv().is_err());
        assert!(working().contains(&("a long sum", 1)), "{:?}", working());
        drop(end);
        assert!(work.await.unwrap());
        assert!(!working().iter().any(|(name, _)| *name == "a long sum"), "{:?}", working());
    }

    #[tokio::test]
    async fn what_a_panic_says_is_not_told_on() {
        let error = spawn("dies", async { panic!("a line of somebody's log") }).await.unwrap_err();
        assert_eq!(ending(&error), "it panicked");
        let task = spawn("waits", std::future::pending::<()>());
        task.abort();
        assert_eq!(ending(&task.await.unwrap_err()), "it was cancelled");
    }

    #[tokio::test]
    async fn a_panic_is_noticed() {
        let tasks = Tasks::new();
        tasks.thread("dies", |_| panic!("as the test wants")).unwrap();
        assert_eq!(tokio::time::timeout(SOON, tasks.panicked()).await.unwrap(), "dies");
        assert_eq!(tasks.shutdown(SOON).await, Vec::<String>::new());
    }
}
