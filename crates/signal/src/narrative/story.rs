//! Several signals as one story: what came first, what followed, and what that looks like as a whole.

use finding::{EntityType, FindingKind};

use super::{
    narrated::Narrative,
    reader::Reader,
    telling::{Telling, name, say, sentences, short},
};
use crate::Signal;

/// Signals that a story tells one by one: the first, and the last before its end.
const TOLD_MAX: usize = 8;

/// Where an intruder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Somebody tries to get in.
    Attempt,
    /// Somebody is in.
    Entry,
    /// Somebody has the rights of root, or tries to have them.
    Rights,
    /// Somebody makes a way to come back.
    Return,
    /// Somebody hides what was done.
    Hiding,
}

impl Stage {
    fn of(t: &Telling<'_>) -> Option<Self> {
        use FindingKind as Kind;
        Some(match t.signal.kind {
            Kind::LoginAfterFailures | Kind::NewLoginOrigin | Kind::UnusualLoginTime | Kind::ReverseShell => {
                Self::Entry
            }
            Kind::SshBruteForce | Kind::PasswordSpraying | Kind::WebAuthBruteForce if t.has_succeeded() => {
                Self::Entry
            }
            Kind::SshBruteForce
            | Kind::SshBruteForceDistributed
            | Kind::PasswordSpraying
            | Kind::WebAuthBruteForce
            | Kind::WebScan
            | Kind::WebExploitAttempt => Self::Attempt,
            Kind::PrivilegeEscalation | Kind::RootAccess | Kind::SuidExecuted => Self::Rights,
            Kind::AccountChanged
            | Kind::SshKeyAdded
            | Kind::SudoersChanged
            | Kind::CronChanged
            | Kind::PersistenceAdded => Self::Return,
            Kind::LogTampering => Self::Hiding,
            _ => return None,
        })
    }
}

/// The signals of an incident as one story, in the order in which they began. None without a signal.
pub fn incident<'s>(signals: impl IntoIterator<Item = &'s Signal>, reader: &Reader) -> Option<Narrative> {
    let mut ordered: Vec<Telling<'_>> =
        signals.into_iter().map(|signal| Telling { signal, reader }).collect();
    ordered.sort_by_key(|t| (t.signal.first, t.signal.last, t.signal.id));
    if let [alone] = ordered.as_slice() {
        return Some(super::of(alone.signal, reader));
    }
    let whole = Signal {
        first: ordered.first()?.signal.first,
        last: ordered.iter().map(|t| t.signal.last).max()?,
        ..gravest(&ordered)?.clone()
    };
    let whole = Telling { signal: &whole, reader };
    let mut stages: Vec<Stage> = Vec::new();
    for stage in ordered.iter().filter_map(Stage::of) {
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    let entered = stages.iter().position(|stage| *stage == Stage::Entry);
    let is_break_in = entered.is_some_and(|at| stages[at..].iter().any(|stage| *stage > Stage::Entry));
    Some(Narrative {
        title: whole.title(&title(&whole, ordered.len() as u64, is_break_in)),
        what: timeline(&whole, &ordered),
        why: sentences([
            Some(course(&whole, &stages)),
            Some(verdict(&whole, is_break_in)),
            whole.exposure_of_source(),
        ]),
        next: next(&whole, is_break_in),
    })
}

/// The signal that the story is mainly about: the gravest, and of these the one that goes furthest.
fn gravest<'a>(ordered: &[Telling<'a>]) -> Option<&'a Signal> {
    ordered.iter().max_by_key(|t| (t.signal.severity, Stage::of(t))).map(|t| t.signal)
}

fn title(t: &Telling<'_>, count: u64, is_break_in: bool) -> String {
    let (in_title, signals) =
        (t.on_host_in_title(), t.counted(count, ["signal", "signals"], ["sinal", "sinais"]));
    let host = t.entity(EntityType::Host);
    let about = t.main().filter(|main| Some(*main) != host).map(short);
    match (is_break_in, about) {
        (true, _) => {
            say!(t, "Possible break-in{in_title}: {signals}", "Possível invasão{in_title}: {signals}")
        }
        (false, Some(about)) => {
            say!(t, "{signals} about {about}{in_title}", "{signals} sobre {about}{in_title}")
        }
        (false, None) => format!("{signals}{in_title}"),
    }
}

/// What happened one after the other.
fn timeline(whole: &Telling<'_>, ordered: &[Telling<'_>]) -> String {
    let when = whole.when();
    let begin = say!(whole, "It happened {when}.", "Aconteceu {when}.");
    let left_out = ordered.len().saturating_sub(TOLD_MAX) as u64;
    let middle = if left_out > 0 { TOLD_MAX - 1 } else { TOLD_MAX };
    let mut said = vec![Some(begin)];
    let each = ordered.iter().enumerate();
    for (place, t) in each.filter(|(place, _)| *place < middle || *place + 1 == ordered.len()) {
        if left_out > 0 && place + 1 == ordered.len() {
            let more =
                whole.counted(left_out, ["more signal", "more signals"], ["outro sinal", "outros sinais"]);
            said.push(Some(say!(whole, "In between: {more}.", "No meio: {more}.")));
        }
        let (date, clock) = (t.date(t.signal.first), t.clock(t.signal.first));
        let at = if date == whole.date(whole.signal.first) { clock } else { format!("{date} {clock}") };
        let what = super::of(t.signal, t.reader).title;
        said.push(Some(format!("{at} – {what}.")));
    }
    sentences(said)
}

/// What stage followed what stage.
fn course(t: &Telling<'_>, stages: &[Stage]) -> String {
    let steps: Vec<String> = stages
        .iter()
        .map(|stage| match stage {
            Stage::Attempt => say!(t, "attempts to get in", "tentativas de entrar"),
            Stage::Entry => {
                say!(t, "a login that may be somebody else's", "um login que pode ser de outra pessoa")
            }
            Stage::Rights => {
                say!(t, "rights of root, used or tried", "direitos do root, usados ou tentados")
            }
            Stage::Return => {
                say!(t, "a change that lets somebody come back", "uma alteração que permite voltar depois")
            }
            Stage::Hiding => {
                say!(t, "a change of the logs or of the clock", "uma alteração nos logs ou no relógio")
            }
        })
        .collect();
    let (all, about) = (steps.join(" → "), t.main().map(name));
    match (steps.len(), about) {
        (1, _) => say!(t, "These signals show {all}.", "Esses sinais mostram {all}."),
        (2.., _) => {
            say!(t, "In this order, these signals show {all}.", "Nesta ordem, esses sinais mostram {all}.")
        }
        (0, Some(about)) => say!(
            t,
            "These signals came close together and are about {about}, or about who and what stood beside it.",
            "Esses sinais vieram próximos e dizem respeito a {about} ou a quem e ao que apareceu junto.",
        ),
        (0, None) => say!(t, "These signals came close together.", "Esses sinais vieram próximos."),
    }
}

fn verdict(t: &Telling<'_>, is_break_in: bool) -> String {
    match is_break_in {
        true => say!(
            t,
            "Break-ins go in this order: treat it as one until somebody can show that it was not.",
            "Invasões seguem essa ordem: trate como uma até que alguém mostre que não foi.",
        ),
        false => say!(
            t,
            "Each of them alone may be harmless; look at them together.",
            "Cada um isolado pode ser inofensivo; olhe para eles em conjunto.",
        ),
    }
}

fn next(t: &Telling<'_>, is_break_in: bool) -> Vec<String> {
    if !is_break_in {
        return super::of(t.signal, t.reader).next;
    }
    let user = t.entity(EntityType::User);
    let keep =
        say!(t, "Keep the logs before anything is changed", "Guarde os logs antes que algo seja alterado");
    let isolate = say!(
        t,
        "If nobody can explain it, take the host off the network (in its console or at its provider) and leave it running",
        "Se ninguém souber explicar, tire o host da rede (no console ou no provedor) e deixe-o ligado",
    );
    vec![
        t.ask(user),
        t.see_sessions(),
        t.step(&keep, "sudo tar czf /root/logs.tar.gz /var/log"),
        t.see_ways_in(),
        isolate,
    ]
}
