//! What rules find that somebody wrote, and what other programs report.

use finding::{EntityType, FindingKind, fact};

use super::{
    narrated::Narrative,
    reader::Language,
    telling::{Telling, name, quotation, say, sentences},
};

/// A rule met events, of Sigma or of SQL.
pub(super) fn rule(t: &Telling<'_>) -> Narrative {
    let title = t.text(fact::RULE_TITLE).unwrap_or(&t.signal.rule);
    let (called, when, about) = (quotation(title), t.when(), t.about_all());
    let in_title = t.on_host_in_title();
    let short_title = t.plain_in_title(title);
    let events = t.counted(t.signal.count, ["event", "events"], ["evento", "eventos"]);
    let description = t.text(fact::RULE_DESCRIPTION).map(quotation);
    let false_positives = t.list(fact::FALSE_POSITIVES);
    let also = t.quotations(&false_positives);
    Narrative {
        title: t.title(&format!("{short_title}{in_title}")),
        what: sentences([
            Some(say!(
                t,
                "The rule {called} met {events}{about}, {when}.",
                "A regra {called} detectou {events}{about}, {when}.",
            )),
            t.first_said(),
        ]),
        why: sentences([
            description
                .map(|said| say!(t, "The rule says of itself: {said}.", "A regra diz de si mesma: {said}.")),
            (!false_positives.is_empty()).then(|| {
                say!(t, "Known to look the same: {also}.", "Sabe-se que têm a mesma aparência: {also}.")
            }),
            t.exposure_of_source(),
            t.history(),
            Some(say!(
                t,
                "A rule says what an event looks like, not what was meant by it: somebody has to look.",
                "Uma regra diz com o que um evento se parece, não a intenção por trás dele: alguém precisa olhar.",
            )),
        ]),
        next: after_rule(t),
    }
}

fn after_rule(t: &Telling<'_>) -> Vec<String> {
    let mut next = Vec::new();
    let user = t.entity(EntityType::User);
    if user.is_some() {
        next.push(t.ask(user));
    }
    next.push(t.see_journal());
    if t.place().is_some() {
        next.push(t.see_address());
    }
    next.push(t.see_sessions());
    next.push(t.call_expected());
    next
}

/// A rule that cost too much runs no more.
pub(super) fn suspended(t: &Telling<'_>) -> Narrative {
    let title = t.text(fact::RULE_TITLE).unwrap_or(&t.signal.rule);
    let (called, short_title, when) = (quotation(title), t.plain_in_title(title), t.when());
    let reasons = t.list(fact::REASONS);
    let because = t.quotations(&reasons);
    Narrative {
        title: t.title(&say!(t, "Rule suspended: {short_title}", "Regra suspensa: {short_title}")),
        what: sentences([
            Some(say!(t, "The rule {called} was suspended {when}.", "A regra {called} foi suspensa {when}.")),
            (!reasons.is_empty())
                .then(|| say!(t, "What was wrong with it: {because}.", "O que havia de errado: {because}.")),
        ]),
        why: say!(
            t,
            "What this rule looks for goes unseen until somebody mends it; all other rules go on.",
            "O que essa regra procura passa despercebido até alguém corrigi-la; todas as outras continuam.",
        ),
        next: vec![
            say!(
                t,
                "Open it under Rules on the dashboard: its text, and what it costs beside the others",
                "Abra-a em Regras no painel: o texto dela e quanto custa em comparação com as outras",
            ),
            say!(
                t,
                "Narrow it down to a source, a field or a shorter time and save its file: it runs again by itself",
                "Restrinja-a a uma fonte, a um campo ou a um período menor e salve o arquivo: ela volta a rodar sozinha",
            ),
            say!(
                t,
                "If nobody needs it, move its file out of the rules folder, from where it can be taken back",
                "Se ninguém precisar dela, tire o arquivo da pasta de regras; ele pode ser devolvido depois",
            ),
        ],
    }
}

/// Another program reports it.
pub(super) fn external(t: &Telling<'_>) -> Narrative {
    let kind = t.text(fact::ALERT_TYPE);
    let (when, about) = (t.when(), t.about_all());
    let in_title = t.on_host_in_title();
    let called = kind.map_or_else(|| say!(t, "an alert", "um alerta"), quotation);
    let short_kind = kind.map_or_else(|| say!(t, "Alert", "Alerta"), |kind| t.plain_in_title(kind));
    let times = t.times(t.signal.count);
    let description = t.text(fact::DESCRIPTION).map(quotation);
    let numbers = measured(t);
    Narrative {
        title: t.title(&say!(t, "{short_kind} (reported){in_title}", "{short_kind} (relatado){in_title}")),
        what: sentences([
            Some(say!(
                t,
                "Another program reported {called} {times}{about}, {when}.",
                "Outro programa relatou {called} {times}{about}, {when}.",
            )),
            description.map(|said| say!(t, "It says: {said}.", "Ele diz: {said}.")),
            numbers,
            t.first_said(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "How grave it is was said by that program, and was not checked here.",
                "A gravidade foi informada por esse programa e não foi verificada aqui.",
            )),
            t.exposure_of_source(),
            t.history(),
        ]),
        next: vec![
            say!(t, "Look it up in the program that reported it", "Consulte o programa que relatou",),
            t.see_journal(),
            t.see_host(),
            t.call_expected(),
        ],
    }
}

/// What was measured, and from where on it is told.
pub(super) fn measured(t: &Telling<'_>) -> Option<String> {
    let number = |fact: &str| {
        let number = t.signal.facts.get(fact).filter(|value| value.is_number())?.to_string();
        Some(match t.reader.language {
            Language::English => number,
            Language::Portuguese => number.replace('.', ","),
        })
    };
    let unit = match t.signal.kind {
        FindingKind::HostCpu | FindingKind::HostMemory | FindingKind::HostDisk => " %",
        FindingKind::HostNetwork => " KB/s",
        _ => "",
    };
    let value = format!("{}{unit}", number(fact::VALUE)?);
    if let (Some(least), Some(most), Some(weeks)) =
        (number(fact::USUAL_LEAST), number(fact::USUAL_MOST), number(fact::USUAL_WEEKS))
    {
        return Some(say!(
            t,
            "Measured: {value}; usual at this hour of the week is {least} to {most}{unit}, by {weeks} weeks.",
            "Medido: {value}; o usual nesta hora da semana é de {least} a {most}{unit}, segundo {weeks} semanas.",
        ));
    }
    Some(match number(fact::THRESHOLD) {
        Some(threshold) => {
            let threshold = format!("{threshold}{unit}");
            say!(t, "Measured: {value}; limit: {threshold}.", "Medido: {value}; limite: {threshold}.",)
        }
        None => say!(t, "Measured: {value}.", "Medido: {value}."),
    })
}

impl Telling<'_> {
    /// ` about 198.51.100.7, ann, gate`: everybody that is known, each once.
    pub(super) fn about_all(&self) -> String {
        let all: Vec<&str> = self
            .signal
            .entities
            .iter()
            .filter(|entity| !entity.value.is_empty() && entity.r#type != EntityType::Host)
            .map(|entity| entity.value.as_str())
            .collect();
        let (host, names) = (self.on_host(), self.names(&all, Some(all.len() as u64)));
        if all.is_empty() { host } else { say!(self, " about {names}{host}", " sobre {names}{host}") }
    }

    /// What others call something, for a title: words stay words.
    pub(super) fn plain_in_title(&self, text: &str) -> String {
        let is_words = text.chars().all(|c| c.is_alphanumeric() || " ._-".contains(c));
        if is_words { super::telling::cut(text, 56) } else { super::telling::quoted(text, 56) }
    }

    /// Where the address is; a rule says nothing of a service that can be reached.
    pub(super) fn exposure_of_source(&self) -> Option<String> {
        let place = self.place()?;
        Some(match place.exposure() {
            super::exposure::Exposure::Internet => {
                say!(self, "{place} is an address of the internet.", "{place} é um endereço da internet.")
            }
            super::exposure::Exposure::Private => {
                say!(self, "{place} is a private address.", "{place} é um endereço privado.")
            }
            super::exposure::Exposure::Loopback => {
                say!(self, "{place} is the host itself.", "{place} é o próprio host.")
            }
        })
    }
}

/// Programs that a process started at once in order to hide a script.
pub(super) fn unusual_parent(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    let parent = t.entity(EntityType::Process).map(name);
    let of_parent =
        parent.map_or_else(String::new, |parent| say!(t, " of process {parent}", " do processo {parent}"));
    let since = t.since();
    Narrative {
        title: t.title(&say!(t, "A script in disguise was run{in_title}", "Um script disfarçado foi executado{in_title}")),
        what: say!(
            t,
            "A decoder such as base64 and an interpreter were started together{often} as children{of_parent}{host}, {when}.",
            "Um decodificador como o base64 e um interpretador foram iniciados juntos{often} como filhos{of_parent}{host}, {when}.",
        ),
        why: sentences([
            Some(say!(
                t,
                "Attackers pack scripts like this so that no log shows what they do; some installers do it too.",
                "Atacantes empacotam scripts assim para que nenhum log mostre o que fazem; alguns instaladores também.",
            )),
            t.history(),
        ]),
        next: vec![
            t.step(
                &say!(t, "See what runs now and what started it", "Veja o que está rodando agora e o que iniciou"),
                "ps -eo user,pid,ppid,lstart,args --sort=start_time | tail -n 40",
            ),
            t.step(
                &say!(t, "See what was run, with the audit's records", "Veja o que foi executado, com os registros de auditoria"),
                &format!("sudo journalctl --no-pager {since} _TRANSPORT=audit; sudo ausearch -i -m EXECVE -ts today"),
            ),
            t.see_sessions(),
            t.see_ways_in(),
        ],
    }
}
