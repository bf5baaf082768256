//! What can be said of any signal, where its kind has no words of its own yet.

use super::{
    narrated::Narrative,
    telling::{Telling, name, quotation, say, sentences, short},
};

/// A signal of any kind.
pub(super) fn general(t: &Telling<'_>) -> Narrative {
    let (kind, count) = (t.signal.kind.as_str().replace('_', " "), t.signal.count);
    let (host, when) = (t.on_host(), t.when());
    let in_title = t.main().map(short).unwrap_or_default();
    let about = t.main().map_or_else(String::new, |main| {
        let main = name(main);
        say!(t, " about {main}", " sobre {main}")
    });
    let events = t.counted(count, ["event", "events"], ["evento", "eventos"]);
    let rule = name(&t.signal.rule);
    let title = if in_title.is_empty() { kind.clone() } else { format!("{kind}: {in_title}") };
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(say!(
                t,
                "{events}{about}{host} met the rule {rule} (\"{kind}\"), {when}.",
                "{events}{about}{host} casaram com a regra {rule} (\"{kind}\"), {when}.",
            )),
            t.first_said(),
        ]),
        why: t.history(),
        next: vec![t.see_journal(), t.call_expected()],
    }
}

impl Telling<'_> {
    /// What the first event says.
    pub(super) fn first_said(&self) -> Option<String> {
        let said = self.signal.evidence.first().map(|evidence| quotation(&evidence.message))?;
        Some(say!(self, "The first event says {said}.", "O primeiro evento diz {said}."))
    }

    /// See all that was logged meanwhile.
    pub(super) fn see_journal(&self) -> String {
        let since = self.since();
        let what = say!(
            self,
            "See what else was logged on the host meanwhile",
            "Veja o que mais foi registrado no host nesse período"
        );
        self.step(&what, &format!("sudo journalctl --no-pager {since} | less"))
    }

    /// Say that it was expected.
    pub(super) fn call_expected(&self) -> String {
        say!(
            self,
            "If it was expected, say so: mark this signal as expected, and the like of it ranks lower",
            "Se era esperado, informe: marque este sinal como esperado, e os parecidos perdem prioridade",
        )
    }
}
