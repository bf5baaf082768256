//! What rules over processes found.

use finding::{FindingKind, fact};

use super::{
    narrated::Narrative,
    reader::Language,
    telling::{Telling, say, sentences},
};

/// What a rule found, and why it matters: English, Portuguese.
type Words = ([&'static str; 2], [&'static str; 2]);

/// Whether this is one of those rules.
pub(super) fn knows(rule: &str) -> bool {
    words(rule).is_some()
}

/// A process that is suspect.
pub(super) fn process(t: &Telling<'_>) -> Narrative {
    let place = match t.reader.language {
        Language::English => 0,
        Language::Portuguese => 1,
    };
    let (called, why) = words(&t.signal.rule).map_or(("", ""), |(called, why)| (called[place], why[place]));
    let (when, host, in_title) = (t.when(), t.on_host(), t.on_host_in_title());
    let events = t.counted(t.signal.count, ["time", "times"], ["vez", "vezes"]);
    let user = t.user().map_or_else(String::new, |user| say!(t, " as user {user}", " como usuário {user}"));
    Narrative {
        title: t.title(&format!("{called}{in_title}")),
        what: sentences([
            Some(say!(
                t,
                "{called}: seen {events}{user}{host}, {when}.",
                "{called}: visto {events}{user}{host}, {when}."
            )),
            commands(t),
            parents(t),
            files(t),
            listening(t),
            usual(t),
            takes(t),
            reasons(t),
        ]),
        why: sentences([Some(why.to_owned()), t.history()]),
        next: next(t),
    }
}

fn commands(t: &Telling<'_>) -> Option<String> {
    let list = t.list(fact::COMMAND_LINES);
    let said = t.quotations(&list);
    (!list.is_empty()).then(|| say!(t, "It calls itself {said}.", "Apresenta-se como {said}."))
}

fn parents(t: &Telling<'_>) -> Option<String> {
    let list = t.list(fact::PARENTS);
    let said = t.quotations(&list);
    (!list.is_empty()).then(|| say!(t, "It was started by {said}.", "Foi iniciado por {said}."))
}

fn files(t: &Telling<'_>) -> Option<String> {
    let list = t.list(fact::FILES);
    let said = t.names(&list, None);
    (!list.is_empty()).then(|| say!(t, "It runs {said}.", "Executa {said}."))
}

fn listening(t: &Telling<'_>) -> Option<String> {
    let list = t.list(fact::LISTENING);
    let said = t.quotations(&list);
    (!list.is_empty()).then(|| say!(t, "It listens at {said}.", "Escuta em {said}."))
}

/// What the program that started it usually starts.
fn usual(t: &Telling<'_>) -> Option<String> {
    let programs = t.list(fact::USUAL_PROGRAMS);
    let said = t.quotations(&programs);
    let starts = t.number(fact::USUAL_STARTS).filter(|_| !programs.is_empty())?;
    Some(say!(
        t,
        "In {starts} starts seen before, that program only ever started {said}.",
        "Em {starts} inícios vistos antes, esse programa só iniciou {said}.",
    ))
}

/// What it takes, and what its program took before.
fn takes(t: &Telling<'_>) -> Option<String> {
    let now = t.number(fact::TAKES)?;
    let (most, looks) = (t.number(fact::USUAL_AMOUNT)?, t.number(fact::USUAL_LOOKS)?);
    Some(match t.signal.rule.as_str() {
        "process_memory" => say!(
            t,
            "It has {now} MiB of memory; in {looks} looks before, this program had at most {most} MiB on this host.",
            "Ocupa {now} MiB de memória; em {looks} observações anteriores, esse programa ocupou no máximo {most} MiB neste host.",
        ),
        _ => say!(
            t,
            "It takes {now} % of a core; in {looks} looks before, this program took at most {most} % on this host.",
            "Usa {now} % de um núcleo; em {looks} observações anteriores, esse programa usou no máximo {most} % neste host.",
        ),
    })
}

/// What it is taken for, or who traces it.
fn reasons(t: &Telling<'_>) -> Option<String> {
    let list = t.list(fact::REASONS);
    if t.signal.kind == FindingKind::Anomaly {
        return rare(t, &list);
    }
    let said = t.names(&list, None);
    (!list.is_empty()).then(|| match t.signal.kind {
        FindingKind::ProcessTraced => say!(t, "It is traced by {said}.", "É rastreado por {said}."),
        _ => say!(t, "Its name is read as {said}.", "O nome se parece com {said}."),
    })
}

/// What is rare about a start.
fn rare(t: &Telling<'_>, reasons: &[&str]) -> Option<String> {
    let said: Vec<String> = reasons
        .iter()
        .filter_map(|reason| {
            Some(match *reason {
                "program" => say!(t, "the program", "o programa"),
                "parent" => say!(t, "what started it", "quem o iniciou"),
                "user" => say!(t, "the user", "o usuário"),
                "hour" => say!(t, "the hour of the day", "a hora do dia"),
                "arguments" => say!(t, "its arguments", "os argumentos"),
                _ => return None,
            })
        })
        .collect();
    let all = said.join(", ");
    (!said.is_empty()).then(|| {
        say!(
            t,
            "Rare on this host, the rarest first: {all}.",
            "Raro neste host, o mais raro primeiro: {all}.",
        )
    })
}

fn next(t: &Telling<'_>) -> Vec<String> {
    let number = t.list(fact::PROCESS_IDS).first().and_then(|text| text.parse::<u32>().ok());
    let note = match number {
        Some(_) => String::new(),
        None => say!(t, " (put its number in for PID)", " (preencha o número dele em PID)"),
    };
    let pid = number.map_or_else(|| "PID".to_owned(), |number| number.to_string());
    let step = |what: String, command: String| t.step(&format!("{what}{note}"), &command);
    let first = match t.signal.kind {
        FindingKind::ReverseShell | FindingKind::ProcessNewListener => t.step(
            &say!(
                t,
                "See which programs are connected, and to where",
                "Veja quais programas estão conectados, e a quê"
            ),
            "sudo ss -tunlp; sudo ss -tnp state established",
        ),
        FindingKind::ProcessResources => t.step(
            &say!(t, "See what takes processor and memory", "Veja o que usa processador e memória"),
            "ps -eo pid,user,%cpu,rss,args --sort=-%cpu | head -n 15; free -m",
        ),
        FindingKind::SuidExecuted => t.step(
            &say!(
                t,
                "See which programs have the rights of their owner, the latest change last",
                "Veja quais programas têm os direitos do dono, a alteração mais recente por último",
            ),
            "sudo find / -xdev -type f -perm -u+s -printf '%T+ %p\\n' | sort",
        ),
        _ => t.step(
            &say!(t, "See what runs and what started it", "Veja o que está rodando e o que iniciou"),
            "ps -eo user,pid,ppid,lstart,args --sort=start_time | tail -n 40",
        ),
    };
    vec![
        first,
        step(
            say!(
                t,
                "See its service, its open files and connections",
                "Veja o serviço, os arquivos abertos e as conexões dele"
            ),
            format!("systemctl status --no-pager {pid}; sudo lsof -p {pid}"),
        ),
        step(
            say!(
                t,
                "If nobody can explain it, stop it and keep it for a closer look (undo: sudo kill -CONT {pid})",
                "Se ninguém souber explicar, pare-o e guarde-o para análise (para desfazer: sudo kill -CONT {pid})",
            ),
            format!("sudo kill -STOP {pid}"),
        ),
        t.call_expected(),
    ]
}

fn words(rule: &str) -> Option<Words> {
    of_files(rule).or_else(|| of_names(rule)).or_else(|| of_ways(rule)).or_else(|| of_amounts(rule))
}

fn of_files(rule: &str) -> Option<Words> {
    Some(match rule {
        "process_in_memory" => (
            ["Program run from memory", "Programa executado a partir da memória"],
            [
                "It never was a file, so nothing of it can be found on the disk: malware does that in order to leave no trace.",
                "Nunca foi um arquivo, então nada dele se encontra no disco: malware faz isso para não deixar rastros.",
            ],
        ),
        "process_deleted" => (
            ["Program whose file was deleted", "Programa cujo arquivo foi apagado"],
            [
                "Its file is gone and no other lies in its place, so this is no upgrade: intruders remove what they run.",
                "O arquivo sumiu e nenhum outro está no lugar, logo não é uma atualização: invasores apagam o que executam.",
            ],
        ),
        "process_overwritten" => (
            ["Program file overwritten while it runs", "Arquivo de programa sobrescrito durante a execução"],
            [
                "The same file has another content than when it was started. Upgrades put a new file in the place of the old one, and do not do this.",
                "O mesmo arquivo tem outro conteúdo desde o início. Atualizações põem um arquivo novo no lugar do antigo e não fazem isso.",
            ],
        ),
        "process_from_open_folder" => (
            [
                "Program run from a folder that all may write to",
                "Programa executado de pasta em que todos gravam",
            ],
            [
                "Intruders put their programs where everybody may write. Packages install nothing there.",
                "Invasores põem seus programas onde qualquer um pode gravar. Pacotes não instalam nada ali.",
            ],
        ),
        "process_set_uid" => (
            ["Program run with the rights of root", "Programa executado com os direitos de root"],
            [
                "Its file makes root of whoever runs it, and it is none that distributions bring for that. A copy of a shell with this mark is a way back in.",
                "O arquivo transforma em root quem o executa e não é dos que as distribuições trazem. Uma cópia de shell com essa marca é um acesso de volta.",
            ],
        ),
        _ => return None,
    })
}

fn of_names(rule: &str) -> Option<Words> {
    Some(match rule {
        "process_system_name" => (
            ["Process under the name of a system service", "Processo com o nome de um serviço do sistema"],
            [
                "The name is that of a service of the system, the program is not: malware takes such names in order not to be noticed.",
                "O nome é de um serviço do sistema, o programa não: malware usa nomes assim para não ser notado.",
            ],
        ),
        "process_similar_name" => (
            [
                "Process whose name looks like a system service",
                "Processo com nome parecido com serviço do sistema",
            ],
            [
                "One letter off is hardly seen in a list. No package brings this program.",
                "Uma letra de diferença quase não se vê em uma lista. Nenhum pacote traz esse programa.",
            ],
        ),
        "process_like_kernel" => (
            ["Process that looks like a thread of the kernel", "Processo que imita uma thread do kernel"],
            [
                "Threads of the kernel run no file, and this one does: it hides among them.",
                "Threads do kernel não executam arquivos, e este executa: está se escondendo entre elas.",
            ],
        ),
        _ => return None,
    })
}

fn of_amounts(rule: &str) -> Option<Words> {
    Some(match rule {
        "process_processor" => (
            ["Program that computes as never before", "Programa que calcula como nunca antes"],
            [
                "It goes on for half an hour: a program out of hand, more work than before, or one that computes for somebody else.",
                "Dura meia hora: um programa fora de controle, mais trabalho do que antes ou um que calcula para outra pessoa.",
            ],
        ),
        "process_strange_start" => (
            ["Unusual start of a program", "Início incomum de um programa"],
            [
                "Several things about it are rare on this host at once. New work looks so the first time; so does somebody who is not meant to be there.",
                "Vários aspectos são raros neste host ao mesmo tempo. Trabalho novo parece assim na primeira vez; alguém que não deveria estar ali também.",
            ],
        ),
        "process_memory" => (
            ["Program that takes memory as never before", "Programa que ocupa memória como nunca antes"],
            [
                "It goes on for half an hour: it may leak, or have more to do than before. When memory ends, the kernel stops programs.",
                "Dura meia hora: pode ser um vazamento ou mais trabalho do que antes. Quando a memória acaba, o kernel encerra programas.",
            ],
        ),
        _ => return None,
    })
}

fn of_ways(rule: &str) -> Option<Words> {
    Some(match rule {
        "process_server_shell" => (
            ["Shell started by a server", "Shell iniciado por um servidor"],
            [
                "Web servers and databases answer requests and start no shells by themselves: somebody may run commands through a hole in an application.",
                "Servidores web e bancos de dados respondem a pedidos e não iniciam shells sozinhos: alguém pode estar executando comandos por uma falha em uma aplicação.",
            ],
        ),
        "process_office_shell" => (
            ["Shell started by a program for documents", "Shell iniciado por um programa de documentos"],
            [
                "A document that was opened may have run it.",
                "Um documento que foi aberto pode tê-lo executado.",
            ],
        ),
        "process_cron_network" => (
            ["Network tool started by a schedule", "Ferramenta de rede iniciada por agendamento"],
            [
                "What comes back at set times and fetches or connects may be an intruder's way to stay; backups and updates do it too.",
                "O que volta em horários fixos e baixa ou conecta pode ser o modo de um invasor permanecer; backups e atualizações também fazem isso.",
            ],
        ),
        "process_unusual_child" => (
            ["Program started by one that never did so", "Programa iniciado por outro que nunca fez isso"],
            [
                "A program that always starts the same few started another one: an upgrade or a new setting, or somebody who makes it run commands.",
                "Um programa que sempre inicia os mesmos poucos iniciou outro: uma atualização ou nova configuração, ou alguém que o faz executar comandos.",
            ],
        ),
        "process_traced" => (
            ["Process traced by another", "Processo rastreado por outro"],
            [
                "Whoever traces a process reads its memory, passwords too, and can change what it does. Debuggers do it on purpose.",
                "Quem rastreia um processo lê a memória dele, inclusive senhas, e pode mudar o que ele faz. Depuradores fazem isso de propósito.",
            ],
        ),
        "process_network_shell" => (
            ["Shell that takes its input from the network", "Shell que recebe comandos da rede"],
            [
                "Somebody elsewhere may be typing commands on this host right now.",
                "Alguém em outro lugar pode estar digitando comandos neste host agora.",
            ],
        ),
        "process_listens" => (
            ["New open port", "Nova porta aberta"],
            [
                "This program did not listen there before. Somebody can now connect where nobody could.",
                "Esse programa não escutava ali antes. Agora é possível conectar onde antes não era.",
            ],
        ),
        _ => return None,
    })
}
