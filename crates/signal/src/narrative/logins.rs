//! Logins that went well and are new in some way: from where, at which hour, as root.

use finding::{EntityType, fact};

use super::{
    narrated::Narrative,
    reader::System,
    telling::{Telling, name, say, sentences, short},
};

/// Somebody logged in from where they never did.
pub(super) fn new_login_origin(t: &Telling<'_>) -> Narrative {
    let (who, from, host, when) = (t.who(), t.addresses(), t.on_host(), t.when());
    let (short_who, title_from) = (t.who_in_title(), t.address());
    let often = t.often();
    let usual = t.list(fact::USUAL_NETWORKS);
    let networks = t.names(&usual, None);
    let earlier = t.number(fact::USUAL_LOGINS).filter(|_| !usual.is_empty()).map(|logins| {
        let logins =
            t.counted(logins, ["earlier login", "earlier logins"], ["login anterior", "logins anteriores"]);
        say!(
            t,
            "In {logins}, {who} usually came from {networks}.",
            "Em {logins}, {who} costumava vir de {networks}."
        )
    });
    Narrative {
        title: t.title(&say!(
            t,
            "{short_who} logged in from a new network: {title_from}",
            "{short_who} entrou a partir de uma rede nova: {title_from}",
        )),
        what: sentences([
            Some(say!(
                t,
                "{who} logged in{often} from {from}{host}, {when}.",
                "{who} entrou{often} a partir de {from}{host}, {when}.",
            )),
            earlier,
        ]),
        why: sentences([
            Some(say!(
                t,
                "Somebody who has stolen a password or a key looks just like this; so do a journey, a new provider and a VPN.",
                "Quem roubou uma senha ou uma chave aparece exatamente assim; uma viagem, um novo provedor ou uma VPN também.",
            )),
            t.exposure(),
            t.history(),
        ]),
        next: t.check_login(),
    }
}

/// Somebody logged in at an hour at which they never do.
pub(super) fn unusual_login_time(t: &Telling<'_>) -> Narrative {
    let (who, host, when, often) = (t.who(), t.on_host(), t.when(), t.often());
    let (short_who, in_title) = (t.who_in_title(), t.on_host_in_title());
    let from = t.entity(EntityType::SourceIp).map(|_| t.addresses());
    let from = from.map_or_else(String::new, |from| say!(t, " from {from}", " a partir de {from}"));
    Narrative {
        title: t.title(&say!(
            t,
            "{short_who} logged in at an unusual hour{in_title}",
            "{short_who} entrou em um horário incomum{in_title}",
        )),
        what: sentences([
            Some(say!(
                t,
                "{who} logged in{often}{from}{host}, {when}.",
                "{who} entrou{often}{from}{host}, {when}.",
            )),
            usual_hours(t, &who),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Intruders often come when the owner of an account sleeps; so do people on call and scripts.",
                "Invasores costumam agir enquanto o dono da conta dorme; plantonistas e scripts também.",
            )),
            t.exposure(),
            t.history(),
        ]),
        next: t.check_login(),
    }
}

/// The hours at which somebody usually comes, in the reader's zone.
fn usual_hours(t: &Telling<'_>, who: &str) -> Option<String> {
    let ranges: Vec<String> = t
        .list(fact::USUAL_HOURS)
        .into_iter()
        .filter_map(|range| {
            let (start, end) = range.split_once('-')?;
            let hour = |text: &str| text.parse::<u64>().ok().filter(|hour| *hour < 24);
            let (start, end) = (t.hour(hour(start)?, 0), t.hour(hour(end)?, 59));
            Some(say!(t, "between {start} and {end}", "entre {start} e {end}"))
        })
        .collect();
    let logins = t.number(fact::USUAL_LOGINS)?;
    let logins =
        t.counted(logins, ["earlier login", "earlier logins"], ["login anterior", "logins anteriores"]);
    let (zone, ranges) = (t.zone(t.signal.first), (!ranges.is_empty()).then(|| ranges.join("; "))?);
    Some(say!(
        t,
        "In {logins}, {who} usually came {ranges} ({zone}).",
        "Em {logins}, {who} costumava entrar {ranges} ({zone}).",
    ))
}

/// Somebody became root who never did.
pub(super) fn root_access(t: &Telling<'_>) -> Narrative {
    let (who, host, when, often) = (t.who(), t.on_host(), t.when(), t.often());
    let (short_who, in_title) = (t.who_in_title(), t.on_host_in_title());
    let from = t.entity(EntityType::SourceIp).map(|_| t.addresses());
    let from = from.map_or_else(String::new, |from| say!(t, " from {from}", " a partir de {from}"));
    let way = t.text(fact::WAY);
    let (title, what) = match way {
        Some("login") => (
            say!(t, "{short_who} logged in directly{in_title}", "{short_who} entrou diretamente{in_title}"),
            say!(
                t,
                "{who} logged in directly{often}{from}{host}, {when}.",
                "{who} entrou diretamente{often}{from}{host}, {when}."
            ),
        ),
        Some(way @ ("sudo" | "su")) => (
            say!(
                t,
                "{short_who} became root by {way}{in_title}",
                "{short_who} virou root por {way}{in_title}"
            ),
            say!(
                t,
                "{who} became root by {way}{often}{from}{host}, {when}.",
                "{who} virou root por {way}{often}{from}{host}, {when}."
            ),
        ),
        _ => (
            say!(t, "{short_who} became root{in_title}", "{short_who} virou root{in_title}"),
            say!(
                t,
                "{who} became root{often}{from}{host}, {when}.",
                "{who} virou root{often}{from}{host}, {when}."
            ),
        ),
    };
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(what),
            Some(say!(
                t,
                "Nobody of that name did so this way on this host before, as far as is known.",
                "Pelo que se sabe, ninguém com esse nome tinha feito isso assim neste host.",
            )),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Whoever is root can read, change and delete everything on the host, its logs too.",
                "Quem é root pode ler, alterar e apagar tudo no host, inclusive os logs.",
            )),
            t.exposure(),
            t.history(),
        ]),
        next: as_root(t),
    }
}

fn as_root(t: &Telling<'_>) -> Vec<String> {
    let user = t.entity(EntityType::User);
    let mut next = vec![t.ask(user), t.see_commands_as_root()];
    if t.text(fact::WAY) == Some("login") {
        next.extend([t.see_sessions(), t.see_ssh_settings()]);
        return next;
    }
    let word = t.user_word(user);
    let group = match t.reader.system {
        System::Debian => "sudo",
        System::RedHat => "wheel",
        System::Unknown => {
            next.push(t.step_with(
                &say!(t, "See what this user may do", "Veja o que esse usuário pode fazer"),
                &word,
                &format!("id {0}; sudo -l -U {0}", word.text),
            ));
            next.push(t.see_sessions());
            return next;
        }
    };
    let user = &word.text;
    next.push(t.see_sessions());
    next.push(t.step_with(
        &say!(
            t,
            "If they may not become root, take them out of the group {group} (undo: sudo gpasswd -a {user} {group})",
            "Se a pessoa não pode virar root, tire-a do grupo {group} (para desfazer: sudo gpasswd -a {user} {group})",
        ),
        &word,
        &format!("sudo gpasswd -d {user} {group}"),
    ));
    next
}

impl Telling<'_> {
    /// The user, or somebody.
    pub(super) fn who(&self) -> String {
        self.user().unwrap_or_else(|| say!(self, "Somebody", "Alguém"))
    }

    /// The same for a title.
    pub(super) fn who_in_title(&self) -> String {
        let user = self.entity(EntityType::User).map(short);
        user.unwrap_or_else(|| say!(self, "Somebody", "Alguém"))
    }

    /// All addresses.
    pub(super) fn addresses(&self) -> String {
        let all: Vec<&str> = self.entities(EntityType::SourceIp).collect();
        if all.is_empty() { self.address() } else { self.names(&all, Some(all.len() as u64)) }
    }

    /// ` 3 times`, or nothing for once.
    pub(super) fn often(&self) -> String {
        match self.signal.count {
            0 | 1 => String::new(),
            count => say!(self, " {count} times", " {count} vezes"),
        }
    }

    /// Ask somebody whether it was them.
    pub(super) fn ask(&self, user: Option<&str>) -> String {
        match user.filter(|user| *user != "root").map(name) {
            Some(user) => say!(
                self,
                "Ask {user}, by telephone or in person, whether it was them",
                "Pergunte a {user}, por telefone ou pessoalmente, se reconhece essa atividade",
            ),
            None => say!(
                self,
                "Find out who it was, and ask them by telephone or in person",
                "Descubra quem foi e pergunte por telefone ou pessoalmente",
            ),
        }
    }

    /// See what was done as root.
    pub(super) fn see_commands_as_root(&self) -> String {
        let since = self.since();
        let what = say!(self, "See what was run as root", "Veja o que foi executado como root");
        self.step(&what, &format!("sudo journalctl --no-pager {since} -t sudo -t su"))
    }

    fn check_login(&self) -> Vec<String> {
        let user = self.entity(EntityType::User);
        vec![self.ask(user), self.see_logins(user), self.see_sessions(), self.lock(user), self.see_ways_in()]
    }
}
