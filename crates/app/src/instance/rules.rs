//! The rules that run: those that come along and those of the user's folder, read again when a file changes.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use detect::{
    SHIPPED,
    rules::{self, Rules},
};
use metrics::gauge;
use telemetry::{
    clean,
    health::Component,
    metric,
    task::{Stop, Ticks, blocking},
};

use crate::rule_files::{self, Files};

/// How often it is looked whether files changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Problems that are told one by one.
const TOLD_MAX: usize = 20;

/// The rules that run, and what is wrong with others.
pub(super) struct RuleBook {
    dir: Option<PathBuf>,
    /// Whether none is taken while one is refused.
    is_strict: bool,
    health: Component,
    to_engine: SyncSender<Rules>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The files of the folder as they were read last.
    own: Option<Files>,
    /// Rules that the engine has not taken yet.
    waiting: Option<Rules>,
}

impl RuleBook {
    /// Reads all rules. What is refused is told; the engine gets later sets through the receiver.
    pub(super) fn open(
        dir: Option<PathBuf>,
        is_strict: bool,
        health: Component,
    ) -> (Arc<Self>, Rules, Receiver<Rules>) {
        let (to_engine, receiver) = sync_channel(1);
        let book = Arc::new(Self { dir, is_strict, health, to_engine, state: Mutex::default() });
        let rules = book.read().unwrap_or_else(|| {
            // At a start there is no earlier set: those that come along always run.
            rules::read(SHIPPED.iter().copied()).0
        });
        (book, rules, receiver)
    }

    /// Reads the files; None where they are as they were, or are not to be taken.
    fn read(&self) -> Option<Rules> {
        let own = match self.dir.as_deref().map(rule_files::below).transpose() {
            Ok(own) => own.unwrap_or_default(),
            Err(failure) => {
                self.health
                    .degraded(format!("{}; the rules of before run", crate::wording::describe(&failure)));
                return None;
            }
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.own.as_ref() == Some(&own) {
            return None;
        }
        let files = own.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let (rules, errors) = rules::read(SHIPPED.iter().copied().chain(files));
        state.own = Some(own);
        drop(state);
        for error in errors.iter().take(TOLD_MAX) {
            tracing::warn!(rule = %clean::line(&error.to_string()), "a rule is refused");
        }
        gauge!(metric::RULES).set((rules.rules().len() + rules.correlations().len()) as f64);
        gauge!(metric::RULES_REFUSED).set(errors.len() as f64);
        let Some(first) = errors.first() else {
            self.health.ok();
            return Some(rules);
        };
        let first = clean::line(&first.to_string()).into_owned();
        let number = crate::wording::many(errors.len() as u64, "rule is", "rules are");
        if self.is_strict {
            self.health
                .degraded(format!("{number} refused, and the rules of before run; the first: {first}"));
            return None;
        }
        self.health.degraded(format!("{number} refused, the others run; the first: {first}"));
        Some(rules)
    }

    /// Looks once whether the files changed, and gives the engine what is new. Blocks on the disk.
    fn look(&self) {
        let read = self.read();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rules) = read {
            tracing::info!(
                rules = rules.rules().len(),
                correlations = rules.correlations().len(),
                "rules are read again"
            );
            state.waiting = Some(rules);
        }
        if let Some(rules) = state.waiting.take()
            && let Err(TrySendError::Full(rules)) = self.to_engine.try_send(rules)
        {
            state.waiting = Some(rules);
        }
    }

    /// Follows the folder until told to stop.
    pub(super) async fn follow(self: Arc<Self>, stop: Stop) {
        if self.dir.is_none() {
            return;
        }
        let mut ticks = Ticks::every(LOOK_EVERY, stop);
        while ticks.next().await {
            let book = Arc::clone(&self);
            if blocking("rules", move || book.look()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use telemetry::health::{Health, State as Well};

    use super::*;

    const RULE: &str = "title: A heron\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: linux}\n\
                        detection:\n  words: [heron]\n  condition: words\nlevel: high\n";

    fn is_there(rules: &Rules) -> bool {
        rules.rules().iter().any(|rule| rule.about.title == "A heron")
    }

    #[test]
    fn files_that_change_are_read_again_and_what_is_refused_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let health = Health::new();
        let path = dir.path().to_owned();
        let (book, rules, receiver) = RuleBook::open(Some(path), false, health.component("rules"));
        assert!(!is_there(&rules) && rules.rules().len() > 30, "those that come along");
        book.look();
        assert!(receiver.try_recv().is_err(), "nothing changed");
        let file = dir.path().join("heron.yml");
        fs::write(&file, RULE).unwrap();
        fs::write(dir.path().join("notes.txt"), "no rule").unwrap();
        book.look();
        assert!(is_there(&receiver.try_recv().unwrap()));

        fs::write(dir.path().join("wrong.yml"), RULE.replace("words: [heron]", "words: {a|nearly: b}"))
            .unwrap();
        book.look();
        assert!(is_there(&receiver.try_recv().unwrap()), "the others run");
        let report =
            |health: &Health| health.reports().into_iter().find(|one| one.component == "rules").unwrap();
        assert_eq!(report(&health).state, Well::Degraded);
        assert!(report(&health).reason.contains("wrong.yml"), "{}", report(&health).reason);

        fs::remove_file(dir.path().join("wrong.yml")).unwrap();
        fs::remove_file(&file).unwrap();
        book.look();
        assert!(!is_there(&receiver.try_recv().unwrap()));
        assert_eq!(report(&health).state, Well::Ok);
    }

    #[test]
    fn a_strict_set_is_whole_or_not_taken_and_the_latest_waits_for_the_engine() {
        let dir = tempfile::tempdir().unwrap();
        let health = Health::new();
        fs::write(dir.path().join("wrong.yml"), "title: [").unwrap();
        let (book, rules, receiver) =
            RuleBook::open(Some(dir.path().to_owned()), true, health.component("rules"));
        assert!(rules.rules().len() > 30, "those that come along run");
        fs::write(dir.path().join("heron.yml"), RULE).unwrap();
        book.look();
        assert!(receiver.try_recv().is_err());
        fs::remove_file(dir.path().join("wrong.yml")).unwrap();
        book.look();
        fs::write(dir.path().join("heron.yml"), RULE.replace("A heron", "A crane")).unwrap();
        book.look();
        assert!(is_there(&receiver.try_recv().unwrap()));
        book.look();
        assert!(!is_there(&receiver.try_recv().unwrap()), "the latest set comes once there is room");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_read_when_it_comes() {
        let dir = tempfile::tempdir().unwrap();
        let health = Health::new();
        let path = dir.path().join("rules");
        let (book, rules, receiver) = RuleBook::open(Some(path.clone()), false, health.component("rules"));
        assert!(rules.rules().len() > 30);
        assert_eq!(health.reports()[0].state, Well::Degraded);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("heron.yaml"), RULE).unwrap();
        book.look();
        assert!(is_there(&receiver.try_recv().unwrap()));
        assert_eq!(health.reports()[0].state, Well::Ok);
    }
}
