//! Failed logins, and logins behind them.

use finding::{EntityType, Level, fact};

use super::{
    narrated::Narrative,
    telling::{Telling, name, say, sentences, short},
};
use crate::AT_HOST;

/// Addresses of which some are named.
const NAMED_OF: usize = 9;

/// One address that fails again and again at SSH.
pub(super) fn ssh_brute_force(t: &Telling<'_>) -> Narrative {
    match t.signal.rule.as_str() {
        "ssh_probing" | "ssh_handshake_abuse" => return probing(t),
        AT_HOST => return at_host(t),
        _ => {}
    }
    let (count, address) = (t.signal.count, t.address());
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let is_in = t.has_succeeded();
    let is_mixed = !t.list(fact::FOUND_BY).is_empty();
    let failures = if is_mixed { attempts_over_ssh(t) } else { failed_ssh_logins(t) };
    let title = match is_in {
        true => say!(
            t,
            "{failures} from {address}, and a login that succeeded",
            "{failures} de {address}, e um login com sucesso",
        ),
        false => say!(t, "{failures} from {address}{in_title}", "{failures} de {address}{in_title}"),
    };
    let times = t.times(count);
    let is_slow = t.signal.rule == "ssh_patient_guessing";
    let is_few = is_slow && t.signal.severity == Level::Informational;
    let patience = (is_slow && !is_few && !is_mixed).then(|| {
        say!(
            t,
            "The attempts are spread out, as if not to be noticed; connections broken off before a login count too.",
            "As tentativas são espaçadas, como para não chamar atenção; conexões interrompidas antes do login também contam.",
        )
    });
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(match is_mixed {
                true => say!(
                    t,
                    "{address} tried to get in over SSH {times}{host}, {when}; connections broken off before a login count too.",
                    "{address} tentou entrar por SSH {times}{host}, {when}; conexões interrompidas antes do login também contam.",
                ),
                false => say!(
                    t,
                    "{address} failed to log in over SSH {times}{host}, {when}.",
                    "{address} falhou {times} ao tentar entrar por SSH{host}, {when}.",
                ),
            }),
            patience,
            tried(t),
            login(t),
        ]),
        why: sentences([Some(guessed(t, is_few)), t.exposure(), Some(outcome(t)), t.history()]),
        next: match is_in {
            true => somebody_is_in(t),
            false if is_few => vec![t.see_address(), t.see_ssh_settings()],
            false => keep_out(t),
        },
    }
}

/// What failures of one address are, few or many.
fn guessed(t: &Telling<'_>, is_few: bool) -> String {
    match is_few {
        true => say!(
            t,
            "So few failures in a day may be somebody who mistypes, or somebody who guesses slowly.",
            "Tão poucas falhas em um dia podem ser alguém que erra a senha ou alguém que adivinha devagar.",
        ),
        false => say!(
            t,
            "Somebody or some program is guessing passwords (brute force).",
            "Alguém ou algum programa está adivinhando senhas (força bruta).",
        ),
    }
}

/// Connections that no ordinary client makes.
fn probing(t: &Telling<'_>) -> Narrative {
    let (count, address) = (t.signal.count, t.address());
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let connections = t.counted(
        count,
        ["SSH connection broken off", "SSH connections broken off"],
        ["conexão SSH interrompida", "conexões SSH interrompidas"],
    );
    let title = say!(t, "{connections} by {address}{in_title}", "{connections} por {address}{in_title}");
    let is_abuse = t.signal.rule == "ssh_handshake_abuse";
    let times = t.times(count);
    Narrative {
        title: t.title(&title),
        what: say!(
            t,
            "{address} connected to SSH and broke off before logging in {times}{host}, {when}.",
            "{address} conectou-se ao SSH e interrompeu a conexão antes do login {times}{host}, {when}.",
        ),
        why: sentences([
            Some(match is_abuse {
                true => say!(
                    t,
                    "Such connections use up the places that the server has for logins, or try whether it can be broken.",
                    "Conexões assim ocupam as vagas que o servidor tem para logins ou testam se ele pode ser quebrado.",
                ),
                false => say!(
                    t,
                    "Programs that look for SSH servers and their versions do so; guessing of passwords often follows.",
                    "Programas que procuram servidores SSH e suas versões fazem isso; tentativas de senha costumam vir depois.",
                ),
            }),
            t.exposure(),
            t.history(),
        ]),
        next: vec![t.see_address(), t.block(), t.see_ssh_settings()],
    }
}

/// Many addresses that fail at one host.
pub(super) fn distributed(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let failures = failed_ssh_logins(t);
    let addresses = t.list(fact::ADDRESSES);
    let total = t.number(fact::ADDRESSES_TOTAL);
    let names = t.names(&addresses, total);
    let among = (!addresses.is_empty()).then(|| say!(t, "Among them: {names}.", "Entre eles: {names}."));
    let number = total.map_or_else(
        || say!(t, "many addresses", "muitos endereços"),
        |total| say!(t, "at least {total} addresses", "pelo menos {total} endereços"),
    );
    Narrative {
        title: t.title(&say!(
            t,
            "{failures} from many addresses{in_title}",
            "{failures} de muitos endereços{in_title}",
        )),
        what: sentences([
            Some(say!(
                t,
                "{failures} came from {number}{host}, {when}.",
                "{failures} vieram de {number}{host}, {when}.",
            )),
            among,
        ]),
        why: sentences([
            Some(say!(
                t,
                "Many addresses that each try a little are mostly one attacker with many machines (a botnet), so that blocking a few of them changes little.",
                "Muitos endereços que tentam um pouco cada são, em geral, um só atacante com muitas máquinas (uma botnet); bloquear alguns muda pouco.",
            )),
            Some(outcome(t)),
            t.history(),
        ]),
        next: close_the_port(t),
    }
}

/// What is done about many addresses.
fn close_the_port(t: &Telling<'_>) -> Vec<String> {
    let accepted = match t.sign_in_log() {
        Some(file) => format!("sudo grep -F ': Accepted ' {file}"),
        None => format!("sudo journalctl --no-pager {} -t sshd -t sshd-session -g Accepted", t.since()),
    };
    vec![
        t.step(&say!(t, "See which logins succeeded", "Veja quais logins tiveram sucesso"), &accepted),
        t.see_ssh_settings(),
        t.see_fail2ban("sshd"),
        say!(
            t,
            "If only a few people need SSH, have the firewall let only their networks or a VPN reach it",
            "Se poucas pessoas precisam de SSH, deixe o firewall liberar só as redes delas ou uma VPN",
        ),
    ]
}

/// What single addresses did at a port that is open to the internet.
fn at_host(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let attempts = attempts_over_ssh(t);
    let addresses: Vec<&str> = t.entities(EntityType::SourceIp).collect();
    let total = addresses.len() as u64;
    let number = t.counted(total, ["address", "addresses"], ["endereço", "endereços"]);
    let names = t.names(&addresses[..addresses.len().min(NAMED_OF)], Some(total));
    let users: Vec<&str> = t.entities(EntityType::User).take(NAMED_OF).collect();
    let tried = t.names(&users, None);
    Narrative {
        title: t.title(&say!(t, "{attempts} from {number}{in_title}", "{attempts} de {number}{in_title}")),
        what: sentences([
            Some(say!(
                t,
                "{attempts} came from {number}{host}, {when}.",
                "{attempts} vieram de {number}{host}, {when}."
            )),
            (total > 0).then(|| match total {
                1 => say!(t, "The address is {names}.", "O endereço é {names}."),
                _ => say!(t, "The addresses are {names}.", "Os endereços são {names}."),
            }),
            (!users.is_empty()).then(|| {
                say!(
                    t,
                    "Names that were tried, among others: {tried}.",
                    "Nomes tentados, entre outros: {tried}."
                )
            }),
            Some(say!(
                t,
                "None of these events is a login that succeeded.",
                "Nenhum desses eventos é um login com sucesso.",
            )),
        ]),
        why: sentences([
            Some(say!(
                t,
                "A port that is open to the internet is tried all the time, so this is told once a day.",
                "Uma porta aberta à internet é testada o tempo todo; por isso, isto é informado uma vez por dia.",
            )),
            Some(say!(
                t,
                "Whoever logs in after failures, fails a hundred times at a stretch, or comes from a private network has a signal of its own.",
                "Quem entra após falhas, falha cem vezes seguidas ou vem de uma rede privada tem um sinal próprio.",
            )),
            t.history(),
        ]),
        next: close_the_port(t),
    }
}

/// One address that tries many names, or guesses at another service than SSH.
pub(super) fn spraying(t: &Telling<'_>) -> Narrative {
    let (address, host, in_title, when) = (t.address(), t.on_host(), t.on_host_in_title(), t.when());
    let service = t.service().unwrap_or_else(|| say!(t, "a service", "um serviço"));
    let short_service = t.entity(EntityType::Service).filter(|service| *service != "ssh").map(short);
    let short_service = short_service.unwrap_or_else(|| service.clone());
    let failures =
        t.counted(t.signal.count, ["failed login", "failed logins"], ["falha de login", "falhas de login"]);
    let is_spraying = t.signal.rule == "password_spraying";
    let is_in = t.has_succeeded();
    let title = match is_spraying {
        true => {
            say!(t, "{address} tries many user names{in_title}", "{address} testa muitos usuários{in_title}")
        }
        false => say!(
            t,
            "{failures} at {short_service} from {address}",
            "{failures} em {short_service} de {address}",
        ),
    };
    let times = t.times(t.signal.count);
    let why = match is_spraying {
        true => say!(
            t,
            "Many names with a few common passwords (password spraying) stay below the limits that lock a single account.",
            "Muitos nomes com poucas senhas comuns (password spraying) ficam abaixo dos limites que bloqueiam uma conta.",
        ),
        false => guessed(t, false),
    };
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(say!(
                t,
                "{address} failed to log in to {service} {times}{host}, {when}.",
                "{address} falhou {times} ao tentar entrar em {service}{host}, {when}.",
            )),
            tried(t),
            login(t),
        ]),
        why: sentences([Some(why), t.exposure(), Some(outcome(t)), t.history()]),
        next: match is_in {
            true => somebody_is_in(t),
            false if t.entity(EntityType::Service) == Some("ssh") => keep_out(t),
            false => vec![t.see_address(), t.block(), t.see_fail2ban("")],
        },
    }
}

/// Somebody got in after failures.
pub(super) fn login_after_failures(t: &Telling<'_>) -> Narrative {
    let address = t.address();
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let failures = t.number(fact::FAILURES).unwrap_or(t.signal.count);
    let failed =
        t.counted(failures, ["failed login", "failed logins"], ["falha de login", "falhas de login"]);
    let service =
        t.service().map_or_else(String::new, |service| say!(t, " over {service}", " por {service}"));
    let title = say!(
        t,
        "Login from {address}{in_title} after {failed}",
        "Login a partir de {address}{in_title} após {failed}",
    );
    let as_user = t.user().map_or_else(String::new, |user| say!(t, " as {user}", " como {user}"));
    let at = t.time(fact::LOGIN_AT).map_or_else(String::new, |at| format!(" {}", t.at(at)));
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(say!(
                t,
                "{address} logged in{as_user}{service}{host}{at}, after {failed} from the same address.",
                "{address} entrou{as_user}{service}{host}{at}, após {failed} a partir do mesmo endereço.",
            )),
            Some(match failures {
                1 => say!(t, "The failure came {when}.", "A falha ocorreu {when}."),
                _ => say!(t, "The failures came {when}.", "As falhas ocorreram {when}."),
            }),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Either somebody mistyped a password several times, or somebody guessed it and is inside now.",
                "Ou alguém errou a senha várias vezes, ou alguém a adivinhou e agora está dentro.",
            )),
            t.exposure(),
            t.history(),
        ]),
        next: somebody_is_in(t),
    }
}

fn failed_ssh_logins(t: &Telling<'_>) -> String {
    t.counted(
        t.signal.count,
        ["failed SSH login", "failed SSH logins"],
        ["falha de login SSH", "falhas de login SSH"],
    )
}

fn attempts_over_ssh(t: &Telling<'_>) -> String {
    t.counted(
        t.signal.count,
        ["attempt to get in over SSH", "attempts to get in over SSH"],
        ["tentativa de entrar por SSH", "tentativas de entrar por SSH"],
    )
}

/// Who was tried.
fn tried(t: &Telling<'_>) -> Option<String> {
    let users = t.list(fact::USERS);
    let of_entities: Vec<&str> = t.entities(EntityType::User).collect();
    let users = if users.is_empty() { of_entities } else { users };
    let names = t.names(&users, t.number(fact::USERS_TOTAL));
    (!users.is_empty()).then(|| say!(t, "It tried to log in as {names}.", "Tentou entrar como {names}."))
}

/// That somebody got in meanwhile.
fn login(t: &Telling<'_>) -> Option<String> {
    t.has_succeeded().then_some(())?;
    let user = t.text(fact::LOGIN_USER).map(name);
    let user = user.map_or_else(String::new, |user| say!(t, " as {user}", " como {user}"));
    let at = t.time(fact::LOGIN_AT).map_or_else(String::new, |at| format!(" {}", t.at(at)));
    Some(say!(t, "The same address also logged in{user}{at}.", "O mesmo endereço também entrou{user}{at}.",))
}

/// Whether it came to what was tried.
fn outcome(t: &Telling<'_>) -> String {
    match t.is(fact::SUCCEEDED) {
        _ if t.has_succeeded() => say!(
            t,
            "A login succeeded: if it was none of yours, somebody is inside.",
            "Um login teve sucesso: se não foi de alguém da equipe, há um invasor dentro.",
        ),
        Some(_) => say!(
            t,
            "No login from this address succeeded meanwhile.",
            "Nenhum login desse endereço teve sucesso nesse período.",
        ),
        None => say!(
            t,
            "Whether a login succeeded is not known from these events.",
            "Esses eventos não dizem se algum login teve sucesso.",
        ),
    }
}

/// Nobody is in yet.
fn keep_out(t: &Telling<'_>) -> Vec<String> {
    vec![t.see_address(), t.block(), t.see_fail2ban("sshd"), t.see_ssh_settings()]
}

/// Somebody is in, who perhaps must not be.
fn somebody_is_in(t: &Telling<'_>) -> Vec<String> {
    let user = t.text(fact::LOGIN_USER).or_else(|| t.entity(EntityType::User));
    let ask = match user.filter(|user| *user != "root").map(name) {
        Some(user) => say!(
            t,
            "Ask {user}, by telephone or in person, whether this login was theirs",
            "Pergunte a {user}, por telefone ou pessoalmente, se reconhece esse login",
        ),
        None => say!(
            t,
            "Find out whose login this was, and ask them by telephone or in person",
            "Descubra de quem foi esse login e pergunte por telefone ou pessoalmente",
        ),
    };
    vec![ask, t.see_sessions(), t.see_address(), t.lock(user), t.see_ways_in()]
}
