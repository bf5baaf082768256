//! Services, as a program of the system tells of them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    patient::Patient,
    problem::Problem,
    reading::{Service, ServiceState},
    wanted::Wanted,
};

/// The program has so long to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Services that failed once are told of until this program ends, so that it is seen that they run again: so many.
pub(crate) const FAILED_MAX: usize = 64;

/// What is said of services, or why nothing is.
pub(crate) type Answer = Result<Vec<Service>, String>;
/// Has a program tell of these services, in their order, and where that is wanted of those that have failed.
type Tell = fn(&Path, Vec<String>, bool) -> Answer;

/// Asks for services.
#[derive(Debug)]
pub(crate) struct Services {
    /// Who manages them.
    manager: &'static str,
    program: PathBuf,
    tell: Tell,
    pub(crate) patience: Duration,
    thread: Option<Patient<Vec<String>, Answer>>,
    /// Those that have failed since the start.
    failed: BTreeSet<String>,
    /// What was asked last: a late answer to something else is none.
    asked: Vec<String>,
}

impl Services {
    /// Those of a manager, by its program.
    pub(crate) fn new(manager: &'static str, program: PathBuf, tell: Tell) -> Self {
        Self {
            manager,
            program,
            tell,
            patience: PATIENCE,
            thread: None,
            failed: BTreeSet::new(),
            asked: vec![],
        }
    }

    pub(crate) fn read(&mut self, wanted: &Wanted, problems: &mut Vec<Problem>) -> Vec<Service> {
        if *wanted == Wanted::Nothing {
            return vec![];
        }
        match self.ask(wanted) {
            Ok(found) => {
                let missing = found.iter().filter(|service| service.state == ServiceState::Unknown);
                let none = format!("{} knows none of this name", self.manager);
                problems.extend(missing.map(|service| Problem::new(&service.name, &none)));
                found
            }
            Err(reason) => {
                problems.push(Problem::new(self.program.display(), reason));
                wanted.names().iter().map(|name| Service::of(name, ServiceState::Unknown)).collect()
            }
        }
    }

    fn ask(&mut self, wanted: &Wanted) -> Answer {
        let names: Vec<String> = match wanted {
            Wanted::These(names) if names.is_empty() => return Ok(vec![]),
            Wanted::These(names) => names.clone(),
            Wanted::Nothing | Wanted::Everything => self.failed.iter().cloned().collect(),
        };
        let finds_failed = *wanted == Wanted::Everything;
        let thread = match &mut self.thread {
            Some(thread) if self.asked == names => thread,
            other => {
                let (program, tell) = (self.program.clone(), self.tell);
                let answer = move |names: Vec<String>| tell(&program, names, finds_failed);
                let thread = Patient::new("services", answer).map_err(|error| error.to_string())?;
                self.asked.clone_from(&names);
                other.insert(thread)
            }
        };
        thread.ask(names);
        let answer = thread.answer(Instant::now() + self.patience);
        let found = answer.ok_or_else(|| format!("{} does not answer", self.manager))??;
        if finds_failed {
            let room = FAILED_MAX.saturating_sub(self.failed.len());
            self.failed.extend(found.iter().map(|service| service.name.clone()).take(room));
        }
        Ok(found)
    }
}

/// What a program says that is called with these arguments and names of services.
pub(crate) fn called(
    program: &Path,
    arguments: &[&str],
    names: &[String],
    environment: &[(&str, &str)],
) -> Result<Vec<u8>, String> {
    let mut command = Command::new(program);
    command.args(arguments).args(names).envs(environment.iter().copied());
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| format!("it cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said);
    let said: String = said.trim().chars().filter(|c| !c.is_control()).take(200).collect();
    Err(if said.is_empty() { output.status.to_string() } else { said })
}
