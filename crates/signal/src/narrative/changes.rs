//! Changes of who may do what, and of what tells of it.

use finding::{EntityType, fact};

use super::{
    narrated::Narrative,
    reader::System,
    telling::{Telling, name, say, sentences},
};

/// An account or a group was changed.
pub(super) fn account_changed(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let count = t.counted(t.signal.count, ["change", "changes"], ["alteração", "alterações"]);
    let is_administrator = t.signal.rule == "administrator_made";
    let (title, what, why) = match is_administrator {
        true => (
            say!(
                t,
                "Administrator rights changed{in_title}",
                "Direitos de administrador alterados{in_title}"
            ),
            say!(
                t,
                "The log tells of {count} to who has the rights of an administrator{host}, {when}.",
                "O log mostra {count} em quem tem direitos de administrador{host}, {when}.",
            ),
            say!(
                t,
                "Members of such a group, and users with the id of root, can do all that root can. Attackers give themselves these rights in order to stay.",
                "Membros de um grupo assim e usuários com o id do root podem tudo o que o root pode. Atacantes dão esses direitos a si mesmos para permanecer.",
            ),
        ),
        false => (
            say!(t, "Accounts changed{in_title}", "Contas alteradas{in_title}"),
            say!(
                t,
                "The log tells of {count} of accounts or groups{host}, {when}.",
                "O log mostra {count} em contas ou grupos{host}, {when}."
            ),
            say!(
                t,
                "Where somebody planned it, it is ordinary work; else it is how attackers make themselves a way back.",
                "Se alguém planejou, é trabalho normal; senão, é assim que atacantes criam um caminho de volta.",
            ),
        ),
    };
    Narrative {
        title: t.title(&title),
        what: sentences([Some(what), done(t), concerned(t), t.by_command()]),
        why: sentences([Some(why), t.history()]),
        next: vec![
            t.ask_about_change(),
            t.step(
                &say!(
                    t,
                    "See who has the rights of an administrator",
                    "Veja quem tem direitos de administrador"
                ),
                "getent group root sudo wheel admin docker; awk -F: '$3 == 0' /etc/passwd",
            ),
            see_account(t),
            take_back(t),
        ],
    }
}

/// What was done, in words.
fn done(t: &Telling<'_>) -> Option<String> {
    let said: Vec<String> = t
        .list(fact::CHANGES)
        .into_iter()
        .filter_map(|change| match change {
            "user creation" => Some(say!(t, "a user was made", "um usuário foi criado")),
            "user deletion" => Some(say!(t, "a user was removed", "um usuário foi removido")),
            "user change" => Some(say!(t, "a user was changed", "um usuário foi alterado")),
            "group creation" => Some(say!(t, "a group was made", "um grupo foi criado")),
            "group deletion" => Some(say!(t, "a group was removed", "um grupo foi removido")),
            "group change" => {
                Some(say!(t, "the members of a group were changed", "os membros de um grupo foram alterados"))
            }
            _ => None,
        })
        .collect();
    let said = (!said.is_empty()).then(|| said.join("; "))?;
    Some(say!(t, "What was done: {said}.", "O que foi feito: {said}."))
}

/// Whose accounts and which groups.
fn concerned(t: &Telling<'_>) -> Option<String> {
    let (accounts, groups) = (t.list(fact::ACCOUNTS), t.list(fact::GROUPS));
    let of_accounts = t.names(&accounts, None);
    let of_groups = t.names(&groups, None);
    let accounts =
        (!accounts.is_empty()).then(|| say!(t, "Accounts: {of_accounts}.", "Contas: {of_accounts}."));
    let groups = (!groups.is_empty()).then(|| say!(t, "Groups: {of_groups}.", "Grupos: {of_groups}."));
    let said = sentences([accounts, groups]);
    (!said.is_empty()).then_some(said)
}

fn see_account(t: &Telling<'_>) -> String {
    let account = t.list(fact::ACCOUNTS).first().copied();
    let word = t.user_word(account);
    t.step_with(
        &say!(t, "See the account and when it was used", "Veja a conta e quando ela foi usada"),
        &word,
        &format!("id {0}; last -i -n 20 {0}", word.text),
    )
}

/// Undo it: out of the group, or the account locked.
fn take_back(t: &Telling<'_>) -> String {
    let (accounts, groups) = (t.list(fact::ACCOUNTS), t.list(fact::GROUPS));
    let word = t.user_word(accounts.first().copied());
    match (t.signal.rule.as_str(), groups.first().copied()) {
        ("administrator_made", Some(group)) => {
            let (user, group) = (word.text.clone(), t.group_word(Some(group)));
            let in_group = &group.text;
            let what = say!(
                t,
                "If nobody planned it, take the account out of the group (undo: sudo gpasswd -a {user} {in_group})",
                "Se ninguém planejou, tire a conta do grupo (para desfazer: sudo gpasswd -a {user} {in_group})",
            );
            t.step_with(&what, &word.or(group.clone()), &format!("sudo gpasswd -d {user} {in_group}"))
        }
        _ => t.lock_unplanned(accounts.first().copied()),
    }
}

/// A file of keys was changed.
pub(super) fn ssh_key_added(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    let file = t.list(fact::FILES).first().copied();
    let word = t.path_word(file);
    let see = match file {
        Some(_) => t.step_with(
            &say!(
                t,
                "See whose keys are in the file now",
                "Veja de quem são as chaves que estão no arquivo agora"
            ),
            &word,
            &format!("sudo ls -l {0}; sudo cat {0}", word.text),
        ),
        None => t.step(
            &say!(
                t,
                "See whose keys are in such files now",
                "Veja de quem são as chaves que estão nesses arquivos agora"
            ),
            "sudo find /root /home -name 'authorized_keys*' -ls -exec cat {} +",
        ),
    };
    Narrative {
        title: t.title(&say!(t, "SSH keys changed{in_title}", "Chaves SSH alteradas{in_title}")),
        what: sentences([
            Some(say!(
                t,
                "A file of SSH keys was made, changed or removed{often}{host}, {when}.",
                "Um arquivo de chaves SSH foi criado, alterado ou removido{often}{host}, {when}.",
            )),
            t.files_changed(),
            t.by_command(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Whoever has a key in such a file logs in without a password, and a new password does not keep them out.",
                "Quem tem uma chave nesse arquivo entra sem senha, e trocar a senha não impede.",
            )),
            t.history(),
        ]),
        next: vec![
            t.ask_about_change(),
            see,
            t.step_with(
                &say!(
                    t,
                    "If a key is nobody's, keep a copy of the file, then remove the key's line with an editor",
                    "Se uma chave não é de ninguém, guarde uma cópia do arquivo e remova a linha da chave com um editor",
                ),
                &word,
                &format!("sudo cp -p {0} {0}.before; sudoedit {0}", word.text),
            ),
            t.see_sessions(),
        ],
    }
}

/// The rules of sudo were changed.
pub(super) fn sudoers_changed(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    Narrative {
        title: t.title(&say!(
            t,
            "Rules of sudo opened or changed{in_title}",
            "Regras do sudo abertas ou alteradas{in_title}",
        )),
        what: sentences([
            Some(say!(
                t,
                "The rules of sudo were changed, or opened for a change{often}{host}, {when}.",
                "As regras do sudo foram alteradas, ou abertas para alteração{often}{host}, {when}.",
            )),
            t.files_changed(),
            t.by_command(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "These rules say who may become root. One more line in them is a way back that survives new passwords.",
                "Essas regras dizem quem pode virar root. Uma linha a mais nelas é um caminho de volta que sobrevive à troca de senhas.",
            )),
            t.history(),
        ]),
        next: vec![
            t.ask_about_change(),
            t.step(
                &say!(t, "See the rules, and when their files were changed", "Veja as regras e quando os arquivos foram alterados"),
                "sudo ls -l --time-style=full-iso /etc/sudoers /etc/sudoers.d; sudo grep -rvE '^(#|$)' /etc/sudoers /etc/sudoers.d",
            ),
            t.step(
                &say!(t, "See whether the rules are sound", "Veja se as regras estão corretas"),
                "sudo visudo -c",
            ),
            t.step(
                &say!(
                    t,
                    "If a rule is nobody's, take it out; visudo keeps you from locking yourself out",
                    "Se uma regra não é de ninguém, remova-a; o visudo evita que você se tranque para fora",
                ),
                "sudo visudo",
            ),
        ],
    }
}

/// A schedule was changed.
pub(super) fn cron_changed(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    let of_user = t.entity(EntityType::User).filter(|_| t.list(fact::COMMAND_LINES).is_empty()).map(name);
    Narrative {
        title: t.title(&say!(
            t,
            "Scheduled jobs (cron) changed{in_title}",
            "Tarefas agendadas (cron) alteradas{in_title}",
        )),
        what: sentences([
            Some(say!(
                t,
                "A schedule of cron was changed, or opened for a change{often}{host}, {when}.",
                "Um agendamento do cron foi alterado, ou aberto para alteração{often}{host}, {when}.",
            )),
            of_user.map(|user| say!(t, "The user was {user}.", "O usuário foi {user}.")),
            t.files_changed(),
            t.by_command(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "What stands in a schedule runs again and again by itself, after a reboot too: attackers use it to stay.",
                "O que está em um agendamento roda sozinho repetidamente, mesmo após reiniciar: atacantes usam isso para permanecer.",
            )),
            t.history(),
        ]),
        next: see_schedules(t),
    }
}

fn see_schedules(t: &Telling<'_>) -> Vec<String> {
    let spool = match t.reader.system {
        System::Debian => "/var/spool/cron/crontabs",
        System::RedHat | System::Unknown => "/var/spool/cron",
    };
    let all = t.step(
        &say!(
            t,
            "See all schedules, the latest change first",
            "Veja todos os agendamentos, o mais recente primeiro"
        ),
        &format!("sudo ls -lt /etc/crontab /etc/cron.d {spool}; systemctl list-timers"),
    );
    let edit = say!(
        t,
        "If a line is nobody's, keep a copy, then put a # before the line",
        "Se uma linha não é de ninguém, guarde uma cópia e ponha um # no começo da linha",
    );
    if let Some(file) = t.list(fact::FILES).first() {
        let word = t.path_word(Some(file));
        let see = say!(t, "See what stands in the file now", "Veja o que está no arquivo agora");
        let see = t.step_with(&see, &word, &format!("sudo ls -l {0}; sudo cat {0}", word.text));
        let copy = format!("sudo cp -p {0} /root/; sudoedit {0}", word.text);
        return vec![t.ask_about_change(), see, all, t.step_with(&edit, &word, &copy)];
    }
    // With sudo and without -u it is the schedule of root.
    let is_command = !t.list(fact::COMMAND_LINES).is_empty();
    let word = t.user_word(if is_command { Some("root") } else { t.entity(EntityType::User) });
    let see = match is_command {
        true => say!(
            t,
            "See the schedule of root, or of the user behind -u in the command",
            "Veja o agendamento do root ou do usuário que está depois de -u no comando",
        ),
        false => say!(t, "See the user's schedule", "Veja o agendamento do usuário"),
    };
    vec![
        t.ask_about_change(),
        t.step_with(&see, &word, &format!("sudo crontab -l -u {}", word.text)),
        all,
        t.step_with(
            &edit,
            &word,
            &format!("sudo crontab -l -u {0} > crontab.before; sudo crontab -e -u {0}", word.text),
        ),
    ]
}

impl Telling<'_> {
    /// The files that were changed.
    pub(super) fn files_changed(&self) -> Option<String> {
        let files = self.list(fact::FILES);
        let names = self.names(&files, None);
        match files.len() {
            0 => None,
            1 => Some(say!(self, "The file is {names}.", "O arquivo é {names}.")),
            _ => Some(say!(self, "The files are {names}.", "Os arquivos são {names}.")),
        }
    }

    /// Who did it by which command, where it was sudo.
    pub(super) fn by_command(&self) -> Option<String> {
        let commands = self.list(fact::COMMAND_LINES);
        let said = self.quotations(&commands);
        if commands.is_empty() {
            return None;
        }
        let users: Vec<&str> = self.entities(EntityType::User).collect();
        let who = self.names(&users, Some(users.len() as u64));
        let who = if who.is_empty() { String::new() } else { say!(self, " by {who}", " por {who}") };
        Some(say!(self, "Run with sudo{who}: {said}.", "Executado com sudo{who}: {said}."))
    }

    /// Ask who changed it.
    pub(super) fn ask_about_change(&self) -> String {
        let actor = self.entity(EntityType::User).filter(|_| !self.list(fact::COMMAND_LINES).is_empty());
        match actor.filter(|user| *user != "root").map(name) {
            Some(user) => say!(
                self,
                "Ask {user} whether and why they did it",
                "Pergunte a {user} se reconhece essa alteração e por que a fez",
            ),
            None => say!(
                self,
                "Ask those who look after this host whether one of them did it, and why",
                "Pergunte a quem cuida deste host se alguém da equipe fez isso e por quê",
            ),
        }
    }
}
