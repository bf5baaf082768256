//! A report as Markdown, for tickets and chats. Text of others stands in code spans, in which nothing is markup.

use std::fmt::Write;

use crate::{
    coverage::Source,
    noise::{Noise, Proposed},
    report::{Counted, Report},
    response::{Quantiles, Response},
    words::{Voice, headline, name, summary},
};

/// A report as Markdown (CommonMark with tables), in the words of a voice.
pub fn markdown(report: &Report, voice: &Voice) -> String {
    let mut out = format!("# {}\n\n{}\n", plain(&headline(report, voice)), summary(report, voice));
    if !report.is_complete {
        let partial = voice.say(
            "There were more signals than a report counts: these are the ones last seen.",
            "Houve mais sinais do que um relatório conta: estes são os vistos por último.",
        );
        out.push_str(&format!("\n**{partial}**\n"));
    }
    counts(&mut out, report, voice);
    about(&mut out, report, voice);
    response(&mut out, &report.response, voice);
    unseen(&mut out, report, voice);
    noise(&mut out, &report.noise, voice);
    coverage(&mut out, report, voice);
    organizations(&mut out, report, voice);
    out
}

/// Text of ours with nothing that Markdown would take for markup.
fn plain(text: &str) -> String {
    let special =
        |c: char| matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '!' | '~');
    text.chars().fold(String::new(), |mut out, c| {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// Text of others as a code span: between more backticks than it has in a row, and without a bar, which ends a cell of a table.
fn code(text: &str) -> String {
    span(&name(text))
}

/// Text that is in one line already as a code span.
fn span(text: &str) -> String {
    let text = text.replace('|', "¦");
    let most = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(most + 1);
    let edge = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{edge}{text}{edge}{fence}")
}

fn table(out: &mut String, title: &str, heads: &[&str], rows: Vec<Vec<String>>) {
    out.push_str(&format!("\n## {title}\n\n| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(heads.len())));
    for row in rows {
        out.push_str(&format!("| {} |\n", row.join(" | ")));
    }
}

fn section(out: &mut String, title: &str, text: &str) {
    out.push_str(&format!("\n## {title}\n\n{text}\n"));
}

fn three(counted: Counted, voice: &Voice) -> [String; 3] {
    [voice.number(counted.now), voice.number(counted.before), voice.difference(counted)]
}

fn heads<'v>(voice: &'v Voice, first: &'v str) -> [&'v str; 4] {
    [
        first,
        voice.say("now", "agora"),
        voice.say("period before", "período anterior"),
        voice.say("change", "mudança"),
    ]
}

fn counts(out: &mut String, report: &Report, voice: &Voice) {
    let row = |label: &str, counted| [vec![label.to_owned()], three(counted, voice).to_vec()].concat();
    let mut rows: Vec<_> =
        report.signals.by_severity.iter().map(|one| row(voice.severity(one.severity), one.signals)).collect();
    rows.push(row(voice.say("all", "todos"), report.signals.total));
    rows.push(row(voice.say("of them new", "dos quais novos"), report.signals.began));
    rows.push(row(voice.say("hidden", "ocultos"), report.signals.hidden));
    table(
        out,
        voice.say("Signals by severity", "Sinais por severidade"),
        &heads(voice, voice.say("severity", "severidade")),
        rows,
    );
    if !report.kinds.is_empty() {
        let rows = report.kinds.iter().map(|of| row(&voice.kind(of.kind), of.signals)).collect();
        table(
            out,
            voice.say("What changed against the period before", "O que mudou em relação ao período anterior"),
            &heads(voice, voice.say("kind", "tipo")),
            rows,
        );
    }
}

fn about(out: &mut String, report: &Report, voice: &Voice) {
    let title = voice.say("Whom they are about", "A quem se referem");
    if report.entities.is_empty() {
        return section(out, title, voice.say("Nobody.", "Ninguém."));
    }
    let rows = report.entities.iter().map(|about| {
        let label = format!("{} {}", voice.entity(about.r#type), code(&about.value));
        [vec![label], three(about.signals, voice).to_vec(), vec![voice.severity(about.severity).to_owned()]]
            .concat()
    });
    let [first, now, before, change] = heads(voice, "");
    table(out, title, &[first, now, before, change, voice.say("gravest", "mais grave")], rows.collect());
}

fn time(quantiles: Option<Quantiles>, voice: &Voice) -> String {
    match quantiles {
        Some(Quantiles { median, p90 }) => format!("{} / {}", voice.duration(median), voice.duration(p90)),
        None => "–".to_owned(),
    }
}

fn response(out: &mut String, response: &[Response], voice: &Voice) {
    let rows = response.iter().map(|of| {
        vec![
            of.severity.map_or(voice.say("all", "todos"), |level| voice.severity(level)).to_owned(),
            voice.number(of.signals),
            voice.number(of.acknowledged),
            time(of.acknowledge_s, voice),
            voice.number(of.resolved),
            time(of.resolve_s, voice),
        ]
    });
    let half = voice.say("half / 90 % within", "metade / 90 % em até");
    table(
        out,
        voice.say("How soon somebody had them", "Em quanto tempo alguém os assumiu"),
        &[
            voice.say("severity", "severidade"),
            voice.say("signals", "sinais"),
            voice.say("acknowledged", "assumidos"),
            half,
            voice.say("resolved by hand", "resolvidos por alguém"),
            half,
        ],
        rows.collect(),
    );
}

fn unseen(out: &mut String, report: &Report, voice: &Voice) {
    let title = voice.say("Never looked at", "Nunca vistos");
    if report.unseen.total == 0 {
        let text = voice.say("Somebody looked at every signal.", "Alguém viu cada sinal.");
        return section(
            out,
            title,
            if report.signals.total.now == 0 { voice.say("Nothing.", "Nada.") } else { text },
        );
    }
    let mut list = String::new();
    for signal in &report.unseen.signals {
        // Infallible: a String takes what it is given.
        let _infallible = writeln!(
            list,
            "- **{}** {} ({}, `{}`)",
            voice.severity(signal.severity),
            code(&signal.title),
            voice.time(signal.last),
            signal.id,
        );
    }
    let left = report.unseen.total - report.unseen.signals.len() as u64;
    if left > 0 {
        list.push_str(&format!("- {}\n", voice.many(left, ["more", "more"], ["outro", "outros"])));
    }
    section(out, title, list.trim_end());
}

/// A suppression, as it is sent: the same JSON, with nothing in it that steers a terminal.
pub(crate) fn body(proposed: &Proposed) -> String {
    let json = serde_json::to_string(&proposed.matching).unwrap_or_default();
    telemetry::clean::json(&json).into_owned()
}

fn noise(out: &mut String, noise: &[Noise], voice: &Voice) {
    let title = voice.say("Noise", "Ruído");
    if noise.is_empty() {
        return section(out, title, voice.say("No rule is noise.", "Nenhuma regra é ruído."));
    }
    let rows = noise.iter().map(|of| {
        let proposed = match &of.proposed {
            Some(proposed) => format!("{} ({})", span(&body(proposed)), voice.number(proposed.hides)),
            None => "–".to_owned(),
        };
        vec![
            code(&of.rule),
            voice.number(of.signals),
            voice.number(of.expected),
            voice.number(of.unattended),
            proposed,
        ]
    });
    table(
        out,
        title,
        &[
            voice.say("rule", "regra"),
            voice.say("signals", "sinais"),
            voice.say("expected", "esperados"),
            voice.say("unattended", "sem atenção"),
            voice.say("proposed filter (hides)", "filtro proposto (oculta)"),
        ],
        rows.collect(),
    );
}

fn coverage(out: &mut String, report: &Report, voice: &Voice) {
    let coverage = &report.coverage;
    let rows = |sources: &[Source]| {
        let row = |source: &Source| {
            vec![
                format!("{} {}", voice.source(source.r#type), code(&source.name)),
                voice.number(source.events),
            ]
        };
        sources.iter().map(row).collect::<Vec<_>>()
    };
    let heads = [voice.say("source", "fonte"), voice.say("events", "eventos")];
    let title = voice.say("What is watched", "O que é observado");
    match coverage.sources.is_empty() {
        true => section(out, title, voice.say("No source was seen.", "Nenhuma fonte foi vista.")),
        false => table(out, title, &heads, rows(&coverage.sources)),
    }
    for (title, sources) in [
        (
            voice.say("Silent since the period before", "Em silêncio desde o período anterior"),
            &coverage.silent,
        ),
        (voice.say("Without a parser", "Sem leitor de formato"), &coverage.without_parser),
    ] {
        if !sources.is_empty() {
            table(out, title, &heads, rows(sources));
        }
    }
    if let Some(problem) = &coverage.problem {
        out.push_str(&format!("\n{}\n", code(problem)));
    }
}

fn organizations(out: &mut String, report: &Report, voice: &Voice) {
    if report.organizations.is_empty() {
        return;
    }
    let rows = report.organizations.iter().map(|of| {
        let label = match of.organization.as_str() {
            "" => voice.say("none", "nenhuma").to_owned(),
            named => code(named),
        };
        let counts = [voice.number(of.open), voice.number(of.unseen)];
        [vec![label], three(of.signals, voice).to_vec(), counts.to_vec()].concat()
    });
    let [first, now, before, change] = heads(voice, voice.say("organization", "organização"));
    table(
        out,
        voice.say("Organizations", "Organizações"),
        &[
            first,
            now,
            before,
            change,
            voice.say("open", "abertos"),
            voice.say("never looked at", "nunca vistos"),
        ],
        rows.collect(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_no_markup() {
        assert_eq!(code("a|b"), "`a¦b`");
        assert_eq!(code("`x``y"), "``` `x``y ```");
        assert_eq!(code("# [a](http://b)\n- c"), "`# [a](http://b)\\n- c`");
        assert_eq!(plain("a*b|<c>"), "a\\*b\\|\\<c\\>");
    }
}
