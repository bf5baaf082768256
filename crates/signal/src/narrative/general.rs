//! What can be said of any signal, where its kind has no words of its own.

use finding::{FindingKind, fact};

use super::{
    narrated::Narrative,
    reader::Language,
    rules::measured,
    telling::{Telling, name, quotation, say, sentences},
};

/// What a kind is called, and why it matters: English, Portuguese.
type Words = ([&'static str; 2], [&'static str; 2]);

/// A signal of any kind.
pub(super) fn general(t: &Telling<'_>) -> Narrative {
    let (called, why) = in_words(t, words(t.signal.kind));
    let (when, about) = (t.when(), t.about_all());
    let in_title = t.on_host_in_title();
    let events = t.counted(t.signal.count, ["time", "times"], ["vez", "vezes"]);
    Narrative {
        title: t.title(&format!("{called}{in_title}")),
        what: sentences([
            Some(say!(
                t,
                "{called}: found {events}{about}, {when}.",
                "{called}: detectado {events}{about}, {when}.",
            )),
            measured(t),
            of_host(t),
            t.first_said(),
        ]),
        why: sentences([Some(why.to_owned()), t.history()]),
        next: next(t),
    }
}

/// What of a host was measured, what used most of it, and when the host was last heard of.
fn of_host(t: &Telling<'_>) -> Option<String> {
    let about = t.text(fact::MEASURED_AT).map(|about| {
        let about = name(about);
        say!(t, "It is about {about}.", "Trata-se de {about}.")
    });
    let top = t.list(fact::TOP_PROCESSES);
    let top = (!top.is_empty()).then(|| {
        let top = t.quotations(&top);
        say!(t, "These processes used most: {top}.", "Os processos que mais usaram: {top}.")
    });
    let seen = t.time(fact::LAST_SEEN).map(|at| {
        let at = t.at(at);
        say!(t, "It was last heard of {at}.", "O último contato foi {at}.")
    });
    let said = [about, top, seen].into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!said.is_empty()).then_some(said)
}

/// What to look at first for a kind, then what holds for all.
fn next(t: &Telling<'_>) -> Vec<String> {
    use FindingKind as Kind;
    let mut next = match t.signal.kind {
        Kind::ServiceDown => vec![see_service(t)],
        Kind::ReverseShell => vec![see_connections(t), t.see_sessions(), t.see_ways_in()],
        Kind::PersistenceAdded => vec![t.see_ways_in(), t.see_sessions()],
        kind => look(t, kind).into_iter().collect(),
    };
    if next.len() < 3 {
        next.extend([t.see_journal(), t.see_host()]);
    }
    next.push(t.call_expected());
    next
}

/// One look that says most of a kind.
fn look(t: &Telling<'_>, kind: FindingKind) -> Option<String> {
    use FindingKind as Kind;
    let (what, command) = match kind {
        Kind::HostCpu | Kind::HostLoad | Kind::ProcessResources => (
            say!(t, "See what takes the processor", "Veja o que está usando o processador"),
            "ps -eo pid,user,%cpu,%mem,args --sort=-%cpu | head -n 15",
        ),
        Kind::HostMemory => (
            say!(t, "See what takes the memory", "Veja o que está usando a memória"),
            "free -m; ps -eo pid,user,rss,args --sort=-rss | head -n 15",
        ),
        Kind::HostDisk => (
            say!(t, "See what takes the space", "Veja o que está ocupando o espaço"),
            "df -h; sudo du -xh --max-depth=2 / | sort -h | tail -n 20",
        ),
        Kind::HostNetwork | Kind::ProcessNewListener => (
            say!(t, "See which programs use the network", "Veja quais programas usam a rede"),
            "sudo ss -tulnp; sudo ss -tnp state established",
        ),
        Kind::AgentSilent => (
            say!(t, "See on that host whether the agent runs", "Veja naquele host se o agente está rodando"),
            "systemctl status --no-pager log-sentinel; sudo journalctl --no-pager -u log-sentinel -n 50",
        ),
        Kind::SuidExecuted => (
            say!(
                t,
                "See which programs have the rights of their owner, the latest change last",
                "Veja quais programas têm os direitos do dono, a alteração mais recente por último",
            ),
            "sudo find / -xdev -type f -perm -4000 -printf '%T+ %p\\n' | sort",
        ),
        Kind::ProcessNoExecutable => (
            say!(
                t,
                "See whose program files are gone",
                "Veja quais processos perderam o arquivo do programa"
            ),
            "sudo find /proc -maxdepth 2 -name exe -lname '*(deleted)' -ls",
        ),
        Kind::ProcessChangedExecutable
        | Kind::ProcessDuplicateName
        | Kind::ProcessUnusualParent
        | Kind::ProcessMasquerade
        | Kind::ProcessFromTemp
        | Kind::ProcessTraced => (
            say!(t, "See what runs and what started it", "Veja o que está rodando e o que iniciou"),
            "ps -eo user,pid,ppid,lstart,args --sort=start_time | tail -n 40",
        ),
        _ => return None,
    };
    Some(t.step(&what, command))
}

fn see_service(t: &Telling<'_>) -> String {
    let word = t.unit_word();
    let what = say!(t, "See its state and what it said last", "Veja o estado e o que ele disse por último");
    let command =
        format!("systemctl status --no-pager {0}; sudo journalctl --no-pager -u {0} -n 100", word.text);
    t.step_with(&what, &word, &command)
}

fn see_connections(t: &Telling<'_>) -> String {
    let what = say!(
        t,
        "See which shell is connected to where; if nobody can explain it, take the host off the network",
        "Veja qual shell está conectado e a quê; se ninguém souber explicar, tire o host da rede",
    );
    t.step(
        &what,
        "sudo ss -tnp state established; ps -eo user,pid,ppid,lstart,args --sort=start_time | tail -n 40",
    )
}

fn in_words(t: &Telling<'_>, words: Words) -> (&'static str, &'static str) {
    match t.reader.language {
        Language::English => (words.0[0], words.1[0]),
        Language::Portuguese => (words.0[1], words.1[1]),
    }
}

fn words(kind: FindingKind) -> Words {
    match kind {
        FindingKind::HostCpu => (
            ["High processor load", "Uso alto de processador"],
            ["What runs there becomes slow.", "O que roda ali fica lento."],
        ),
        FindingKind::HostMemory => (
            ["Memory almost full", "Memória quase cheia"],
            ["When it is full, the kernel ends a process.", "Quando encher, o kernel encerra um processo."],
        ),
        FindingKind::HostDisk => (
            ["Disk almost full", "Disco quase cheio"],
            [
                "When it is full, services fail and logs are lost.",
                "Quando encher, serviços falham e logs se perdem.",
            ],
        ),
        FindingKind::HostNetwork => (
            ["Unusual network traffic", "Tráfego de rede incomum"],
            [
                "A copy, an attack or a program out of hand takes the network.",
                "Uma cópia, um ataque ou um programa fora de controle ocupa a rede.",
            ],
        ),
        FindingKind::HostLoad => (
            ["High load", "Carga alta"],
            [
                "More work waits than the host can do.",
                "Há mais trabalho esperando do que o host consegue fazer.",
            ],
        ),
        FindingKind::ServiceDown => (
            ["Service down", "Serviço fora do ar"],
            ["Those who need it cannot use it.", "Quem precisa dele não consegue usar."],
        ),
        FindingKind::AgentSilent => (
            ["No word from an agent", "Agente sem contato"],
            [
                "The host, its network or the agent is down; what happens there is not seen.",
                "O host, a rede ou o agente está fora; o que acontece lá não é visto.",
            ],
        ),
        kind => of_process(kind),
    }
}

fn of_process(kind: FindingKind) -> Words {
    match kind {
        FindingKind::ProcessNoExecutable => (
            ["Process without its program file", "Processo sem o arquivo do programa"],
            [
                "The file was removed while it runs: an upgrade, or somebody who hides.",
                "O arquivo foi removido enquanto ele roda: uma atualização ou alguém que se esconde.",
            ],
        ),
        FindingKind::ProcessChangedExecutable => (
            ["Program file changed", "Arquivo de programa alterado"],
            [
                "An upgrade, or somebody who replaced a program.",
                "Uma atualização ou alguém que trocou um programa.",
            ],
        ),
        FindingKind::ProcessDuplicateName | FindingKind::ProcessMasquerade => (
            ["Process under another's name", "Processo com o nome de outro"],
            [
                "Malware takes the name of a known program in order not to be noticed.",
                "Malware usa o nome de um programa conhecido para não ser notado.",
            ],
        ),
        FindingKind::ProcessUnusualParent => (
            ["Process of an unusual parent", "Processo com pai incomum"],
            [
                "A program was started by one that does not do so: perhaps by an intruder.",
                "Um programa foi iniciado por outro que não costuma fazer isso: talvez por um invasor.",
            ],
        ),
        FindingKind::ProcessResources => (
            ["Process that takes too much", "Processo que consome demais"],
            [
                "A program out of hand, or one that computes for somebody else.",
                "Um programa fora de controle ou um que calcula para outra pessoa.",
            ],
        ),
        kind => of_intrusion(kind),
    }
}

fn of_intrusion(kind: FindingKind) -> Words {
    match kind {
        FindingKind::ProcessNewListener => (
            ["New open port", "Nova porta aberta"],
            [
                "Somebody can now connect where nobody could before.",
                "Agora é possível conectar onde antes não era.",
            ],
        ),
        FindingKind::ProcessFromTemp => (
            ["Program run from a temporary folder", "Programa executado de uma pasta temporária"],
            [
                "Intruders put their programs where everybody may write.",
                "Invasores põem seus programas onde qualquer um pode gravar.",
            ],
        ),
        FindingKind::ProcessTraced => (
            ["Process looked into by another", "Processo inspecionado por outro"],
            [
                "Whoever traces a process reads its passwords; debuggers do it too.",
                "Quem rastreia um processo lê suas senhas; depuradores também fazem isso.",
            ],
        ),
        FindingKind::ReverseShell => (
            ["Shell connected to the network", "Shell conectado à rede"],
            [
                "Somebody elsewhere may be typing commands on this host right now.",
                "Alguém em outro lugar pode estar digitando comandos neste host agora.",
            ],
        ),
        FindingKind::SuidExecuted => (
            ["Program run with the rights of its owner", "Programa executado com os direitos do dono"],
            ["Such a program can make somebody root.", "Um programa assim pode transformar alguém em root."],
        ),
        FindingKind::PersistenceAdded => (
            ["Something that starts by itself was added", "Algo que inicia sozinho foi adicionado"],
            [
                "It comes back after each reboot: attackers use it to stay.",
                "Volta a cada reinicialização: atacantes usam isso para permanecer.",
            ],
        ),
        _ => (
            ["Something unusual", "Algo incomum"],
            ["Somebody has to look whether it is bad.", "Alguém precisa ver se isso é ruim."],
        ),
    }
}

impl Telling<'_> {
    /// What the first event says.
    pub(super) fn first_said(&self) -> Option<String> {
        let said = self
            .signal
            .evidence
            .iter()
            .min_by_key(|of| of.timestamp)
            .map(|evidence| quotation(&evidence.message))?;
        Some(say!(self, "The first event says {said}.", "O primeiro evento diz {said}."))
    }

    /// See all that was logged meanwhile.
    pub(super) fn see_journal(&self) -> String {
        let since = self.since();
        let what = say!(
            self,
            "See what else was logged on the host meanwhile",
            "Veja o que mais foi registrado no host nesse período"
        );
        self.step(&what, &format!("sudo journalctl --no-pager {since} | less"))
    }

    /// Say that it was expected.
    pub(super) fn call_expected(&self) -> String {
        say!(
            self,
            "If it was expected, say so: mark this signal as expected, and similar ones rank lower",
            "Se era esperado, informe: marque este sinal como esperado, e os parecidos perdem prioridade",
        )
    }
}
