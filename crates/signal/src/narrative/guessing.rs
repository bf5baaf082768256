//! Failed logins, and logins behind them.

use finding::{EntityType, fact};

use super::{
    narrated::Narrative,
    telling::{Telling, name, say, sentences},
};

/// One address that fails again and again at SSH.
pub(super) fn ssh_brute_force(t: &Telling<'_>) -> Narrative {
    match t.signal.rule.as_str() {
        "ssh_probing" | "ssh_handshake_abuse" => return probing(t),
        _ => {}
    }
    let (count, address) = (t.signal.count, t.address());
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let is_in = t.is(fact::SUCCEEDED) == Some(true);
    let failures = t.counted(
        count,
        ["failed SSH login", "failed SSH logins"],
        ["falha de login SSH", "falhas de login SSH"],
    );
    let title = match is_in {
        true => say!(
            t,
            "{failures} from {address}, and one that succeeded",
            "{failures} de {address}, e um login com sucesso",
        ),
        false => say!(t, "{failures} from {address}{in_title}", "{failures} de {address}{in_title}"),
    };
    let times = t.times(count);
    let patience = (t.signal.rule == "ssh_patient_guessing").then(|| {
        say!(
            t,
            "The attempts are spread out, as if not to be noticed; connections broken off before a login count too.",
            "As tentativas são espaçadas, como para não chamar atenção; conexões interrompidas antes do login também contam.",
        )
    });
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(say!(
                t,
                "{address} failed to log in over SSH {times}{host}, {when}.",
                "{address} não conseguiu entrar por SSH {times}{host}, {when}.",
            )),
            patience,
            tried(t),
            login(t),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Somebody or some program is guessing passwords (brute force).",
                "Alguém ou algum programa está adivinhando senhas (força bruta).",
            )),
            t.exposure(),
            Some(outcome(t)),
            Some(t.history()),
        ]),
        next: if is_in { somebody_is_in(t) } else { keep_out(t) },
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
            Some(t.history()),
        ]),
        next: vec![t.see_address(), t.block(), t.see_ssh_settings()],
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
            Some(say!(t, "All of it happened {when}.", "Tudo aconteceu {when}.")),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Either somebody mistyped a password several times, or somebody guessed it and is inside now.",
                "Ou alguém errou a senha várias vezes, ou alguém a adivinhou e agora está dentro.",
            )),
            t.exposure(),
            Some(t.history()),
        ]),
        next: somebody_is_in(t),
    }
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
    t.is(fact::SUCCEEDED).filter(|is_in| *is_in)?;
    let user = t.text(fact::LOGIN_USER).map(name);
    let user = user.map_or_else(String::new, |user| say!(t, " as {user}", " como {user}"));
    let at = t.time(fact::LOGIN_AT).map_or_else(String::new, |at| format!(" {}", t.at(at)));
    Some(say!(t, "The same address also logged in{user}{at}.", "O mesmo endereço também entrou{user}{at}.",))
}

/// Whether it came to what was tried.
fn outcome(t: &Telling<'_>) -> String {
    match t.is(fact::SUCCEEDED) {
        Some(true) => say!(
            t,
            "One login succeeded: if it was none of yours, somebody is inside.",
            "Um login teve sucesso: se não foi de alguém da equipe, há um invasor dentro.",
        ),
        Some(false) => say!(
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
            "Pergunte a {user}, por telefone ou pessoalmente, se esse login foi dele ou dela",
        ),
        None => say!(
            t,
            "Find out whose login this was, and ask them by telephone or in person",
            "Descubra de quem foi esse login e pergunte por telefone ou pessoalmente",
        ),
    };
    vec![ask, t.see_sessions(), t.see_address(), t.lock(user), t.see_ways_in()]
}
