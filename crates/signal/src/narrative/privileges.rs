//! Who tries to have more rights than they have.

use finding::{EntityType, fact};

use super::{
    narrated::Narrative,
    reader::System,
    telling::{Telling, name, say, sentences, short},
};

/// Somebody tried to become root.
pub(super) fn privilege_escalation(t: &Telling<'_>) -> Narrative {
    if t.signal.rule == "program_with_privileges_crashed" {
        return crashed(t);
    }
    let (who, host, when, times) = (t.who(), t.on_host(), t.when(), t.times(t.signal.count));
    let (short_who, in_title) = (t.who_in_title(), t.on_host_in_title());
    let (title, what, why) = match t.signal.rule.as_str() {
        "privileges_denied" => (
            say!(t, "sudo refused {short_who}{in_title}", "O sudo recusou {short_who}{in_title}"),
            say!(
                t,
                "sudo refused {who} {times}{host}, {when}.",
                "O sudo recusou {who} {times}{host}, {when}."
            ),
            say!(
                t,
                "Either somebody lacks rights that they need, or somebody tries how far an account reaches.",
                "Ou alguém não tem os direitos de que precisa, ou alguém testa até onde uma conta chega.",
            ),
        ),
        "privileges_after_failures" => (
            say!(
                t,
                "{short_who} used sudo or su after failures{in_title}",
                "{short_who} usou sudo ou su após falhas{in_title}"
            ),
            say!(
                t,
                "After failed attempts, {who} used sudo or su {times}{host}, {when}.",
                "Após falhas, {who} usou sudo ou su {times}{host}, {when}.",
            ),
            say!(
                t,
                "Either a password was mistyped before, or it was guessed and somebody has rights that are not theirs.",
                "Ou a senha foi digitada errada antes, ou foi adivinhada e alguém tem direitos que não são seus.",
            ),
        ),
        _ => {
            let attempts =
                t.counted(t.signal.count, ["failed attempt", "failed attempts"], ["falha", "falhas"]);
            (
                say!(t, "{attempts} with sudo or su{in_title}", "{attempts} de sudo ou su{in_title}"),
                say!(
                    t,
                    "The log tells of {attempts} with sudo or su for the user {who}{host}, {when}.",
                    "O log mostra {attempts} de sudo ou su para o usuário {who}{host}, {when}.",
                ),
                say!(
                    t,
                    "Somebody who has got into an account tries to become root like this; so does a person with a forgotten password.",
                    "Quem invadiu uma conta tenta virar root assim; quem esqueceu a senha também.",
                ),
            )
        }
    };
    Narrative {
        title: t.title(&title),
        what: sentences([Some(what), t.commands_run()]),
        why: sentences([Some(why), t.history()]),
        next: vec![
            t.ask(t.entity(EntityType::User)),
            t.see_commands_as_root(),
            t.see_logins(t.entity(EntityType::User)),
            t.see_sessions(),
            t.lock(t.entity(EntityType::User)),
        ],
    }
}

/// A program that runs with the rights of root crashed.
fn crashed(t: &Telling<'_>) -> Narrative {
    let process = t.entity(EntityType::Process);
    let program = process.map_or_else(|| say!(t, "A program", "Um programa"), name);
    let short_program = process.map_or_else(|| program.clone(), short);
    let (host, in_title, when, times) =
        (t.on_host(), t.on_host_in_title(), t.when(), t.times(t.signal.count));
    let word = t.path_word(process);
    let owner = match t.reader.system {
        System::Debian => format!("dpkg -S {}; sudo dpkg --verify", word.text),
        System::RedHat => format!("rpm -qf {0}; sudo rpm -Vf {0}", word.text),
        System::Unknown => format!("ls -l {0}; sha256sum {0}", word.text),
    };
    let since = t.since();
    Narrative {
        title: t.title(&say!(
            t,
            "{short_program}, which runs as root, crashed{in_title}",
            "{short_program}, que roda como root, caiu (crash){in_title}",
        )),
        what: say!(
            t,
            "{program} crashed {times}{host}, {when}.",
            "{program} caiu (crash) {times}{host}, {when}."
        ),
        why: sentences([
            Some(say!(
                t,
                "This program has the rights of root whoever calls it. Attackers make such programs crash in order to take these rights over.",
                "Esse programa tem os direitos do root, não importa quem o chame. Atacantes provocam falhas nele para tomar esses direitos.",
            )),
            t.history(),
        ]),
        next: vec![
            t.step_with(
                &say!(
                    t,
                    "See whether the program is the one of its package (changed files are listed)",
                    "Veja se o programa é o original do pacote (arquivos alterados são listados)"
                ),
                &word,
                &owner,
            ),
            t.step(
                &say!(t, "See what crashed and who called it", "Veja o que caiu e quem chamou"),
                &format!("coredumpctl list; sudo journalctl --no-pager {since} -p err"),
            ),
            t.see_sessions(),
            t.see_ways_in(),
        ],
    }
}

impl Telling<'_> {
    /// The command lines that were run.
    pub(super) fn commands_run(&self) -> Option<String> {
        let commands = self.list(fact::COMMAND_LINES);
        let said = self.quotations(&commands);
        match commands.len() {
            0 => None,
            1 => Some(say!(self, "The command was {said}.", "O comando foi {said}.")),
            _ => Some(say!(self, "The commands were {said}.", "Os comandos foram {said}.")),
        }
    }
}
