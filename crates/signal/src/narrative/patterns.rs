//! What was never said before, and what the analysis finds strange.

use finding::{EntityType, fact};

use super::{
    narrated::Narrative,
    telling::{Telling, name, say, sentences},
};

/// A message of a kind never seen.
pub(super) fn new_pattern(t: &Telling<'_>) -> Narrative {
    let (times, when, place, in_title) =
        (t.times(t.signal.count), t.when(), where_said(t), t.source_in_title());
    Narrative {
        title: t.title(&say!(t, "An error never seen before from {in_title}", "Erro inédito de {in_title}")),
        what: sentences([
            Some(say!(
                t,
                "A message of a kind that is new here came {times}{place}, {when}.",
                "Uma mensagem de um tipo novo chegou {times}{place}, {when}.",
            )),
            template(t),
            t.first_said(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "This source is known well enough for a new error of it to mean something: a new version, a new fault, or something tried for the first time.",
                "Esta fonte é conhecida o bastante para que um erro novo signifique algo: uma versão nova, uma falha nova ou algo tentado pela primeira vez.",
            )),
            t.history(),
        ]),
        next: vec![t.see_journal(), t.see_host(), t.call_expected()],
    }
}

/// A message that the analysis finds strange.
pub(super) fn anomaly(t: &Telling<'_>) -> Narrative {
    let (times, when, place, in_title) =
        (t.times(t.signal.count), t.when(), where_said(t), t.source_in_title());
    Narrative {
        title: t.title(&say!(t, "A strange message from {in_title}", "Uma mensagem estranha de {in_title}")),
        what: sentences([
            Some(say!(
                t,
                "A message that does not fit what is usual came {times}{place}, {when}.",
                "Uma mensagem que foge do habitual chegou {times}{place}, {when}.",
            )),
            template(t),
            t.first_said(),
            reasons(t),
        ]),
        why: sentences([
            score(t),
            Some(say!(
                t,
                "The analysis learns what is usual and says what is not. It does not know whether that is bad: somebody has to look.",
                "A análise aprende o que é habitual e aponta o que não é. Ela não sabe se isso é ruim: alguém precisa olhar.",
            )),
            t.history(),
        ]),
        next: vec![t.see_journal(), t.see_host(), t.call_expected()],
    }
}

/// A run of events that the analysis finds strange.
pub(super) fn strange_session(t: &Telling<'_>) -> Narrative {
    let (when, host) = (t.when(), t.on_host());
    let about = t.main().map_or_else(String::new, |main| {
        let main = name(main);
        say!(t, " of {main}", " de {main}")
    });
    let in_title = t
        .main()
        .map(super::telling::short)
        .map_or_else(String::new, |main| say!(t, " of {main}", " de {main}"));
    let events = t.counted(t.signal.count, ["event", "events"], ["evento", "eventos"]);
    Narrative {
        title: t.title(&say!(
            t,
            "A strange course of events{in_title}",
            "Uma sequência estranha de eventos{in_title}"
        )),
        what: sentences([
            Some(say!(
                t,
                "A run of {events}{about}{host} took a course that does not fit what is usual, {when}.",
                "Uma sequência de {events}{about}{host} tomou um rumo que foge do habitual, {when}.",
            )),
            t.first_said(),
            reasons(t),
        ]),
        why: sentences([
            score(t),
            Some(say!(
                t,
                "Steps were missing, new or more than usual: work that failed halfway, or somebody who does what others do not.",
                "Faltaram passos, houve passos novos ou além do normal: um trabalho que falhou no meio ou alguém que faz o que outros não fazem.",
            )),
            t.history(),
        ]),
        next: vec![t.see_journal(), t.see_host(), t.call_expected()],
    }
}

/// By whom it was said.
fn where_said(t: &Telling<'_>) -> String {
    let host = t.on_host();
    match t.unit().map(name) {
        Some(source) => say!(t, " from {source}{host}", " de {source}{host}"),
        None => host,
    }
}

fn template(t: &Telling<'_>) -> Option<String> {
    let templates: Vec<&str> = t.entities(EntityType::Template).collect();
    let said = t.quotations(&templates);
    match templates.len() {
        0 => None,
        1 => Some(say!(t, "Its form is {said}.", "A forma dela é {said}.")),
        _ => Some(say!(t, "Its forms are {said}.", "As formas dela são {said}.")),
    }
}

fn reasons(t: &Telling<'_>) -> Option<String> {
    let reasons = t.list(fact::REASONS);
    let said = t.quotations(&reasons);
    (!reasons.is_empty()).then(|| say!(t, "What stands out: {said}.", "O que chama atenção: {said}."))
}

fn score(t: &Telling<'_>) -> Option<String> {
    let score = t.signal.facts.get(fact::SCORE)?.as_f64().filter(|score| (0.0..=1.0).contains(score))?;
    let percent = (score * 100.0).round() as u64;
    Some(say!(t, "Strangeness: {percent} of 100.", "Grau de estranheza: {percent} de 100.",))
}

impl Telling<'_> {
    /// See how the host is doing.
    pub(super) fn see_host(&self) -> String {
        let what = say!(
            self,
            "See whether the host and its services are well",
            "Veja se o host e seus serviços estão bem"
        );
        self.step(&what, "uptime; free -m; df -h; systemctl list-units --no-pager --state=failed")
    }
}
