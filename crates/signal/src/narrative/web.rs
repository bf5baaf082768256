//! What visitors of web servers do.

use finding::{EntityType, fact};

use super::{
    narrated::Narrative,
    reader::{Language, System},
    telling::{Telling, say, sentences},
};

use crate::{ADDRESSES_MAX, WEB_PROBES};

/// Addresses of which some are named.
const NAMED_OF: usize = 9;

/// What signs betray, in words: the name of the sign, English, Portuguese.
const SIGNS: &[(&str, &str, &str)] = &[
    ("jndi_lookup", "a lookup over JNDI (Log4Shell)", "uma consulta por JNDI (Log4Shell)"),
    ("shellshock", "a function for bash (Shellshock)", "uma função para o bash (Shellshock)"),
    ("command_injection", "a command for the shell", "um comando para o shell"),
    (
        "expression_injection",
        "an expression for a template engine",
        "uma expressão para um motor de templates",
    ),
    ("code_injection", "code for an interpreter such as PHP", "código para um interpretador como o PHP"),
    (
        "sql_injection",
        "SQL where a value belongs (SQL injection)",
        "SQL no lugar de um valor (injeção de SQL)",
    ),
    ("path_traversal", "a path that leaves its folder", "um caminho que sai da pasta"),
    (
        "file_inclusion",
        "a file or address that the server is to fetch",
        "um arquivo ou endereço que o servidor deveria buscar",
    ),
    (
        "cross_site_scripting",
        "a script for somebody's browser (XSS)",
        "um script para o navegador de alguém (XSS)",
    ),
    ("header_injection", "a line break that forges a response", "uma quebra de linha que forja uma resposta"),
    ("known_exploit", "the request of a published exploit", "a requisição de um exploit publicado"),
    ("web_shell", "a shell that somebody may have left behind", "um shell que alguém pode ter deixado"),
    ("reported", "an attack reported by another program", "um ataque relatado por outro programa"),
];

/// An address asks for what is not there.
pub(super) fn web_scan(t: &Telling<'_>) -> Narrative {
    if t.signal.rule == WEB_PROBES {
        return web_probes(t);
    }
    let (address, host, in_title, when) = (t.addresses(), t.on_host(), t.on_host_in_title(), t.when());
    let title_address = t.address();
    let is_answered = t.is(fact::SUCCEEDED) == Some(true);
    let things = t.counted(
        t.signal.count,
        ["different request", "different requests"],
        ["requisição diferente", "requisições diferentes"],
    );
    Narrative {
        title: t.title(&say!(
            t,
            "Web scan by {title_address}{in_title}",
            "Varredura web por {title_address}{in_title}"
        )),
        what: sentences([
            Some(say!(
                t,
                "{address} sent {things} for what is not there or not meant for visitors{host}, {when}.",
                "{address} enviou {things} pedindo o que não existe ou não é para visitantes{host}, {when}.",
            )),
            asked(t),
            answered(t),
        ]),
        why: sentences([
            Some(say!(
                t,
                "A program looks for weak or secret places of the site (a scan); whoever runs it comes back with an exploit where it finds one.",
                "Um programa procura pontos fracos ou secretos do site (varredura); se achar um, quem o usa volta com um exploit.",
            )),
            is_answered.then(|| {
                say!(
                    t,
                    "Some of it was answered; somebody has to look whether that was a page for everybody or, say, a file with passwords.",
                    "Parte foi respondida; é preciso ver se era uma página pública ou, por exemplo, um arquivo com senhas.",
                )
            }),
            t.exposure(),
            t.history(),
        ]),
        next: match is_answered {
            true => vec![t.see_requests(), see_answered(t), find_secrets(t), t.block()],
            false => vec![t.see_requests(), find_secrets(t), t.block()],
        },
    }
}

/// Addresses that ask a host, however little, for what scanners look for.
fn web_probes(t: &Telling<'_>) -> Narrative {
    let (host, in_title, when) = (t.on_host(), t.on_host_in_title(), t.when());
    let requests = t.counted(t.signal.count, ["request", "requests"], ["requisição", "requisições"]);
    let addresses: Vec<&str> = t.entities(EntityType::SourceIp).collect();
    let total = addresses.len() as u64;
    let number = t.counted(total, ["address", "addresses"], ["endereço", "endereços"]);
    let number = match addresses.len() {
        ADDRESSES_MAX.. => say!(t, "at least {number}", "pelo menos {number}"),
        _ => number,
    };
    let names = t.names(&addresses[..addresses.len().min(NAMED_OF)], Some(total));
    Narrative {
        title: t.title(&say!(
            t,
            "{requests} for what scanners look for, from {number}{in_title}",
            "{requests} pelo que scanners procuram, de {number}{in_title}",
        )),
        what: sentences([
            Some(say!(
                t,
                "{requests} asked for what scanners look for{host}, {when}, from {number}.",
                "{requests} pelo que scanners procuram{host}, {when}, de {number}.",
            )),
            (total > 0).then(|| match total {
                1 => say!(t, "The address is {names}.", "O endereço é {names}."),
                _ => say!(t, "The addresses are {names}.", "Os endereços são {names}."),
            }),
            asked(t),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Programs ask every site for such things, so this is told once a day; one request alone says little.",
                "Programas pedem essas coisas a qualquer site; por isso, isto é informado uma vez por dia; uma requisição isolada diz pouco.",
            )),
            Some(say!(
                t,
                "An address that asks for many of them, or sends an exploit, has a signal of its own.",
                "Um endereço que pede muitas delas ou envia um exploit tem um sinal próprio.",
            )),
            t.history(),
        ]),
        next: vec![find_secrets(t), update(t)],
    }
}

/// An address tries exploits.
pub(super) fn web_exploit_attempt(t: &Telling<'_>) -> Narrative {
    let (address, host, in_title, when) = (t.addresses(), t.on_host(), t.on_host_in_title(), t.when());
    let title_address = t.address();
    let requests = t.counted(
        t.signal.count,
        ["request with an exploit", "requests with an exploit"],
        ["requisição com exploit", "requisições com exploit"],
    );
    let outcome = outcome_of_exploit(t);
    let is_answered = t.is(fact::SUCCEEDED) != Some(false);
    Narrative {
        title: t.title(&say!(
            t,
            "{requests} from {title_address}{in_title}",
            "{requests} de {title_address}{in_title}",
        )),
        what: sentences([
            Some(say!(
                t,
                "{address} sent {requests}{host}, {when}.",
                "{address} enviou {requests}{host}, {when}."
            )),
            betrayed(t),
            asked(t),
            answered(t),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Such a request would let somebody run commands, read files or steal data, if the application is open to it.",
                "Uma requisição assim permitiria executar comandos, ler arquivos ou roubar dados, se a aplicação for vulnerável.",
            )),
            Some(outcome),
            t.exposure(),
            t.history(),
        ]),
        next: match is_answered {
            true => vec![t.see_requests(), find_new_files(t), see_processes(t), t.block(), update(t)],
            false => vec![t.see_requests(), t.block(), update(t)],
        },
    }
}

/// How an exploit was answered.
fn outcome_of_exploit(t: &Telling<'_>) -> String {
    match (t.is(fact::SUCCEEDED), t.signal.count) {
        (Some(true), 1) => say!(
            t,
            "It was answered as if all were well. That does not prove that it worked, but somebody has to look now.",
            "Ela foi respondida como se estivesse tudo bem. Isso não prova que funcionou, mas alguém precisa olhar agora.",
        ),
        (Some(true), _) => say!(
            t,
            "At least one was answered as if all were well. That does not prove that it worked, but somebody has to look now.",
            "Pelo menos uma foi respondida como se estivesse tudo bem. Isso não prova que funcionou, mas alguém precisa olhar agora.",
        ),
        (Some(false), 1) => say!(
            t,
            "It was not answered with success, as far as the log says.",
            "Ela não foi respondida com sucesso, pelo que diz o log.",
        ),
        (Some(false), _) => say!(
            t,
            "None was answered with success, as far as the log says.",
            "Nenhuma foi respondida com sucesso, pelo que diz o log.",
        ),
        (None, _) => {
            say!(t, "The log does not say how it was answered.", "O log não diz como foi respondido.")
        }
    }
}

/// An address guesses passwords at a web application.
pub(super) fn web_auth_brute_force(t: &Telling<'_>) -> Narrative {
    let (address, host, in_title, when) = (t.addresses(), t.on_host(), t.on_host_in_title(), t.when());
    let title_address = t.address();
    let is_in = t.is(fact::SUCCEEDED) == Some(true);
    let is_refused = t.list(fact::SIGNS).contains(&"login_failed");
    let logins = match is_refused {
        true => t.counted(
            t.signal.count,
            ["failed web login", "failed web logins"],
            ["falha de login web", "falhas de login web"],
        ),
        false => t.counted(
            t.signal.count,
            ["web login attempt", "web login attempts"],
            ["tentativa de login web", "tentativas de login web"],
        ),
    };
    let user = t
        .user()
        .map(|user| say!(t, "The last user name was {user}.", "O último nome de usuário foi {user}."));
    let outcome = outcome_of_guessing(t, is_in, is_refused);
    let mut next = vec![t.see_requests(), t.block(), t.see_fail2ban("")];
    if is_in {
        next.insert(
            1,
            say!(
                t,
                "In the application, end the sessions of that account and have its owner set a new password",
                "Na aplicação, encerre as sessões dessa conta e peça ao dono que defina uma nova senha",
            ),
        );
    }
    Narrative {
        title: t.title(&say!(
            t,
            "{logins} from {title_address}{in_title}",
            "{logins} de {title_address}{in_title}"
        )),
        what: sentences([
            Some(say!(
                t,
                "The log tells of {logins} by {address}{host}, {when}.",
                "O log mostra {logins} por {address}{host}, {when}.",
            )),
            user,
            asked(t),
        ]),
        why: sentences([
            Some(say!(
                t,
                "Somebody or some program is guessing passwords of a web application (brute force).",
                "Alguém ou algum programa está adivinhando senhas de uma aplicação web (força bruta).",
            )),
            Some(outcome),
            t.exposure(),
            t.history(),
        ]),
        next,
    }
}

/// Whether somebody got in, as far as the log says.
fn outcome_of_guessing(t: &Telling<'_>, is_in: bool, is_refused: bool) -> String {
    match (is_in, is_refused) {
        (true, _) => say!(
            t,
            "After the failures a login of this address succeeded: perhaps somebody guessed a password and is inside.",
            "Após as falhas, um login desse endereço teve sucesso: talvez alguém tenha adivinhado uma senha e esteja dentro.",
        ),
        (false, true) => say!(
            t,
            "What was counted was refused; whether other logins succeeded has to be looked up.",
            "O que foi contado foi recusado; se houve outros logins com sucesso, é preciso verificar.",
        ),
        (false, false) => say!(
            t,
            "The log does not say whether a login succeeded.",
            "O log não diz se algum login teve sucesso.",
        ),
    }
}

/// What was asked for.
fn asked(t: &Telling<'_>) -> Option<String> {
    let paths = t.list(fact::PATHS);
    let said = t.quoted_names(&paths);
    match t.signal.count {
        _ if paths.is_empty() => None,
        1 => Some(say!(t, "The request: {said}.", "A requisição: {said}.")),
        _ => Some(say!(t, "Among the requests: {said}.", "Entre as requisições: {said}.")),
    }
}

/// How it was answered.
fn answered(t: &Telling<'_>) -> Option<String> {
    let statuses = t.list(fact::STATUSES);
    let said = t.names(&statuses, Some(statuses.len() as u64));
    match statuses.len() {
        0 => None,
        1 => Some(say!(
            t,
            "The server answered with status {said}.",
            "O servidor respondeu com o status {said}."
        )),
        _ => Some(say!(
            t,
            "The server answered with the statuses {said}.",
            "O servidor respondeu com os status {said}."
        )),
    }
}

/// What the requests betray.
fn betrayed(t: &Telling<'_>) -> Option<String> {
    let signs = t.list(fact::SIGNS);
    let known = SIGNS.iter().filter(|(sign, ..)| signs.contains(sign));
    let words: Vec<&str> = known
        .map(|(_, english, portuguese)| match t.reader.language {
            Language::English => *english,
            Language::Portuguese => *portuguese,
        })
        .collect();
    let said = words.join("; ");
    match t.signal.count {
        _ if words.is_empty() => None,
        1 => Some(say!(t, "It carried {said}.", "Ela continha {said}.")),
        _ => Some(say!(t, "They carried {said}.", "Elas continham {said}.")),
    }
}

fn see_answered(t: &Telling<'_>) -> String {
    let word = t.address_word();
    t.step_with(
        &say!(
            t,
            "See what was answered with success (status 200), and fetch it yourself to see what it shows",
            "Veja o que foi respondido com sucesso (status 200) e acesse você mesmo para ver o que aparece",
        ),
        &word,
        &format!("{} | grep '\" 200 '", t.grep_requests(&word.text)),
    )
}

fn find_secrets(t: &Telling<'_>) -> String {
    t.step(
        &say!(
            t,
            "See whether files lie below the site that must not be given out; if one was, change the passwords in it",
            "Veja se há arquivos sob o site que não deveriam ser entregues; se algum foi, troque as senhas que estão nele",
        ),
        "sudo find /var/www \\( -name '.env*' -o -name '.git' -o -name '*.sql' -o -name '*.bak' \\) -ls",
    )
}

fn find_new_files(t: &Telling<'_>) -> String {
    t.step(
        &say!(
            t,
            "Look for files below the site that were changed in the last two days",
            "Procure arquivos sob o site alterados nos últimos dois dias",
        ),
        "sudo find /var/www /tmp /var/tmp /dev/shm -type f -mtime -2 -ls",
    )
}

fn see_processes(t: &Telling<'_>) -> String {
    t.step(
        &say!(
            t,
            "See the youngest processes: a shell below the web server is a bad sign",
            "Veja os processos mais novos: um shell abaixo do servidor web é mau sinal",
        ),
        "ps -eo user,pid,ppid,lstart,args --sort=start_time | tail -n 30",
    )
}

fn update(t: &Telling<'_>) -> String {
    let what = say!(
        t,
        "See whether the server and the application lack updates",
        "Veja se faltam atualizações no servidor e na aplicação",
    );
    let command = match t.reader.system {
        System::Debian => "apt list --upgradable",
        System::RedHat => "sudo dnf check-update",
        System::Unknown => {
            return say!(
                t,
                "See whether the server and the application lack updates, with the package manager of the host",
                "Veja se faltam atualizações no servidor e na aplicação, com o gerenciador de pacotes do host",
            );
        }
    };
    t.step(&what, command)
}

impl Telling<'_> {
    /// See what the address asked for.
    pub(super) fn see_requests(&self) -> String {
        let word = self.address_word();
        let what = say!(
            self,
            "See all that this address asked for (adapt the folders to where your server logs)",
            "Veja tudo o que esse endereço pediu (ajuste as pastas para onde seu servidor grava logs)",
        );
        self.step_with(&what, &word, &self.grep_requests(&word.text))
    }

    fn grep_requests(&self, address: &str) -> String {
        let folders = match self.reader.system {
            System::Debian => "/var/log/nginx /var/log/apache2",
            System::RedHat => "/var/log/nginx /var/log/httpd",
            System::Unknown => "/var/log/nginx /var/log/apache2 /var/log/httpd",
        };
        format!("sudo grep -rshwF -e {address} {folders}")
    }
}
