//! A report as a page: one file without a script or anything from elsewhere, that prints well. Text of others is escaped
//! wherever it stands.

mod chart;
mod markup;

use crate::{
    coverage::Source,
    markdown::body,
    noise::Noise,
    report::{Counted, Report},
    response::{Quantiles, Response},
    words::{Voice, headline, name, summary},
};
use markup::{escaped, page};

const STYLE: &str = include_str!("style.css");

/// A report as a whole page of HTML, in the words of a voice.
pub fn html(report: &Report, voice: &Voice) -> String {
    let mut main = vec![head(report, voice), numbers(report, voice)];
    main.push(charts(report, voice));
    main.push(unseen(report, voice));
    main.push(changes(report, voice));
    main.push(about(report, voice));
    main.push(response(&report.response, voice));
    main.push(noise(&report.noise, voice));
    main.push(coverage(report, voice));
    main.push(organizations(report, voice));
    main.push(foot(report, voice));
    page(voice.say("en", "pt-BR"), &headline(report, voice), STYLE, &main.concat())
}

fn section(title: &str, content: &str) -> String {
    format!("<section><h2>{title}</h2>{content}</section>\n")
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", escaped(text))
}

/// A table: heads, of which those marked are of numbers, and rows of what is HTML already.
fn table(heads: &[(&str, bool)], rows: impl Iterator<Item = Vec<String>>) -> String {
    let class = |is_number: bool| if is_number { " class=\"n\"" } else { "" };
    let named: String = heads
        .iter()
        .map(|(head, number)| format!("<th scope=\"col\"{}>{head}</th>", class(*number)))
        .collect();
    let row = |cells: Vec<String>| {
        let cells: String = cells
            .iter()
            .zip(heads)
            .map(|(cell, (_, number))| format!("<td{}>{cell}</td>", class(*number)))
            .collect();
        format!("<tr>{cells}</tr>")
    };
    let rows: String = rows.map(row).collect();
    format!("<table><thead><tr>{named}</tr></thead><tbody>{rows}</tbody></table>")
}

fn three(counted: Counted, voice: &Voice) -> Vec<String> {
    vec![voice.number(counted.now), voice.number(counted.before), voice.difference(counted)]
}

fn heads<'v>(voice: &'v Voice, first: &'v str) -> [(&'v str, bool); 4] {
    [
        (first, false),
        (voice.say("now", "agora"), true),
        (voice.say("period before", "período anterior"), true),
        (voice.say("change", "mudança"), true),
    ]
}

fn badge(severity: finding::Level, voice: &Voice) -> String {
    format!("<span class=\"badge {}\">{}</span>", severity.as_str(), voice.severity(severity))
}

fn head(report: &Report, voice: &Voice) -> String {
    let of =
        report.organization.as_deref().map(|own| format!(" · {}", escaped(&name(own)))).unwrap_or_default();
    let partial = match report.is_complete {
        true => String::new(),
        false => format!(
            "<p class=\"warning\">{}</p>",
            voice.say(
                "There were more signals than a report counts: these are the ones last seen.",
                "Houve mais sinais do que um relatório conta: estes são os vistos por último.",
            )
        ),
    };
    format!(
        "<header><p class=\"brand\">Log Sentinel</p><h1>{}{of}</h1><p class=\"when\">{} – {} ({})</p><p class=\"summary\">{}</p>{partial}</header>\n",
        voice.say("Security report", "Relatório de segurança"),
        voice.time(report.period.from),
        voice.time(report.period.to),
        escaped(&voice.zone_name()),
        escaped(&summary(report, voice)),
    )
}

fn numbers(report: &Report, voice: &Voice) -> String {
    let signals = &report.signals;
    let against = |counted: Counted| {
        let words = voice.say("period before", "período anterior");
        format!("{words}: {}", voice.number(counted.before))
    };
    let all = report.response.last();
    let acknowledged =
        all.and_then(|of| of.acknowledge_s).map_or("–".to_owned(), |of| voice.duration(of.median));
    let share = all.map_or(String::new(), |of| {
        format!("{} {} {}", voice.number(of.acknowledged), voice.say("of", "de"), voice.number(of.signals))
    });
    let over = format!(
        "{} {}",
        voice.number(report.unseen.over),
        voice.say("over by themselves", "encerrados sozinhos")
    );
    let cards = [
        (voice.say("signals", "sinais"), voice.number(signals.total.now), against(signals.total)),
        (voice.say("new", "novos"), voice.number(signals.began.now), against(signals.began)),
        (voice.say("open now", "abertos agora"), voice.number(signals.open), String::new()),
        (voice.say("never looked at", "nunca vistos"), voice.number(report.unseen.total), over),
        (voice.say("half had within", "metade assumida em"), acknowledged, share),
    ];
    let card = |(label, value, note): (&str, String, String)| {
        format!("<div class=\"card\"><dt>{label}</dt><dd>{value}<small>{note}</small></dd></div>")
    };
    format!("<dl class=\"cards\">{}</dl>\n", cards.map(card).concat())
}

fn charts(report: &Report, voice: &Voice) -> String {
    let by_severity = section(
        voice.say("Signals by severity", "Sinais por severidade"),
        &chart::severities(&report.signals.by_severity, voice),
    );
    let over_time = section(
        voice.say("When they began", "Quando começaram"),
        &chart::over_time(&report.signals.over_time, voice),
    );
    format!("<div class=\"charts\">{by_severity}{over_time}</div>\n")
}

fn changes(report: &Report, voice: &Voice) -> String {
    let title =
        voice.say("What changed against the period before", "O que mudou em relação ao período anterior");
    if report.kinds.is_empty() {
        return section(
            title,
            &paragraph(voice.say("Nothing: there were no signals.", "Nada: não houve sinais.")),
        );
    }
    let rows = report.kinds.iter().map(|of| {
        let mut cells = vec![escaped(&voice.kind(of.kind))];
        cells.extend(three(of.signals, voice));
        cells.push(badge(of.severity, voice));
        cells
    });
    let [kind, now, before, change] = heads(voice, voice.say("kind", "tipo"));
    section(title, &table(&[kind, now, before, change, (voice.say("gravest", "mais grave"), false)], rows))
}

fn about(report: &Report, voice: &Voice) -> String {
    let title = voice.say("Whom they are about", "A quem se referem");
    if report.entities.is_empty() {
        return section(title, &paragraph(voice.say("Nobody.", "Ninguém.")));
    }
    let rows = report.entities.iter().map(|about| {
        let mut cells = vec![
            voice.entity(about.r#type).to_owned(),
            format!("<code>{}</code>", escaped(&name(&about.value))),
        ];
        cells.extend(three(about.signals, voice));
        cells.push(badge(about.severity, voice));
        cells
    });
    let [_, now, before, change] = heads(voice, "");
    let what = (voice.say("what", "o quê"), false);
    let named = (voice.say("name", "nome"), false);
    let shown = table(&[what, named, now, before, change, (voice.say("gravest", "mais grave"), false)], rows);
    let new = voice.many(
        report.entities_new,
        ["of them was not there the period before.", "of them were not there the period before."],
        ["deles não apareceu no período anterior.", "deles não apareceram no período anterior."],
    );
    let total = voice.many(report.entities_total, ["in all;", "in all;"], ["ao todo;", "ao todo;"]);
    section(title, &format!("{shown}{}", paragraph(&format!("{total} {new}"))))
}

fn time(quantiles: Option<Quantiles>, voice: &Voice) -> [String; 2] {
    match quantiles {
        Some(Quantiles { median, p90 }) => [median, p90].map(|seconds| voice.duration(seconds)),
        None => ["–", "–"].map(str::to_owned),
    }
}

fn response(response: &[Response], voice: &Voice) -> String {
    let rows = response.iter().map(|of| {
        let [acknowledge, acknowledge_p90] = time(of.acknowledge_s, voice);
        let [resolve, resolve_p90] = time(of.resolve_s, voice);
        vec![
            of.severity.map_or(voice.say("all", "todos").to_owned(), |level| badge(level, voice)),
            voice.number(of.signals),
            voice.number(of.acknowledged),
            acknowledge,
            acknowledge_p90,
            voice.number(of.resolved),
            resolve,
            resolve_p90,
        ]
    });
    let [half, most] = [voice.say("half within", "metade em até"), voice.say("90 % within", "90 % em até")];
    let heads = [
        (voice.say("severity", "severidade"), false),
        (voice.say("signals", "sinais"), true),
        (voice.say("acknowledged", "assumidos"), true),
        (half, true),
        (most, true),
        (voice.say("resolved by hand", "resolvidos por alguém"), true),
        (half, true),
        (most, true),
    ];
    section(
        voice.say("How soon somebody had them", "Em quanto tempo alguém os assumiu"),
        &table(&heads, rows),
    )
}

fn unseen(report: &Report, voice: &Voice) -> String {
    let title = voice.say("Never looked at", "Nunca vistos");
    let unseen = &report.unseen;
    if unseen.total == 0 {
        let text = match report.signals.total.now {
            0 => voice.say("Nothing.", "Nada."),
            _ => voice.say("Somebody looked at every signal.", "Alguém viu cada sinal."),
        };
        return section(title, &paragraph(text));
    }
    let rows = unseen.signals.iter().map(|signal| {
        vec![
            badge(signal.severity, voice),
            escaped(&name(&signal.title)),
            voice.time(signal.last),
            voice.number(signal.count),
            format!("<code>{}</code>", &signal.id.to_string()[..8]),
        ]
    });
    let heads = [
        (voice.say("severity", "severidade"), false),
        (voice.say("what", "o quê"), false),
        (voice.say("last seen", "visto por último"), false),
        (voice.say("events", "eventos"), true),
        ("id", false),
    ];
    let left = unseen.total - unseen.signals.len() as u64;
    let more = match left {
        0 => String::new(),
        left => paragraph(&voice.many(
            left,
            ["more; log-sentinel signals lists it.", "more; log-sentinel signals lists them."],
            ["outro; log-sentinel signals o lista.", "outros; log-sentinel signals os lista."],
        )),
    };
    section(title, &format!("{}{more}", table(&heads, rows)))
}

fn noise(noise: &[Noise], voice: &Voice) -> String {
    let title = voice.say("Noise", "Ruído");
    if noise.is_empty() {
        return section(title, &paragraph(voice.say("No rule is noise.", "Nenhuma regra é ruído.")));
    }
    let rows = noise.iter().map(|of| {
        let proposed = match &of.proposed {
            Some(proposed) => {
                let hides = voice.many(proposed.hides, ["signal", "signals"], ["sinal", "sinais"]);
                format!(
                    "<code>{}</code><br><small>{} {hides}</small>",
                    escaped(&body(proposed)),
                    voice.say("would hide", "ocultaria")
                )
            }
            None => "–".to_owned(),
        };
        vec![
            format!("<code>{}</code>", escaped(&name(&of.rule))),
            voice.number(of.signals),
            voice.number(of.expected),
            voice.number(of.unattended),
            proposed,
        ]
    });
    let heads = [
        (voice.say("rule", "regra"), false),
        (voice.say("signals", "sinais"), true),
        (voice.say("expected", "esperados"), true),
        (voice.say("unattended", "sem atenção"), true),
        (voice.say("proposed filter", "filtro proposto"), false),
    ];
    let how = voice.say(
        "Signals that somebody called expected, or that ended without anybody having looked. A filter is set by POST /api/v1/suppressions with a reason and an end.",
        "Sinais que alguém chamou de esperados, ou que terminaram sem que ninguém os visse. Um filtro é criado por POST /api/v1/suppressions com um motivo e um fim.",
    );
    section(title, &format!("{}{}", paragraph(how), table(&heads, rows)))
}

fn coverage(report: &Report, voice: &Voice) -> String {
    let coverage = &report.coverage;
    let row = |source: &Source| {
        vec![
            voice.source(source.r#type).to_owned(),
            format!("<code>{}</code>", escaped(&name(&source.name))),
            voice.number(source.events),
        ]
    };
    let heads =
        |events| [(voice.say("what", "o quê"), false), (voice.say("name", "nome"), false), (events, true)];
    let events = voice.say("events", "eventos");
    let seen = match coverage.sources.is_empty() {
        true => paragraph(voice.say("No source was seen.", "Nenhuma fonte foi vista.")),
        false => table(&heads(events), coverage.sources.iter().map(row)),
    };
    let mut content = String::new();
    if let Some(problem) = &coverage.problem {
        content.push_str(&format!("<p class=\"warning\">{}</p>", escaped(&name(problem))));
    }
    let silent_events = voice.say("events the period before", "eventos no período anterior");
    for (title, heads, sources) in [
        (
            voice.say("Silent since the period before", "Em silêncio desde o período anterior"),
            heads(silent_events),
            &coverage.silent,
        ),
        (voice.say("Without a parser", "Sem leitor de formato"), heads(events), &coverage.without_parser),
    ] {
        let none = voice.say("None.", "Nenhuma.");
        let shown = if sources.is_empty() { paragraph(none) } else { table(&heads, sources.iter().map(row)) };
        content.push_str(&format!("<h3>{title}</h3>{shown}"));
    }
    let more = coverage.total - coverage.sources.len() as u64;
    let more = if more == 0 {
        String::new()
    } else {
        paragraph(&voice.many(more, ["more", "more"], ["outra", "outras"]))
    };
    let title = voice.say("What is watched", "O que é observado");
    section(title, &format!("{content}<h3>{}</h3>{seen}{more}", voice.say("Sources seen", "Fontes vistas")))
}

fn organizations(report: &Report, voice: &Voice) -> String {
    if report.organizations.is_empty() {
        return String::new();
    }
    let rows = report.organizations.iter().map(|of| {
        let label = match of.organization.as_str() {
            "" => voice.say("none", "nenhuma").to_owned(),
            named => escaped(&name(named)),
        };
        let mut cells = vec![label];
        cells.extend(three(of.signals, voice));
        cells.extend(of.by_severity.iter().map(|one| voice.number(one.signals.now)));
        cells.extend([voice.number(of.open), voice.number(of.unseen)]);
        cells
    });
    let mut named = heads(voice, voice.say("organization", "organização")).to_vec();
    named.extend(report.signals.by_severity.iter().map(|one| (voice.severity(one.severity), true)));
    named
        .extend([(voice.say("open", "abertos"), true), (voice.say("never looked at", "nunca vistos"), true)]);
    section(voice.say("Organizations", "Organizações"), &table(&named, rows))
}

fn foot(report: &Report, voice: &Voice) -> String {
    let text = format!(
        "{} {}. {} {} – {}.",
        voice.say("Made", "Feito em"),
        voice.time(report.made_at),
        voice.say("Compared with", "Comparado com"),
        voice.time(report.before.from),
        voice.time(report.before.to),
    );
    format!("<footer>{}</footer>", escaped(&text))
}
