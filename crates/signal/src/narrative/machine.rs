//! What breaks: services, disks, the kernel.

use finding::{EntityType, fact};

use super::{
    narrated::Narrative,
    reader::System,
    telling::{Telling, name, say, sentences, short},
};

/// A service that will not stay up.
pub(super) fn service_crash_loop(t: &Telling<'_>) -> Narrative {
    let service = t.entity(EntityType::Service);
    let short_service = service.map_or_else(|| say!(t, "A service", "Um serviço"), short);
    let service = service.map_or_else(|| say!(t, "A service", "Um serviço"), name);
    let (host, in_title, when, times) =
        (t.on_host(), t.on_host_in_title(), t.when(), t.times(t.signal.count));
    let (title, what, why) = match t.signal.rule.as_str() {
        "service_given_up" => (
            say!(
                t,
                "{short_service} is down: restarts given up{in_title}",
                "{short_service} está fora: sem novos reinícios{in_title}"
            ),
            say!(
                t,
                "{service} failed too often in a row and is not started again by itself{host}; this was said {times}, {when}.",
                "{service} falhou vezes demais seguidas e não será reiniciado automaticamente{host}; isso foi dito {times}, {when}.",
            ),
            say!(
                t,
                "The service is down and stays so until somebody starts it.",
                "O serviço está fora do ar e assim fica até alguém iniciá-lo.",
            ),
        ),
        "process_crashes" => (
            say!(
                t,
                "{short_service} crashed {times}{in_title}",
                "{short_service} caiu {times} (crash){in_title}"
            ),
            say!(
                t,
                "{service} crashed or was ended by a signal {times}{host}, {when}.",
                "{service} caiu (crash) ou foi encerrado por um sinal {times}{host}, {when}."
            ),
            say!(
                t,
                "A program that crashes again and again has a defect, lacks memory or gets input that breaks it; attacks on its memory look the same.",
                "Um programa que cai repetidamente tem um defeito, está sem memória ou recebe dados que o derrubam; ataques à memória dele têm a mesma aparência.",
            ),
        ),
        _ => (
            say!(
                t,
                "{short_service} keeps failing or restarting{in_title}",
                "{short_service} falha ou reinicia sem parar{in_title}"
            ),
            say!(
                t,
                "{service} failed or was restarted {times}{host}, {when}.",
                "{service} falhou ou foi reiniciado {times}{host}, {when}.",
            ),
            say!(
                t,
                "It does not stay up. Each restart interrupts those who use it, and after too many it is given up.",
                "Ele não se mantém no ar. Cada reinício interrompe quem o usa e, depois de muitos, o sistema desiste.",
            ),
        ),
    };
    Narrative {
        title: t.title(&title),
        what: sentences([Some(what), t.first_said()]),
        why: sentences([Some(why), t.history()]),
        next: mend_service(t),
    }
}

fn mend_service(t: &Telling<'_>) -> Vec<String> {
    let word = t.unit_word();
    let unit = &word.text;
    let since = t.since();
    let said = match t.signal.rule.as_str() {
        "process_crashes" => t.step(
            &say!(t, "See where it crashed", "Veja onde ele caiu"),
            "coredumpctl list --no-pager; sudo dmesg -T | tail -n 50",
        ),
        _ => t.step_with(
            &say!(t, "See its state and what it said last", "Veja o estado e o que ele disse por último"),
            &word,
            &format!("systemctl status --no-pager {unit}; sudo journalctl --no-pager -u {unit} -n 100"),
        ),
    };
    let mut next = vec![
        said,
        t.step(
            &say!(t, "See whether disk or memory is full", "Veja se falta disco ou memória"),
            "df -h; df -i; free -m",
        ),
        see_updates(t),
    ];
    if t.signal.rule == "service_given_up" {
        next.push(t.step_with(
            &say!(
                t,
                "When the cause is gone, start it (a program of supervisord: sudo supervisorctl start {unit})",
                "Resolvida a causa, inicie-o (se for um programa do supervisord: sudo supervisorctl start {unit})",
            ),
            &word,
            &format!("sudo systemctl reset-failed {unit}; sudo systemctl start {unit}"),
        ));
    } else {
        next.push(t.step(
            &say!(t, "See what else was logged meanwhile", "Veja o que mais foi registrado nesse período"),
            &format!("sudo journalctl --no-pager {since} -p warning"),
        ));
    }
    next
}

/// See what was installed lately.
fn see_updates(t: &Telling<'_>) -> String {
    let what = say!(
        t,
        "See whether something was installed or upgraded just before",
        "Veja se algo foi instalado ou atualizado logo antes",
    );
    let command = match t.reader.system {
        System::Debian => "tail -n 40 /var/log/dpkg.log",
        System::RedHat => "sudo dnf history list | head -n 20",
        System::Unknown => "ls -lt /usr/bin /usr/sbin | head -n 20",
    };
    t.step(&what, command)
}

/// A disk or file system that fails.
pub(super) fn disk_error(t: &Telling<'_>) -> Narrative {
    let devices = t.list(fact::DEVICES);
    let names = t.names(&devices, None);
    let of_devices = if devices.is_empty() { String::new() } else { say!(t, " ({names})", " ({names})") };
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let errors =
        t.counted(t.signal.count, ["disk error", "disk errors"], ["erro de disco", "erros de disco"]);
    let is_failing = t.signal.rule == "disk_failing";
    let title = match is_failing {
        true => say!(t, "A disk is failing{in_title}", "Um disco está falhando{in_title}"),
        false => say!(t, "{errors}{in_title}", "{errors}{in_title}"),
    };
    let why = match is_failing {
        true => say!(
            t,
            "The system says that data cannot be read, a disk left its array, or writing was stopped: more may be lost at any time.",
            "O sistema diz que dados não podem ser lidos, que um disco saiu do conjunto ou que a gravação parou: mais pode ser perdido a qualquer momento.",
        ),
        false => say!(
            t,
            "A disk, its cable or its controller does not answer as it should. It often gets worse, and data can be lost.",
            "Um disco, o cabo ou a controladora não responde como deveria. Costuma piorar, e dados podem ser perdidos.",
        ),
    };
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(say!(
                t,
                "The system reported {errors}{of_devices}{host}, {when}.",
                "O sistema relatou {errors}{of_devices}{host}, {when}.",
            )),
            t.first_said(),
        ]),
        why: sentences([Some(why), t.history()]),
        next: vec![
            say!(
                t,
                "See whether there is a recent backup that can be read; if not, make one now, before anything else",
                "Veja se há um backup recente que possa ser lido; se não houver, faça um agora, antes de tudo",
            ),
            t.step(
                &say!(t, "See what the kernel says of disks", "Veja o que o kernel diz dos discos"),
                "sudo dmesg -T --level=emerg,alert,crit,err | tail -n 50",
            ),
            see_disk(t, devices.first().copied()),
            t.step(
                &say!(
                    t,
                    "See whether a file system is read-only or full, and whether an array has lost a disk",
                    "Veja se um sistema de arquivos está somente leitura ou cheio, e se um conjunto perdeu um disco",
                ),
                "findmnt -O ro; df -h; cat /proc/mdstat",
            ),
        ],
    }
}

fn see_disk(t: &Telling<'_>, device: Option<&str>) -> String {
    match device.and_then(disk) {
        Some(disk) => t.step(
            &say!(
                t,
                "Ask the disk itself (package smartmontools)",
                "Pergunte ao próprio disco (pacote smartmontools)"
            ),
            &format!("sudo smartctl -a /dev/{disk}"),
        ),
        None => t.step(
            &say!(
                t,
                "See which disks there are and what is on them",
                "Veja quais discos existem e o que há neles"
            ),
            "lsblk -o NAME,TYPE,SIZE,MOUNTPOINT,MODEL",
        ),
    }
}

/// The disk of a partition, where it is one that can be asked: `sda` of `sda1`, `nvme0n1` of `nvme0n1p2`.
fn disk(device: &str) -> Option<&str> {
    if device.len() > 16 || !device.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return None;
    }
    if device.starts_with("nvme") {
        return Some(device.split('p').next().unwrap_or(device));
    }
    (device.starts_with("sd") || device.starts_with("hd"))
        .then(|| device.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// What the kernel says of itself.
pub(super) fn kernel_error(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let errors =
        t.counted(t.signal.count, ["kernel error", "kernel errors"], ["erro do kernel", "erros do kernel"]);
    let plainly = t.counted(t.signal.count, ["error", "errors"], ["erro", "erros"]);
    let said = t.list(fact::ERRORS);
    let is_memory = said.iter().any(|words| matches!(*words, "Out of memory" | "oom-kill"));
    let title = match is_memory {
        true => say!(t, "Memory ran out{in_title}", "A memória acabou{in_title}"),
        false => say!(t, "{errors}{in_title}", "{errors}{in_title}"),
    };
    let meanings: Vec<String> = said.iter().filter_map(|words| meaning(t, words)).collect();
    let mut meanings_once: Vec<String> = Vec::new();
    for meaning in meanings {
        if !meanings_once.contains(&meaning) {
            meanings_once.push(meaning);
        }
    }
    let unexplained = meanings_once.is_empty().then(|| {
        say!(
            t,
            "The kernel or a driver found something that must not be.",
            "O kernel ou um driver encontrou algo que não deveria acontecer."
        )
    });
    let memory = "free -m; ps -eo pid,user,rss,comm --sort=-rss | head -n 15";
    let state = "uptime; last -x -n 10 reboot shutdown";
    let look = match is_memory {
        true => t.step(&say!(t, "See what takes the memory", "Veja o que está usando a memória"), memory),
        false => {
            t.step(&say!(t, "See whether the host was restarted", "Veja se o host foi reiniciado"), state)
        }
    };
    Narrative {
        title: t.title(&title),
        what: sentences([
            Some(say!(
                t,
                "The kernel reported {plainly}{host}, {when}.",
                "O kernel relatou {plainly}{host}, {when}."
            )),
            t.first_said(),
        ]),
        why: sentences(meanings_once.into_iter().map(Some).chain([unexplained, t.history()])),
        next: vec![
            t.step(
                &say!(t, "See what the kernel says", "Veja o que o kernel diz"),
                "sudo dmesg -T --level=emerg,alert,crit,err,warn | tail -n 80",
            ),
            look,
            see_updates(t),
            t.see_journal(),
        ],
    }
}

/// What it means that the kernel says so.
fn meaning(t: &Telling<'_>, words: &str) -> Option<String> {
    Some(match words {
        "Out of memory" | "oom-kill" => say!(
            t,
            "The memory was full, and the kernel ended a process to go on: what that process did is interrupted.",
            "A memória ficou cheia e o kernel encerrou um processo para continuar: o que ele fazia foi interrompido.",
        ),
        "soft lockup" | "hard LOCKUP" | "detected stalls on CPU" => say!(
            t,
            "A processor was stuck for a while: an overloaded host or hypervisor, a driver, or failing hardware.",
            "Um processador ficou preso por um tempo: host ou hipervisor sobrecarregado, um driver ou hardware com defeito.",
        ),
        "blocked for more than" => say!(
            t,
            "A process waited long for a disk or the network: the storage is slow, full of work or away.",
            "Um processo esperou muito por disco ou rede: o armazenamento está lento, sobrecarregado ou inacessível.",
        ),
        "Kernel panic" => say!(
            t,
            "The kernel stopped the whole host; all that ran on it was interrupted.",
            "O kernel parou o host inteiro; tudo o que rodava nele foi interrompido.",
        ),
        "Machine check" | "Hardware Error" => say!(
            t,
            "The hardware reported an error: processor, memory or board may be failing.",
            "O hardware relatou um erro: processador, memória ou placa podem estar com defeito.",
        ),
        "Oops" | "BUG" | "kernel BUG at" | "general protection fault" => say!(
            t,
            "The kernel or a driver made a fault and may no longer work right until a restart.",
            "O kernel ou um driver cometeu uma falha e pode não funcionar direito até reiniciar.",
        ),
        _ => return None,
    })
}
