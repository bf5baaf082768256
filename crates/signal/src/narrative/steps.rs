//! What to do next: commands and checks, for the distribution of the host.
//!
//! A value of a log gets into a command only as far as it is of an alphabet that means nothing to a shell: an address
//! that parses, a name of letters, digits and the like. Else a placeholder stands there, and the step says so.

use std::net::IpAddr;

use finding::{EntityType, FindingKind};

use super::{
    exposure::{Exposure, Place},
    reader::System,
    span,
    telling::{Telling, say},
};

/// Before the first event, for looking at logs.
const BEFORE_SECONDS: i64 = 600;
const USER_MAX: usize = 32;
const UNIT_MAX: usize = 128;
const PATH_MAX: usize = 128;

/// A word of a command: a value, or what stands for it.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    /// What has to be put in by hand, if something has.
    note: Option<String>,
}

impl Word {
    /// This one, unless the other has something to be put in.
    pub(super) fn or(self, other: Self) -> Self {
        if other.note.is_some() { other } else { self }
    }
}

impl Telling<'_> {
    /// The user for a command.
    pub(super) fn user_word(&self, user: Option<&str>) -> Word {
        let word = user.filter(|user| is_user(user)).map(str::to_owned);
        self.word(word, "USER", user)
    }

    /// The group for a command.
    pub(super) fn group_word(&self, group: Option<&str>) -> Word {
        self.word(group.filter(|group| is_user(group)).map(str::to_owned), "GROUP", group)
    }

    /// The service or source, if it has a name: what says neither its file nor its program is called `logs`.
    pub(super) fn unit(&self) -> Option<&str> {
        self.entity(EntityType::Service).filter(|service| *service != "logs")
    }

    /// The service's unit for a command.
    pub(super) fn unit_word(&self) -> Word {
        let unit = self.unit();
        self.word(unit.filter(|unit| is_unit(unit)).map(str::to_owned), "SERVICE", unit)
    }

    /// A path for a command.
    pub(super) fn path_word(&self, path: Option<&str>) -> Word {
        self.word(path.filter(|path| is_path(path)).map(str::to_owned), "FILE", path)
    }

    /// The address for a command.
    pub(super) fn address_word(&self) -> Word {
        self.word(self.place().map(|place| place.to_string()), "ADDRESS", self.entity(EntityType::SourceIp))
    }

    fn word(&self, value: Option<String>, placeholder: &str, of: Option<&str>) -> Word {
        let note = match (&value, of) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(say!(
                self,
                "(put it in for {placeholder} by hand: it holds characters that do not belong into a command)",
                "(preencha {placeholder} à mão: o valor tem caracteres que não cabem em um comando)",
            )),
            (None, None) => Some(say!(
                self,
                "(put it in for {placeholder}: the log does not say it)",
                "(preencha {placeholder}: o log não o informa)",
            )),
        };
        Word { text: value.unwrap_or_else(|| placeholder.to_owned()), note }
    }

    /// A step: what for, and the command.
    pub(super) fn step(&self, what: &str, command: &str) -> String {
        format!("{what}: {command}")
    }

    /// A step whose command has this word in it.
    pub(super) fn step_with(&self, what: &str, word: &Word, command: &str) -> String {
        match &word.note {
            Some(note) => format!("{what} {note}: {command}"),
            None => self.step(what, command),
        }
    }

    /// A little before it began, as `journalctl --since` takes it.
    pub(super) fn since(&self) -> String {
        let before = self.signal.first.saturating_add(-BEFORE_SECONDS * span::SECOND.cast_signed());
        format!("--since \"{} UTC\"", before.to_jiff().strftime("%Y-%m-%d %H:%M:00"))
    }

    /// The file of sign-ins, where the distribution has one.
    pub(super) fn sign_in_log(&self) -> Option<&'static str> {
        match self.reader.system {
            System::Debian => Some("/var/log/auth.log"),
            System::RedHat => Some("/var/log/secure"),
            System::Unknown => None,
        }
    }

    /// The lines of the log of sign-ins in which a word stands.
    pub(super) fn grep_sign_ins(&self, word: &str) -> String {
        let since = self.since();
        match self.sign_in_log() {
            Some(file) => format!("sudo grep -wF -e {word} {file}"),
            None => format!("sudo journalctl --no-pager {since} | grep -wF -e {word}"),
        }
    }

    /// What can be said of an address in a log: networks of IPv6 are not written in it as such.
    fn written(place: Place) -> String {
        match (place.address, place.prefix) {
            (IpAddr::V6(address), Some(_)) => {
                let segments: Vec<String> =
                    address.segments()[..4].iter().map(|segment| format!("{segment:x}")).collect();
                segments.join(":").trim_end_matches(":0").to_owned()
            }
            _ => place.address.to_string(),
        }
    }

    /// See what the address did.
    pub(super) fn see_address(&self) -> String {
        let word = match self.place() {
            Some(place) => Word { text: Self::written(place), note: None },
            None => self.address_word(),
        };
        if self.is_ssh() {
            let what = say!(
                self,
                "See all that this address did (\"Accepted\" is a login that succeeded)",
                "Veja tudo o que esse endereço fez (\"Accepted\" é um login bem-sucedido)",
            );
            let command = self.grep_sign_ins(&word.text);
            return self.step_with(&what, &word, &command);
        }
        let what = say!(self, "See all that this address did", "Veja tudo o que esse endereço fez");
        let since = self.since();
        let command = format!("sudo journalctl --no-pager {since} | grep -wF -e {}", word.text);
        self.step_with(&what, &word, &command)
    }

    fn is_ssh(&self) -> bool {
        let service = self.entity(EntityType::Service);
        service == Some("ssh") || (service.is_none() && self.signal.kind == FindingKind::SshBruteForce)
    }

    /// Block the address, with how to undo it. Of a private address the reader is warned first.
    pub(super) fn block(&self) -> String {
        let word = self.address_word();
        let (command, undo) = self.blocking(&word.text);
        let by = match self.reader.system {
            System::Debian => {
                say!(self, "with ufw, which has to be active", "com o ufw, que precisa estar ativo")
            }
            System::RedHat => {
                say!(self, "with firewalld, until it is reloaded", "com o firewalld, até ele ser recarregado")
            }
            System::Unknown => {
                say!(self, "with a route, until the next restart", "com uma rota, até o próximo reinício")
            }
        };
        let what = match self.place().map(Place::exposure) {
            Some(Exposure::Loopback) => {
                return say!(
                    self,
                    "Do not block this address: it is the host itself. Find the local program, proxy or tunnel: sudo ss -tnp",
                    "Não bloqueie esse endereço: é o próprio host. Encontre o programa local, proxy ou túnel: sudo ss -tnp",
                );
            }
            Some(Exposure::Private) => say!(
                self,
                "Find out whose address it is before you block it, it may be your own gateway; then block it {by} (undo: {undo})",
                "Descubra de quem é o endereço antes de bloquear, pode ser o seu próprio gateway; depois bloqueie-o {by} (para desfazer: {undo})",
            ),
            _ => say!(
                self,
                "Block it for now {by}, unless you are connected from it yourself (undo: {undo})",
                "Bloqueie-o por enquanto {by}, a menos que você mesmo esteja conectado a partir dele (para desfazer: {undo})",
            ),
        };
        self.step_with(&what, &word, &command)
    }

    fn blocking(&self, address: &str) -> (String, String) {
        let is_v6 = address.contains(':');
        match self.reader.system {
            System::Debian => (
                format!("sudo ufw prepend deny from {address}"),
                format!("sudo ufw delete deny from {address}"),
            ),
            System::RedHat => {
                let family = if is_v6 { "ipv6" } else { "ipv4" };
                let rule = format!("rule family=\"{family}\" source address=\"{address}\" drop");
                (
                    format!("sudo firewall-cmd --add-rich-rule='{rule}'"),
                    format!("sudo firewall-cmd --remove-rich-rule='{rule}'"),
                )
            }
            System::Unknown => {
                let six = if is_v6 { " -6" } else { "" };
                (
                    format!("sudo ip{six} route add blackhole {address}"),
                    format!("sudo ip{six} route del blackhole {address}"),
                )
            }
        }
    }

    /// See who is on the host now.
    pub(super) fn see_sessions(&self) -> String {
        let what = say!(
            self,
            "See who is logged in now and what is connected from where",
            "Veja quem está conectado agora e de onde",
        );
        self.step(&what, "w; sudo ss -tnp state established")
    }

    /// See when and from where a user logged in lately.
    pub(super) fn see_logins(&self, user: Option<&str>) -> String {
        let word = self.user_word(user);
        let what = say!(
            self,
            "See when and from where this user logged in lately",
            "Veja quando e de onde esse usuário entrou recentemente"
        );
        self.step_with(&what, &word, &format!("last -i -n 20 {}", word.text))
    }

    /// Lock a user out, with how to undo it. Root is not locked out of its own host.
    pub(super) fn lock(&self, user: Option<&str>) -> String {
        if user == Some("root") {
            let what = say!(
                self,
                "If it was not you or one of yours, change the password of root and look through its keys",
                "Se não foi você nem alguém da equipe, troque a senha do root e revise as chaves dele",
            );
            return self.step(&what, "sudo passwd root; sudo cat /root/.ssh/authorized_keys");
        }
        let when = say!(self, "If it was not them", "Se não foi a própria pessoa");
        self.lock_when(&when, user)
    }

    /// The same where it matters whether somebody planned it.
    pub(super) fn lock_unplanned(&self, user: Option<&str>) -> String {
        let when = say!(self, "If nobody planned it", "Se ninguém planejou");
        self.lock_when(&when, user)
    }

    fn lock_when(&self, when: &str, user: Option<&str>) -> String {
        let word = self.user_word(user);
        let user = &word.text;
        let what = say!(
            self,
            "{when}, lock the account, password and keys alike (undo: sudo usermod --unlock --expiredate '' {user})",
            "{when}, bloqueie a conta, tanto a senha quanto as chaves (para desfazer: sudo usermod --unlock --expiredate '' {user})",
        );
        self.step_with(&what, &word, &format!("sudo usermod --lock --expiredate 1 {user}"))
    }

    /// See whether somebody left a way in.
    pub(super) fn see_ways_in(&self) -> String {
        let what = say!(
            self,
            "Look for ways in that were left behind: keys, schedules, services and accounts changed in the last two days",
            "Procure acessos deixados para trás: chaves, agendamentos, serviços e contas alterados nos últimos dois dias",
        );
        self.step(
            &what,
            "sudo find /root /home /etc /var/spool/cron -type f -mtime -2 \\( -path '*/.ssh/*' -o -path '*/cron*' \
             -o -path '/etc/systemd/*' -o -path '/etc/sudoers*' -o -name passwd -o -name group \\) -ls",
        )
    }

    /// See whether passwords are taken at all.
    pub(super) fn see_ssh_settings(&self) -> String {
        let what = say!(
            self,
            "See whether SSH takes passwords at all; where all use keys, switch them off",
            "Veja se o SSH aceita senhas; se todos usam chaves, desative-as",
        );
        self.step(&what, "sudo sshd -T | grep -E '^(passwordauthentication|permitrootlogin|maxauthtries)'")
    }

    /// See whether fail2ban is at work.
    pub(super) fn see_fail2ban(&self, jail: &str) -> String {
        let what = say!(
            self,
            "See whether fail2ban is at work, which blocks such addresses by itself",
            "Veja se o fail2ban está ativo; ele bloqueia esses endereços sozinho",
        );
        self.step(&what, format!("sudo fail2ban-client status {jail}").trim_end())
    }
}

fn is_user(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
        && text.len() <= USER_MAX
}

fn is_unit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.@".contains(&byte))
        && text.len() <= UNIT_MAX
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
        && text.len() <= PATH_MAX
}
