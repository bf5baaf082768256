//! Scans, between them what the kernel tells, and hands on what changed.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use process::{Executables, Reader, Watch, message::v1::ProcessGreeting};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{
    clock::now,
    hardening,
    kernel::{Kernel, Told},
    outbox::Outbox,
    settings::Settings,
    socket::{self, Speaker},
};

/// Processes that are read between two scans because the kernel told of them, for each second between them. More are left to the
/// next scan, and those that have ended by then are counted.
const TOLD_PER_SECOND: u32 = 200;

/// Runs until the program is ended.
pub(crate) fn run(settings: Settings, verbose: bool) -> anyhow::Result<()> {
    let listener = socket::bind(&settings.socket)?;
    let kernel = if settings.kernel {
        Kernel::subscribe().map_err(|error| eprintln!("procmond: the kernel tells no starts and ends ({error}): what lives shorter than {} s is not seen", settings.interval)).ok()
    } else {
        None
    };
    let mut reader = Reader::open(&settings.proc, Path::new("/etc/passwd"), settings.scope())?;
    let mut executables = Executables::new(settings.hash.limits());
    let mut watch = Watch::default();
    let peers = peers(&settings.peers);
    let mut level = hardening::program();
    let outbox = Arc::new(Outbox::new(settings.queue_bytes));
    let asked = Arc::new(AtomicBool::new(false));
    // The first scan says which run of the machine this is.
    let first = reader.scan(now(), &mut executables)?;
    let greeting = ProcessGreeting {
        host: first.host.clone(),
        boot_id: first.boot_id.clone(),
        stream: format!("{}-{}", std::process::id(), first.taken_at.as_nanos()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        interval_seconds: settings.interval,
        told_by_kernel: kernel.is_some(),
        lacking: Vec::new(),
    };
    watch.observe(first);
    let (hardened, speaker_level) = mpsc::sync_channel(1);
    let (lacking, all_lacking) = mpsc::sync_channel(1);
    let mut speaker =
        Speaker { listener, peers, greeting, outbox: outbox.clone(), asked: asked.clone(), verbose };
    let thread = thread::Builder::new().name("speaker".to_owned()).spawn(move || {
        let mut level = hardening::Level::default();
        hardening::speaker(&mut level);
        let told = hardened.send(level).is_ok();
        if told && let Ok(lacking) = all_lacking.recv() {
            speaker.greeting.lacking = lacking;
            speaker.run();
        }
    });
    let thread = thread.context("starting the thread that speaks on the socket")?;
    level
        .measures
        .extend(speaker_level.recv().context("the thread that speaks on the socket ended")?.measures);
    hardening::reader(&mut level, false);
    if verbose {
        level.print();
    }
    lacking.send(level.lacking()).context("the thread that speaks on the socket ended")?;
    if verbose {
        eprintln!(
            "procmond: {} processes; the agent connects to {}",
            watch.processes().count(),
            settings.socket.display()
        );
    }
    let mut watcher =
        Watcher { reader, executables, watch, outbox: outbox.clone(), kernel, budget: 0, missed: 0 };
    let result = watcher.run(Duration::from_secs(settings.interval.into()), &asked, || thread.is_finished());
    outbox.close();
    if thread.join().is_err() {
        anyhow::bail!("the thread that speaks on the socket panicked");
    }
    result
}

/// Numbers of the users that may connect: root, who may look at every process anyway, the one that this runs as, and those of the
/// settings that there are.
fn peers(names: &[String]) -> Vec<u32> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut numbers = vec![0, rustix::process::geteuid().as_raw()];
    for name in names {
        let known = passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|user| user.first() == Some(&name.as_str()));
        match known.and_then(|user| user.get(2)?.parse().ok()).or_else(|| name.parse().ok()) {
            Some(number) => numbers.push(number),
            None => eprintln!("procmond: there is no user '{name}', of 'peers'"),
        }
    }
    numbers
}

struct Watcher {
    reader: Reader,
    executables: Executables,
    watch: Watch,
    outbox: Arc<Outbox>,
    kernel: Option<Kernel>,
    /// Processes that may still be read before the next scan.
    budget: u32,
    /// Starts that were told and could not be read any more.
    missed: u64,
}

impl Watcher {
    fn run(&mut self, interval: Duration, asked: &AtomicBool, over: impl Fn() -> bool) -> anyhow::Result<()> {
        let seconds = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX);
        let mut next = Instant::now() + interval;
        self.budget = TOLD_PER_SECOND.saturating_mul(seconds);
        while !over() {
            if asked.swap(false, Ordering::AcqRel) {
                let at = now();
                let mut told = 0;
                for change in self.watch.present(at) {
                    self.outbox.put(&change);
                    told += 1;
                }
                self.outbox.complete(told, at);
            }
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.scan()?;
                next = Instant::now() + interval;
                self.budget = TOLD_PER_SECOND.saturating_mul(seconds);
                continue;
            }
            // Somebody who connects does not wait for a whole interval.
            let wait = left.min(Duration::from_millis(500));
            match &self.kernel {
                Some(kernel) => {
                    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
                    let mut poll_for = [PollFd::new(kernel.socket(), PollFlags::IN)];
                    if poll(&mut poll_for, Some(&timeout)).is_ok_and(|ready| ready > 0) {
                        self.told();
                    }
                }
                None => thread::sleep(wait),
            }
        }
        Ok(())
    }

    fn scan(&mut self) -> anyhow::Result<()> {
        let snapshot = self.reader.scan(now(), &mut self.executables)?;
        for change in self.watch.observe(snapshot) {
            self.outbox.put(&change);
        }
        let missed = std::mem::take(&mut self.missed);
        if missed > 0 {
            self.outbox.gap(missed, "they ended before they could be read");
        }
        Ok(())
    }

    fn told(&mut self) {
        let Some(kernel) = &self.kernel else { return };
        let told = match kernel.take() {
            Ok(told) => told,
            Err(error) => {
                eprintln!("procmond: the kernel tells no more ({error}): scans go on");
                self.outbox.gap(0, "the kernel tells no more of starts and ends");
                self.kernel = None;
                return;
            }
        };
        let mut started = BTreeMap::new();
        for one in told {
            match one {
                Told::Started(pid) => {
                    started.entry(pid).or_insert(false);
                }
                Told::Executed(pid) => {
                    started.insert(pid, true);
                }
                Told::Ended(pid) => {
                    if started.remove(&pid).is_some() {
                        self.missed += 1;
                    }
                    if let Some(change) = self.watch.end(pid, now()) {
                        self.outbox.put(&change);
                    }
                }
                Told::Lost => self.outbox.gap(
                    0,
                    "the kernel told more than it kept for us; the next scan finds what is still there",
                ),
            }
        }
        for (pid, executed) in started {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            match self.reader.one(pid, &mut self.executables) {
                Some(process) => {
                    for change in self.watch.see(process, executed, now()) {
                        self.outbox.put(&change);
                    }
                }
                None => self.missed += 1,
            }
        }
    }
}
