//! How much a source says: nothing, too much, too little, too many errors.

use finding::fact;

use super::{
    narrated::Narrative,
    span::SECOND,
    telling::{Telling, name, say, sentences, short},
};

/// Nothing comes from a source.
pub(super) fn source_silent(t: &Telling<'_>) -> Narrative {
    let (source, short_source, host) = (t.source(), t.source_in_title(), t.on_host());
    let since = t.at(t.signal.first);
    let length = t.length(t.signal.last.as_nanos().abs_diff(t.signal.first.as_nanos()));
    let usual = t.number(fact::USUAL_PAUSE).map(|seconds| t.length(seconds.saturating_mul(SECOND)));
    Narrative {
        title: t.title(&say!(
            t,
            "Nothing from {short_source} for {length}",
            "Nada de {short_source} há {length}"
        )),
        what: sentences([
            Some(say!(
                t,
                "Nothing has come from {source}{host} since its last event {since}; it was silent for {length} when this was found.",
                "Nada chegou de {source}{host} desde o último evento, {since}; o silêncio já durava {length} quando isto foi detectado.",
            )),
            usual.map(|usual| {
                say!(
                    t,
                    "Its longest pause of the last days was {usual}.",
                    "A maior pausa dos últimos dias foi de {usual}.",
                )
            }),
        ]),
        why: sentences([
            Some(say!(
                t,
                "A source falls silent when a service or host is down, a disk is full, the way to here is broken, or somebody stopped the logging. What happens meanwhile is not seen.",
                "Uma fonte silencia quando um serviço ou host cai, um disco enche, o caminho até aqui se rompe ou alguém para os logs. O que acontece nesse meio-tempo não é visto.",
            )),
            t.history(),
        ]),
        next: vec![
            see_source(t),
            t.step(
                &say!(
                    t,
                    "See whether the host is up, and whether its disk is full",
                    "Veja se o host está no ar e se o disco está cheio",
                ),
                "uptime; df -h; df -i",
            ),
            t.step(
                &say!(
                    t,
                    "See whether the host still writes logs at all",
                    "Veja se o host ainda grava algum log",
                ),
                "sudo journalctl --no-pager -n 20",
            ),
            see_writers(t),
        ],
    }
}

/// A source says more than ever, or an address asks for too much.
pub(super) fn volume_spike(t: &Telling<'_>) -> Narrative {
    if t.signal.rule == "web_rate" {
        return slowed_down(t);
    }
    let short_source = t.source_in_title();
    let events = events(t);
    Narrative {
        title: t.title(&say!(
            t,
            "{short_source} logs far more than usual",
            "{short_source} registra muito mais que o normal"
        )),
        what: amounts(t, &events, "most"),
        why: sentences([
            Some(say!(
                t,
                "A flood of events is an error that repeats, an attack, or a busy day. It fills disks, and hides what matters.",
                "Uma enxurrada de eventos é um erro que se repete, um ataque ou um dia movimentado. Ela enche discos e esconde o que importa.",
            )),
            t.history(),
        ]),
        next: vec![see_source(t), see_most_frequent(t), see_space(t), t.call_expected()],
    }
}

/// A source says less than it should.
pub(super) fn volume_drop(t: &Telling<'_>) -> Narrative {
    let short_source = t.source_in_title();
    let events = events(t);
    Narrative {
        title: t.title(&say!(
            t,
            "{short_source} logs far less than usual",
            "{short_source} registra muito menos que o normal"
        )),
        what: amounts(t, &events, "least"),
        why: sentences([
            Some(say!(
                t,
                "Some of those who usually write are missing: a part is down, work does not arrive, or a way to here is broken. A holiday looks the same.",
                "Falta parte de quem costuma escrever: algo caiu, o trabalho não chega ou um caminho até aqui se rompeu. Um feriado tem a mesma aparência.",
            )),
            t.history(),
        ]),
        next: vec![see_source(t), see_space(t), see_writers(t), t.call_expected()],
    }
}

/// A source tells of more errors than ever.
pub(super) fn error_burst(t: &Telling<'_>) -> Narrative {
    let short_source = t.source_in_title();
    let amount = t.number(fact::AMOUNT).unwrap_or(t.signal.count);
    let errors = t.counted(amount, ["error", "errors"], ["erro", "erros"]);
    Narrative {
        title: t.title(&say!(t, "{errors} from {short_source}", "{errors} de {short_source}")),
        what: amounts(t, &errors, "most"),
        why: sentences([
            Some(say!(
                t,
                "Something that worked before fails now, and those who use it may notice.",
                "Algo que funcionava agora falha, e quem usa pode perceber.",
            )),
            t.history(),
        ]),
        next: vec![see_source(t), see_most_frequent(t), see_space(t), t.see_journal()],
    }
}

/// An address is turned down for asking too often.
fn slowed_down(t: &Telling<'_>) -> Narrative {
    let (address, host, when) = (t.address(), t.on_host(), t.when());
    let requests = t.counted(
        t.signal.count,
        ["request turned down", "requests turned down"],
        ["requisição recusada", "requisições recusadas"],
    );
    let times = t.times(t.signal.count);
    Narrative {
        title: t.title(&say!(t, "{requests} from {address}: too many", "{requests} de {address}: excesso")),
        what: say!(
            t,
            "The web server turned {address} down {times}{host} for asking too often, {when}.",
            "O servidor web recusou {times} requisições de {address}{host} por excesso, {when}.",
        ),
        why: sentences([
            Some(say!(
                t,
                "The limit works. Behind it may be a broken client, a program that copies pages, or somebody who wants to overload the service.",
                "O limite funciona. Por trás pode haver um cliente com defeito, um programa que copia páginas ou alguém que quer sobrecarregar o serviço.",
            )),
            t.exposure(),
            t.history(),
        ]),
        next: vec![t.see_requests(), t.block(), t.call_expected()],
    }
}

fn events(t: &Telling<'_>) -> String {
    let amount = t.number(fact::AMOUNT).unwrap_or(t.signal.count);
    t.counted(amount, ["event", "events"], ["evento", "eventos"])
}

/// How much was said, and how much is usual.
fn amounts(t: &Telling<'_>, amount: &str, which: &str) -> String {
    let (source, host, when) = (t.source(), t.on_host(), t.when());
    let within = t.number(fact::WITHIN).map(|seconds| t.length(seconds.saturating_mul(SECOND)));
    let within = within.map_or_else(String::new, |within| say!(t, " within {within}", " em {within}"));
    let usual = t.number(fact::USUAL_AMOUNT).map(|usual| match which {
        "most" => say!(
            t,
            "The most seen before in as long a time is {usual}.",
            "O máximo visto antes em um intervalo igual foi {usual}.",
        ),
        _ => say!(
            t,
            "At this time of day, {usual} or more are usual in as long a time.",
            "Neste horário, o normal em um intervalo igual é {usual} ou mais.",
        ),
    });
    sentences([
        Some(say!(
            t,
            "{amount} came from {source}{host}{within}. When: {when}.",
            "{amount} de {source}{host}{within}. Quando: {when}.",
        )),
        usual,
    ])
}

fn is_file(t: &Telling<'_>) -> bool {
    t.unit().is_some_and(|source| source.starts_with('/'))
}

/// See what the source said last.
fn see_source(t: &Telling<'_>) -> String {
    let what = say!(t, "See what it said last", "Veja o que ela disse por último");
    if is_file(t) {
        let word = t.path_word(t.unit());
        return t.step_with(&what, &word, &format!("sudo ls -l {0}; sudo tail -n 20 {0}", word.text));
    }
    let word = t.unit_word();
    let unit = &word.text;
    t.step_with(
        &what,
        &word,
        &format!("systemctl status --no-pager {unit}; sudo journalctl --no-pager -t {unit} -n 20"),
    )
}

/// See which messages come most often.
fn see_most_frequent(t: &Telling<'_>) -> String {
    let what = say!(t, "See which messages come most often", "Veja quais mensagens mais se repetem");
    let since = t.since();
    if is_file(t) {
        let word = t.path_word(t.unit());
        let count = "tail -n 5000";
        let command =
            format!("sudo {count} {} | tr -d '0-9' | sort | uniq -c | sort -rn | head -n 20", word.text);
        return t.step_with(&what, &word, &command);
    }
    let word = t.unit_word();
    let command = format!(
        "sudo journalctl --no-pager -o cat {since} -t {} | tr -d '0-9' | sort | uniq -c | sort -rn | head -n 20",
        word.text
    );
    t.step_with(&what, &word, &command)
}

fn see_space(t: &Telling<'_>) -> String {
    let what = say!(
        t,
        "See how the host is doing: load, memory, disks",
        "Veja como está o host: carga, memória, discos"
    );
    t.step(&what, "uptime; free -m; df -h")
}

/// See what brings logs here.
fn see_writers(t: &Telling<'_>) -> String {
    let what = say!(
        t,
        "See whether what ships the logs to here runs",
        "Veja se o que envia os logs para cá está rodando"
    );
    t.step(
        &what,
        "systemctl list-units --no-pager --state=failed; systemctl status --no-pager rsyslog log-sentinel",
    )
}

impl Telling<'_> {
    /// The source as a word of a sentence.
    pub(super) fn source(&self) -> String {
        self.unit().map_or_else(|| say!(self, "a source without a name", "uma fonte sem nome"), name)
    }

    /// The same for a title.
    pub(super) fn source_in_title(&self) -> String {
        let source = self.unit().map_or_else(|| say!(self, "unnamed source", "fonte sem nome"), short);
        let host = self.on_host_in_title();
        format!("{source}{host}")
    }
}
