//! Something that starts by itself was added.

use finding::fact;

use super::{
    narrated::Narrative,
    reader::System,
    telling::{Telling, say, sentences},
};

/// Whether this is one of the rules that find it.
pub(super) fn knows(rule: &str) -> bool {
    matches!(
        rule,
        "unit_added"
            | "unit_installed"
            | "preload_added"
            | "local_boot_script_added"
            | "boot_script_added"
            | "login_script_added"
    )
}

/// A file by which something starts was added or changed.
pub(super) fn persistence_added(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    let called = called(t);
    let started = t.list(fact::STARTED);
    let said = t.quotations(&started);
    Narrative {
        title: t.title(&format!("{called}{in_title}")),
        what: sentences([
            Some(say!(t, "{called}{often}{host}, {when}.", "{called}{often}{host}, {when}.")),
            t.files_changed(),
            (!started.is_empty()).then(|| say!(t, "In it stands {said}.", "Nele está escrito {said}.")),
            t.by_command(),
        ]),
        why: sentences([Some(why(t)), t.history()]),
        next: next(t),
    }
}

fn called(t: &Telling<'_>) -> String {
    match t.signal.rule.as_str() {
        "preload_added" => {
            say!(t, "Library for every program added", "Biblioteca para todos os programas adicionada")
        }
        "unit_installed" => {
            say!(t, "Unit of systemd installed or changed", "Unidade do systemd instalada ou alterada")
        }
        "unit_added" => {
            say!(t, "Unit of systemd added or changed", "Unidade do systemd adicionada ou alterada")
        }
        "login_script_added" => {
            say!(t, "Script of logins added or changed", "Script de login adicionado ou alterado")
        }
        _ => {
            say!(t, "Script of the start added or changed", "Script de inicialização adicionado ou alterado")
        }
    }
}

fn why(t: &Telling<'_>) -> String {
    match t.signal.rule.as_str() {
        "preload_added" => say!(
            t,
            "What stands in this file is loaded into every program that starts. Almost nothing needs that; rootkits hide themselves with it.",
            "O que está nesse arquivo é carregado em todo programa que inicia. Quase nada precisa disso; rootkits se escondem assim.",
        ),
        "unit_installed" => say!(
            t,
            "Packages bring such files when they are installed or upgraded. Whoever is root can put one there as well, and it starts by itself.",
            "Pacotes trazem esses arquivos ao serem instalados ou atualizados. Quem é root também pode colocar um ali, e ele inicia sozinho.",
        ),
        "login_script_added" => say!(
            t,
            "It runs whenever somebody logs in, with their rights: attackers use it to come back and to get passwords.",
            "Roda sempre que alguém faz login, com os direitos dessa pessoa: atacantes usam isso para voltar e obter senhas.",
        ),
        _ => say!(
            t,
            "It starts by itself, after a reboot too: attackers use it to stay.",
            "Inicia sozinho, mesmo após reiniciar: atacantes usam isso para permanecer.",
        ),
    }
}

fn next(t: &Telling<'_>) -> Vec<String> {
    let word = t.path_word(t.list(fact::FILES).first().copied());
    let path = &word.text;
    let see = say!(t, "See what stands in the file now", "Veja o que está no arquivo agora");
    let owner = say!(
        t,
        "See whether a package brings the file, and whether it was changed since",
        "Veja se um pacote traz o arquivo e se ele foi alterado depois",
    );
    let owned = match t.reader.system {
        System::Debian => format!("dpkg -S {path}; dpkg --verify"),
        System::RedHat => format!("rpm -qf {path}; rpm -Vf {path}"),
        System::Unknown => format!("dpkg -S {path} || rpm -qf {path}"),
    };
    let is_unit = t.signal.rule.starts_with("unit_");
    let base = path.rsplit('/').next().unwrap_or(path);
    let undo = match is_unit {
        true => say!(
            t,
            "If it is nobody's, keep a copy and switch it off (undo: sudo systemctl enable --now {base})",
            "Se não é de ninguém, guarde uma cópia e desative-a (para desfazer: sudo systemctl enable --now {base})",
        ),
        false => say!(
            t,
            "If it is nobody's, keep a copy, then take it out with an editor",
            "Se não é de ninguém, guarde uma cópia e remova-o com um editor",
        ),
    };
    let command = match is_unit {
        true => format!("sudo cp -p {path} /root/; sudo systemctl disable --now {base}"),
        false => format!("sudo cp -p {path} /root/; sudoedit {path}"),
    };
    vec![
        t.ask_about_change(),
        t.step_with(&see, &word, &format!("sudo ls -l {path}; sudo cat {path}")),
        t.step_with(&owner, &word, &owned),
        t.step_with(&undo, &word, &command),
        t.see_sessions(),
    ]
}
