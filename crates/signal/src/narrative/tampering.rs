//! What is done to logs and to the clock.

use finding::fact;

use super::{
    narrated::Narrative,
    telling::{Telling, say, sentences},
};

/// Logs were removed, damaged or no longer written, or the clock was changed.
pub(super) fn log_tampering(t: &Telling<'_>) -> Narrative {
    match t.signal.rule.as_str() {
        "logs_removed" | "logs_vacuumed" => removed(t),
        "logs_damaged" => damaged(t),
        "logs_vanished" | "log_emptied" => vanished(t),
        "clock_changed" => clock(t),
        _ => stopped(t),
    }
}

fn removed(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    Narrative {
        title: t.title(&say!(
            t,
            "A command that can erase logs was run{in_title}",
            "Foi executado um comando que pode apagar logs{in_title}",
        )),
        what: sentences([
            Some(say!(
                t,
                "A command that can remove or overwrite files was run on logs{often}{host}, {when}.",
                "Um comando que pode remover ou sobrescrever arquivos foi executado sobre logs{often}{host}, {when}.",
            )),
            t.by_command(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Intruders erase logs in order to hide what they did. Hardly anybody else removes these by hand.",
                "Invasores apagam logs para esconder o que fizeram. Quase ninguém mais remove esses arquivos à mão.",
            )),
            t.history(),
        ]),
        next: vec![
            t.ask_about_change(),
            t.step(
                &say!(
                    t,
                    "See which logs are left, and how large they are",
                    "Veja quais logs restam e o tamanho deles"
                ),
                "sudo ls -lt /var/log | head -n 30; sudo journalctl --disk-usage",
            ),
            t.see_commands_as_root(),
            t.see_sessions(),
            t.see_ways_in(),
        ],
    }
}

fn stopped(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    Narrative {
        title: t.title(&say!(
            t,
            "Logging stopped or restricted{in_title}",
            "Gravação de logs parada ou limitada{in_title}"
        )),
        what: sentences([
            Some(say!(
                t,
                "What writes logs or audit records was stopped or restricted{often}{host}, {when}.",
                "O que grava logs ou registros de auditoria foi parado ou limitado{often}{host}, {when}.",
            )),
            t.by_command(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Until it runs again, what happens is not recorded. At a reboot or an upgrade it is ordinary; else it is how intruders hide.",
                "Até voltar a rodar, o que acontece não é registrado. Em uma reinicialização ou atualização é normal; fora disso, é assim que invasores se escondem.",
            )),
            t.history(),
        ]),
        next: vec![
            t.ask_about_change(),
            t.step(
                &say!(t, "See what runs of it", "Veja o que está rodando"),
                "systemctl status --no-pager rsyslog syslog-ng auditd systemd-journald; sudo auditctl -s",
            ),
            t.step(
                &say!(
                    t,
                    "See whether the host was restarted meanwhile",
                    "Veja se o host foi reiniciado nesse período",
                ),
                "last -x -n 10 reboot shutdown; uptime",
            ),
            t.step(
                &say!(
                    t,
                    "Start again what should run; put its name in for SERVICE",
                    "Inicie de novo o que deveria rodar; preencha o nome em SERVICE",
                ),
                "sudo systemctl start SERVICE",
            ),
        ],
    }
}

fn damaged(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    Narrative {
        title: t.title(&say!(
            t,
            "A journal file was damaged{in_title}",
            "Um arquivo do journal foi danificado{in_title}"
        )),
        what: sentences([
            Some(say!(
                t,
                "systemd's journal found one of its files damaged or not properly closed{often}{host}, {when}; it began a new one.",
                "O journal do systemd encontrou um arquivo danificado ou não fechado corretamente{often}{host}, {when}, e começou um novo.",
            )),
            t.first_said(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Most often the power failed or the host was reset; a failing disk or somebody's hand is possible too.",
                "Em geral faltou energia ou o host foi desligado à força; um disco com defeito ou a ação de alguém também é possível.",
            )),
            t.history(),
        ]),
        next: vec![
            t.step(
                &say!(t, "See whether the host went down just before", "Veja se o host caiu logo antes"),
                "last -x -n 10 reboot shutdown; uptime",
            ),
            t.step(
                &say!(
                    t,
                    "See which journal files are sound",
                    "Veja quais arquivos do journal estão íntegros"
                ),
                "sudo journalctl --verify",
            ),
            t.step(
                &say!(
                    t,
                    "See whether the kernel tells of disk errors",
                    "Veja se o kernel relata erros de disco"
                ),
                "sudo dmesg -T --level=emerg,alert,crit,err | tail -n 50",
            ),
        ],
    }
}

fn vanished(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    let files = t.list(fact::FILES);
    let of_files = t.names(&files, None);
    Narrative {
        title: t.title(&say!(
            t,
            "A log was emptied or removed{in_title}",
            "Um log foi esvaziado ou removido{in_title}"
        )),
        what: sentences([
            Some(say!(
                t,
                "A log that is being read was emptied or removed{often}{host}, {when}, and no rotated copy stands beside it.",
                "Um log que está sendo lido foi esvaziado ou removido{often}{host}, {when}, e não há cópia de rotação ao lado dele.",
            )),
            (!files.is_empty()).then(|| say!(t, "Files: {of_files}.", "Arquivos: {of_files}.")),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Rotation leaves a copy; intruders who hide what they did leave none. What was read before is still stored here.",
                "A rotação deixa uma cópia; invasores que escondem o que fizeram não deixam nenhuma. O que já foi lido continua guardado aqui.",
            )),
            t.history(),
        ]),
        next: vec![
            t.step(
                &say!(
                    t,
                    "See which logs are left, and how large they are",
                    "Veja quais logs restam e o tamanho deles"
                ),
                "sudo ls -lt /var/log | head -n 30; sudo journalctl --disk-usage",
            ),
            t.see_commands_as_root(),
            t.see_sessions(),
            t.see_ways_in(),
        ],
    }
}

fn clock(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when, often) = (t.on_host(), t.on_host_in_title(), t.when(), t.often());
    Narrative {
        title: t.title(&say!(t, "The clock was changed{in_title}", "O relógio foi alterado{in_title}")),
        what: sentences([
            Some(say!(t, "The system's clock was changed{often}{host}, {when}.", "O relógio do sistema foi alterado{often}{host}, {when}.")),
            t.first_said(),
        ]),
        why: sentences([
            Some(say!(
                t,
                "With a wrong clock, logs do not fit together, and certificates and logins can fail. After a start or a pause of a virtual machine it is ordinary.",
                "Com o relógio errado, os logs não se encaixam, e certificados e logins podem falhar. Após iniciar ou pausar uma máquina virtual é normal.",
            )),
            t.history(),
        ]),
        next: vec![
            t.step(&say!(t, "See whether the clock is right now and who keeps it so", "Veja se o relógio está certo agora e quem o mantém assim"), "timedatectl"),
            t.see_commands_as_root(),
            t.step(
                &say!(
                    t,
                    "If it is wrong, have it follow time servers (undo: sudo timedatectl set-ntp false)",
                    "Se estiver errado, faça-o seguir servidores de tempo (para desfazer: sudo timedatectl set-ntp false)",
                ),
                "sudo timedatectl set-ntp true",
            ),
        ],
    }
}
