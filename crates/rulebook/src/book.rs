//! The rules that run, and what is wrong with others.

use std::{
    cmp::Reverse,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

use detect::{
    SHIPPED, is_shipped,
    rules::{self, Cost, RuleSet, Rules, Tally},
};
use event::Timestamp;
use metrics::gauge;
use sigma::{About, RuleError};
use telemetry::{
    clean,
    health::Component,
    metric,
    task::{Stop, Ticks, blocking},
};

use crate::{
    entry::{Entry, Fault, Origin, State, entries, relative},
    files::{self, Files},
    own::{Own, OwnError, Version},
};

/// How often it is looked whether files changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Problems that are told one by one.
const TOLD_MAX: usize = 20;

/// Where rules are, and what is taken of them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of one's own.
    pub dir: Option<PathBuf>,
    /// Where it is kept what files of it held before.
    pub history: PathBuf,
    /// Whether none is taken while one is refused.
    pub is_strict: bool,
    /// Ids of rules that tell nothing.
    pub off: Vec<String>,
    /// Nanoseconds an event that one rule may take.
    pub cost_max: u64,
    /// Nanoseconds an event that all rules together may take.
    pub costs_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dir: None,
            history: PathBuf::new(),
            is_strict: false,
            off: vec![],
            cost_max: 50_000,
            costs_max: 500_000,
        }
    }
}

/// The rules that run, and what is wrong with others.
pub struct RuleBook {
    config: Config,
    own: Own,
    /// The folder as files are named by it.
    folder: String,
    health: Component,
    to_engine: SyncSender<RuleSet>,
    since: Timestamp,
    state: Mutex<Inner>,
    /// Held while a file is written, so that what is read behind it is what was written.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Inner {
    /// The files of the folder as they were read last.
    own: Option<Files>,
    /// Rules that the engine has not taken yet.
    waiting: Option<RuleSet>,
    /// Those that run, or will as soon as the engine takes them.
    rules: Rules,
    tally: Tally,
    entries: Vec<Entry>,
    refused: Vec<Fault>,
    /// Why what was read last does not run.
    kept_back: Option<String>,
}

/// What came of reading the rules again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// Why the rules of before still run; None where those that were read do.
    pub kept_back: Option<String>,
    /// Rules and correlations that run.
    pub rules: usize,
    /// What is wrong with others.
    pub refused: Vec<Fault>,
}

/// What was read, compiled.
struct Compiled {
    rules: Rules,
    errors: Vec<RuleError>,
    costs: Vec<Cost>,
    suspended: Vec<(usize, Fault)>,
}

impl Compiled {
    /// What is wrong with any of them.
    fn faults(&self, folder: &str) -> Vec<Fault> {
        let suspended = self.suspended.iter().map(|(_, fault)| fault.clone());
        self.errors.iter().map(|error| Fault::of(error, folder)).chain(suspended).collect()
    }
}

impl RuleBook {
    /// Reads all rules. What is refused is told; the engine gets later sets through the receiver.
    pub fn open(
        config: Config,
        health: Component,
        now: Timestamp,
    ) -> (Arc<Self>, RuleSet, Receiver<RuleSet>) {
        let (to_engine, receiver) = sync_channel(1);
        let own = Own { dir: config.dir.clone(), history: config.history.clone() };
        let folder = config.dir.as_ref().map(|dir| dir.display().to_string()).unwrap_or_default();
        let book = Arc::new(Self {
            config,
            own,
            folder,
            health,
            to_engine,
            since: now,
            state: Mutex::default(),
            writing: Mutex::default(),
        });
        let set = book.read(true).unwrap_or_else(|| {
            // At a start there is no earlier set: those that come along always run.
            let compiled = book.compile(&vec![]);
            book.take(compiled, false)
        });
        (book, set, receiver)
    }

    fn state(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_off(&self, about: &About) -> bool {
        self.config.off.iter().any(|off| off == about.id_or_title())
    }

    fn compile(&self, own: &Files) -> Compiled {
        let files = own.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let (mut rules, errors) = rules::read(SHIPPED.iter().copied().chain(files));
        rules.mute(|about| self.is_off(about));
        let begun = Instant::now();
        let costs = rules::costs(&rules, || begun.elapsed());
        let suspended = too_costly(&rules, &costs, &self.config, &self.folder);
        rules.suspend(&suspended.iter().map(|(number, _)| *number).collect::<Vec<_>>());
        Compiled { rules, errors, costs, suspended }
    }

    /// Reads the files; None where they are as they were and that is enough, or are not to be taken.
    fn read(&self, is_asked: bool) -> Option<RuleSet> {
        let own = match self.config.dir.as_deref().map(files::below).transpose() {
            Ok(own) => own.unwrap_or_default(),
            Err(failure) => {
                let why = format!("{}; the rules of before run", told(&failure));
                self.health.degraded(why.clone());
                self.state().kept_back = Some(why);
                return None;
            }
        };
        if !is_asked && self.state().own.as_ref() == Some(&own) {
            return None;
        }
        let compiled = self.compile(&own);
        self.state().own = Some(own);
        let faults = compiled.faults(&self.folder);
        for fault in faults.iter().take(TOLD_MAX) {
            tracing::warn!(rule = %clean::line(&fault.to_string()), "a rule is refused or suspended");
        }
        gauge!(metric::RULES_REFUSED).set(compiled.errors.len() as f64);
        gauge!(metric::RULES_SUSPENDED).set(compiled.suspended.len() as f64);
        let Some(first) = faults.first() else {
            self.health.ok();
            return Some(self.take(compiled, true));
        };
        let first = clean::line(&first.to_string()).into_owned();
        let number = match (faults.len(), compiled.suspended.is_empty()) {
            (1, true) => "1 rule is refused".to_owned(),
            (many, true) => format!("{many} rules are refused"),
            (1, false) => "1 rule is suspended".to_owned(),
            (many, false) => format!("{many} rules are refused or suspended"),
        };
        if self.config.is_strict {
            let why = format!("{number}, and the rules of before run; the first: {first}");
            self.health.degraded(why.clone());
            let mut state = self.state();
            state.refused = faults;
            state.kept_back = Some(why);
            return None;
        }
        self.health.degraded(format!("{number}, the others run; the first: {first}"));
        Some(self.take(compiled, true))
    }

    /// From now on these are the rules.
    fn take(&self, compiled: Compiled, is_whole: bool) -> RuleSet {
        let faults = compiled.faults(&self.folder);
        let Compiled { rules, costs, suspended, errors } = compiled;
        gauge!(metric::RULES).set((rules.rules().len() + rules.correlations().len()) as f64);
        let mut state = self.state();
        let tally = Tally::of(&rules, &state.tally);
        state.entries = entries(&rules, &costs, &suspended, &self.folder, |about| self.is_off(about));
        let broken = errors.iter().map(|error| Entry::broken(&Fault::of(error, &self.folder)));
        state.entries.extend(broken);
        if is_whole {
            state.refused = faults;
            state.kept_back = None;
        }
        (state.rules, state.tally) = (rules.clone(), tally.clone());
        RuleSet { rules, tally }
    }

    /// Looks once whether the files changed, and gives the engine what is new. Blocks on the disk.
    fn look(&self, is_asked: bool) {
        let read = self.read(is_asked);
        let mut state = self.state();
        if let Some(set) = read {
            tracing::info!(
                rules = set.rules.rules().len(),
                correlations = set.rules.correlations().len(),
                "rules are read again"
            );
            state.waiting = Some(set);
        }
        if let Some(set) = state.waiting.take()
            && let Err(TrySendError::Full(set)) = self.to_engine.try_send(set)
        {
            state.waiting = Some(set);
        }
    }

    /// Follows the folder until told to stop.
    pub async fn follow(self: Arc<Self>, stop: Stop) {
        if self.config.dir.is_none() {
            return;
        }
        let mut ticks = Ticks::every(LOOK_EVERY, stop);
        while ticks.next().await {
            let book = Arc::clone(&self);
            if blocking("rules", move || book.look(false)).await.is_err() {
                return;
            }
        }
    }

    /// Reads all files again now, and gives the engine what it takes of them. Blocks on the disk.
    pub fn reload(&self) -> Reloaded {
        self.look(true);
        let state = self.state();
        Reloaded {
            kept_back: state.kept_back.clone(),
            rules: state.rules.rules().len() + state.rules.correlations().len(),
            refused: state.refused.clone(),
        }
    }

    /// Since when matches and findings are counted.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Why the rules that were read last do not run, where they do not.
    pub fn kept_back(&self) -> Option<String> {
        self.state().kept_back.clone()
    }

    /// Whether there is a folder of one's own.
    pub fn has_folder(&self) -> bool {
        self.config.dir.is_some()
    }

    /// All rules, those that run first.
    pub fn entries(&self) -> Vec<Entry> {
        let state = self.state();
        let mut entries = state.entries.clone();
        if state.kept_back.is_some() {
            // What is wrong now, not what was wrong with the set that runs.
            entries.retain(|entry| !matches!(entry.state, State::Broken(_)));
            entries.extend(state.refused.iter().map(Entry::broken));
        }
        for entry in &mut entries {
            let counts = entry.id.as_deref().and_then(|id| state.tally.get(id));
            if let Some(counts) = counts.filter(|_| !matches!(entry.state, State::Broken(_))) {
                (entry.matches, entry.findings) = (counts.matches(), counts.findings());
            }
        }
        entries
    }

    /// Those that cost too much: what each is called by, its title, and why it is suspended.
    pub fn suspended(&self) -> Vec<(String, String, String)> {
        let state = self.state();
        let suspended = state.entries.iter().filter_map(|entry| match &entry.state {
            State::Suspended(fault) => {
                Some((entry.id.clone()?, entry.title.clone().unwrap_or_default(), fault.reason.clone()))
            }
            _ => None,
        });
        suspended.collect()
    }

    /// The text of the file that an entry is of, as it was read last.
    pub fn source(&self, entry: &Entry) -> Option<String> {
        if entry.origin == Origin::Shipped {
            let found = SHIPPED.iter().find(|(name, _)| *name == entry.file);
            return found.map(|(_, text)| (*text).to_owned());
        }
        let state = self.state();
        let own = state.own.iter().flatten().find(|(name, _)| relative(name, &self.folder) == entry.file);
        own.map(|(_, text)| text.clone())
    }

    /// The rules that run, or will as soon as the engine takes them.
    pub fn running(&self) -> Rules {
        self.state().rules.clone()
    }

    /// What is wrong with a text in the place of a file, beside all other rules.
    pub fn check(&self, file: &str, text: &str) -> Vec<Fault> {
        let name = format!("{}/{file}", self.folder);
        let mut files = self.state().own.clone().unwrap_or_default();
        files.retain(|(other, _)| relative(other, &self.folder) != file);
        files.push((name.clone(), text.to_owned()));
        let faults = self.compile(&files).faults(&self.folder);
        faults.into_iter().filter(|fault| fault.file == file).collect()
    }

    /// The files of the folder, by their names.
    pub fn files(&self) -> Vec<String> {
        let state = self.state();
        let names = state.own.iter().flatten().map(|(name, _)| relative(name, &self.folder).to_owned());
        names.collect()
    }

    /// What a file of the folder holds.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be read.
    pub fn file(&self, file: &str) -> Result<String, OwnError> {
        self.own.read(file)
    }

    /// Writes a file of the folder, keeps what it held, and reads the rules again. Gives the number under which that is
    /// kept. Whether the text is any good is for [`RuleBook::check`].
    ///
    /// # Errors
    /// When its name is none, or it cannot be written.
    pub fn write(&self, file: &str, text: &str) -> Result<Option<u32>, OwnError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.own.write(file, text)?;
        self.look(false);
        Ok(kept)
    }

    /// Removes a file of the folder, keeps what it held, and reads the rules again.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be removed.
    pub fn remove(&self, file: &str) -> Result<Option<u32>, OwnError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.own.remove(file)?;
        self.look(false);
        Ok(kept)
    }

    /// What is kept of a file, the oldest first; also of one that was removed.
    ///
    /// # Errors
    /// When its name is none, or it cannot be read.
    pub fn versions(&self, file: &str) -> Result<Vec<Version>, OwnError> {
        self.own.versions(file)
    }

    /// What a file held before.
    ///
    /// # Errors
    /// When there is no such version, or it cannot be read.
    pub fn version(&self, file: &str, number: u32) -> Result<String, OwnError> {
        self.own.version(file, number)
    }
}

/// The rules that take more than they may, by their numbers: each that does by itself, and of one's own the costliest
/// until all together take no more.
fn too_costly(rules: &Rules, costs: &[Cost], config: &Config, folder: &str) -> Vec<(usize, Fault)> {
    let mut all: u64 = costs.iter().map(|cost| cost.nanos).sum();
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by_key(|number| Reverse(costs[*number].nanos));
    let mut suspended = vec![];
    for number in order {
        let (cost, about) = (costs[number], &rules.rules()[number].about);
        let is_own = !is_shipped(&about.file);
        let nanos = cost.nanos;
        let reason = if nanos > config.cost_max {
            format!(
                "takes {nanos} ns an event, more than the {} of LOG_SENTINEL_RULE_COST_MAX",
                config.cost_max
            )
        } else if all > config.costs_max && is_own && nanos > 0 {
            let most = config.costs_max;
            format!(
                "takes {nanos} ns an event, and all rules together more than the {most} of LOG_SENTINEL_RULES_COST_MAX"
            )
        } else {
            continue;
        };
        all = all.saturating_sub(nanos);
        let why = match cost.is_held_against_all {
            true => {
                "; it is held against every event, for there is no text without which it cannot match: give it one"
            }
            false => "",
        };
        let reason = reason + why;
        suspended.push((
            number,
            Fault {
                file: relative(&about.file, folder).to_owned(),
                line: about.line,
                rule: Some(about.id_or_title().to_owned()),
                field: "detection".to_owned(),
                reason,
            },
        ));
    }
    suspended
}

/// An error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use telemetry::health::{Health, State as Well};

    use super::*;

    const RULE: &str = "title: A heron\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: linux}\n\
                        detection:\n  words: [heron]\n  condition: words\nlevel: high\n";

    fn is_there(set: &RuleSet) -> bool {
        set.rules.rules().iter().any(|rule| rule.about.title == "A heron")
    }

    fn open(dir: PathBuf, is_strict: bool, health: &Health) -> (Arc<RuleBook>, RuleSet, Receiver<RuleSet>) {
        let history = dir.with_file_name("history");
        let config = Config { dir: Some(dir), history, is_strict, ..Config::default() };
        RuleBook::open(config, health.component("rules"), Timestamp::MIN)
    }

    #[test]
    fn files_that_change_are_read_again_and_what_is_refused_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let health = Health::new();
        let path = dir.path().to_owned();
        let (book, rules, receiver) = open(path, false, &health);
        assert!(!is_there(&rules) && rules.rules.rules().len() > 30, "those that come along");
        book.look(false);
        assert!(receiver.try_recv().is_err(), "nothing changed");
        let file = dir.path().join("heron.yml");
        fs::write(&file, RULE).unwrap();
        fs::write(dir.path().join("notes.txt"), "no rule").unwrap();
        book.look(false);
        assert!(is_there(&receiver.try_recv().unwrap()));

        fs::write(dir.path().join("wrong.yml"), RULE.replace("words: [heron]", "words: {a|nearly: b}"))
            .unwrap();
        book.look(false);
        assert!(is_there(&receiver.try_recv().unwrap()), "the others run");
        let report =
            |health: &Health| health.reports().into_iter().find(|one| one.component == "rules").unwrap();
        assert_eq!(report(&health).state, Well::Degraded);
        assert!(report(&health).reason.contains("wrong.yml"), "{}", report(&health).reason);

        fs::remove_file(dir.path().join("wrong.yml")).unwrap();
        fs::remove_file(&file).unwrap();
        book.look(false);
        assert!(!is_there(&receiver.try_recv().unwrap()));
        assert_eq!(report(&health).state, Well::Ok);
    }

    #[test]
    fn a_strict_set_is_whole_or_not_taken_and_the_latest_waits_for_the_engine() {
        let dir = tempfile::tempdir().unwrap();
        let health = Health::new();
        fs::write(dir.path().join("wrong.yml"), "title: [").unwrap();
        let (book, rules, receiver) = open(dir.path().to_owned(), true, &health);
        assert!(rules.rules.rules().len() > 30, "those that come along run");
        fs::write(dir.path().join("heron.yml"), RULE).unwrap();
        book.look(false);
        assert!(receiver.try_recv().is_err());
        fs::remove_file(dir.path().join("wrong.yml")).unwrap();
        book.look(false);
        fs::write(dir.path().join("heron.yml"), RULE.replace("A heron", "A crane")).unwrap();
        book.look(false);
        assert!(is_there(&receiver.try_recv().unwrap()));
        book.look(false);
        assert!(!is_there(&receiver.try_recv().unwrap()), "the latest set comes once there is room");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_and_read_when_it_comes() {
        let dir = tempfile::tempdir().unwrap();
        let health = Health::new();
        let path = dir.path().join("rules");
        let (book, rules, receiver) = open(path.clone(), false, &health);
        assert!(rules.rules.rules().len() > 30);
        assert_eq!(health.reports()[0].state, Well::Degraded);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("heron.yaml"), RULE).unwrap();
        book.look(false);
        assert!(is_there(&receiver.try_recv().unwrap()));
        assert_eq!(health.reports()[0].state, Well::Ok);
    }

    const ID: &str = "00000000-0000-4000-8000-000000000001";

    fn book(root: &std::path::Path, off: &[&str]) -> (Arc<RuleBook>, Receiver<RuleSet>) {
        let dir = root.join("rules");
        fs::create_dir_all(&dir).unwrap();
        let off = off.iter().map(|id| (*id).to_owned()).collect();
        let config = Config { dir: Some(dir), history: root.join("history"), off, ..Config::default() };
        let (book, _, receiver) = RuleBook::open(config, Health::new().component("rules"), Timestamp::MIN);
        (book, receiver)
    }

    fn entry(book: &RuleBook, id: &str) -> Option<Entry> {
        book.entries().into_iter().find(|entry| entry.id.as_deref() == Some(id))
    }

    #[test]
    fn rules_are_told_with_their_origin_and_what_is_wrong_with_its_line() {
        let root = tempfile::tempdir().unwrap();
        let (book, receiver) = book(root.path(), &[]);
        assert_eq!(book.write("birds/heron.yml", RULE).unwrap(), None);
        assert!(is_there(&receiver.try_recv().unwrap()), "it runs at once");
        let heron = entry(&book, ID).unwrap();
        assert_eq!((heron.file.as_str(), heron.line, &heron.state), ("birds/heron.yml", 1, &State::On));
        assert_eq!(book.source(&heron).as_deref(), Some(RULE));
        let shipped = book.entries().into_iter().find(|entry| entry.origin == Origin::Shipped).unwrap();
        assert!(book.source(&shipped).unwrap().contains(&shipped.title.unwrap()));

        let wrong = RULE.replace("words: [heron]", "words: {a|nearly: b}").replace(ID, "another");
        let faults = book.check("birds/wrong.yml", &wrong);
        assert_eq!((faults.len(), faults[0].file.as_str(), faults[0].line), (1, "birds/wrong.yml", 5));
        assert!(faults[0].reason.contains("nearly"), "{faults:?}");
        assert_eq!(book.check("birds/heron.yml", &RULE.replace("high", "low")), [], "in its own place");
        let taken = book.check("birds/second.yml", RULE);
        assert_eq!((taken.len(), taken[0].field.as_str()), (1, "id"), "the id is that of another");

        book.write("birds/wrong.yml", &wrong).unwrap();
        let broken = entry(&book, "another").unwrap();
        assert!(matches!(&broken.state, State::Broken(fault) if fault.line == 5), "{broken:?}");
        assert_eq!(entry(&book, ID).unwrap().state, State::On);
        assert_eq!(book.files(), ["birds/heron.yml", "birds/wrong.yml"]);
        book.remove("birds/wrong.yml").unwrap();
        assert_eq!(entry(&book, "another"), None);
        assert_eq!(book.versions("birds/wrong.yml").unwrap().len(), 1);
        assert_eq!(book.version("birds/wrong.yml", 1).unwrap(), wrong);
    }

    #[test]
    fn what_is_switched_off_is_told_and_tells_nothing() {
        let root = tempfile::tempdir().unwrap();
        let (book, receiver) = book(root.path(), &[ID]);
        book.write("heron.yml", RULE).unwrap();
        assert_eq!(entry(&book, ID).unwrap().state, State::Off);
        let set = receiver.try_recv().unwrap();
        let rule = set.rules.rules().iter().find(|rule| rule.about.title == "A heron").unwrap();
        assert!(!rule.is_alone);
    }

    #[test]
    fn a_strict_book_says_why_the_rules_of_before_run() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("rules");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("heron.yml"), RULE).unwrap();
        let (book, set, receiver) = open(dir.clone(), true, &Health::new());
        assert!(is_there(&set));
        fs::write(dir.join("wrong.yml"), "title: [").unwrap();
        let reloaded = book.reload();
        assert!(reloaded.kept_back.unwrap().contains("wrong.yml"));
        assert_eq!(
            (reloaded.refused.len(), reloaded.rules),
            (1, set.rules.rules().len() + set.rules.correlations().len())
        );
        assert!(receiver.try_recv().is_err());
        assert_eq!(book.entries().iter().filter(|entry| matches!(entry.state, State::Broken(_))).count(), 1);
        assert_eq!(entry(&book, ID).unwrap().state, State::On);
        fs::remove_file(dir.join("wrong.yml")).unwrap();
        let reloaded = book.reload();
        assert_eq!((reloaded.kept_back, reloaded.refused), (None, vec![]));
        assert!(receiver.try_recv().is_ok());
    }

    #[test]
    fn a_rule_or_a_set_that_costs_too_much_is_suspended_and_the_others_run() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("rules");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("heron.yml"), RULE).unwrap();
        let costly =
            RULE.replace("words: [heron]", "words: {message|re: '([a-z]+[0-9]?)+x'}").replace(ID, "costly");
        fs::write(dir.join("costly.yml"), &costly).unwrap();
        let open = |cost_max, costs_max| {
            let config = Config { dir: Some(dir.clone()), cost_max, costs_max, ..Config::default() };
            let health = Health::new();
            let (book, set, _) = RuleBook::open(config, health.component("rules"), Timestamp::MIN);
            (book, set, health)
        };
        let (book, _, _) = open(u64::MAX, u64::MAX);
        assert_eq!(entry(&book, "costly").unwrap().state, State::On);
        assert_eq!(book.check("costly.yml", &costly), []);

        // Nothing takes no time at all; a rule that is held against no event does.
        let (book, set, health) = open(u64::MAX, 0);
        let suspended = entry(&book, "costly").unwrap();
        let State::Suspended(fault) = &suspended.state else { panic!("{suspended:?}") };
        assert_eq!((fault.file.as_str(), fault.line), ("costly.yml", 1));
        assert!(fault.reason.contains("LOG_SENTINEL_RULES_COST_MAX"), "{fault}");
        assert!(health.reports()[0].reason.contains("costly.yml"), "{:?}", health.reports());
        assert!(set.rules.rules().iter().any(|rule| rule.is_suspended));
        assert!(book.check("costly.yml", &costly).iter().any(|fault| fault.field == "detection"));
        let shipped = book.entries().into_iter().filter(|entry| entry.origin == Origin::Shipped);
        assert!(shipped.into_iter().all(|entry| entry.state == State::On), "those that come along run");

        let (book, _, _) = open(0, u64::MAX);
        let State::Suspended(fault) = entry(&book, "costly").unwrap().state else {
            panic!("it takes some time")
        };
        assert!(
            fault.reason.contains("LOG_SENTINEL_RULE_COST_MAX") && fault.reason.contains("every event"),
            "{fault}"
        );
    }
}
