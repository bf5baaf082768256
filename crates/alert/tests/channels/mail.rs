//! Mail, to a server that speaks SMTP with STARTTLS, TLS and authentication.

use std::sync::{Arc, Mutex};

use alert::channel::{ChannelKind, EmailConfig, Encryption, Trust};
use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{identity::Identity, message, open, refused, send};

#[derive(Clone, Default)]
struct Rules {
    /// TLS from the start.
    tls: bool,
    starttls: bool,
    /// What is said to RCPT, where it is not 250.
    receivers: Option<&'static str>,
}

#[derive(Default)]
struct Taken {
    mails: Vec<String>,
    receivers: Vec<String>,
    /// Commands that came before TLS.
    in_clear: Vec<String>,
}

struct MailServer {
    port: u16,
    identity: Identity,
    taken: Arc<Mutex<Taken>>,
}

const PASSWORD: &str = "hunter2";

impl MailServer {
    async fn start(rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let identity = Identity::new();
        let taken = Arc::<Mutex<Taken>>::default();
        let (acceptor, kept) = (identity.acceptor.clone(), Arc::clone(&taken));
        let serving = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (rules, acceptor, taken) = (rules.clone(), acceptor.clone(), Arc::clone(&kept));
                drop(telemetry::task::spawn("session", async move {
                    // A client that breaks off is what some tests want.
                    let _ended = session(stream, &rules, &acceptor, &taken).await;
                }));
            }
        };
        drop(telemetry::task::spawn("mail server", serving));
        Self { port, identity, taken }
    }

    fn config(&self, encryption: Encryption) -> EmailConfig {
        EmailConfig {
            from: "Log Sentinel <alerts@example.com>".to_owned(),
            to: vec!["ops@example.com".to_owned(), "Größe <b@example.com>".to_owned()],
            server: "127.0.0.1".to_owned(),
            port: self.port,
            username: Some("alerts".to_owned()),
            password: Some(PASSWORD.into()),
            encryption,
            trust: self.identity.trust.clone(),
        }
    }
}

async fn session(
    stream: TcpStream,
    rules: &Rules,
    acceptor: &tokio_rustls::TlsAcceptor,
    taken: &Mutex<Taken>,
) -> std::io::Result<()> {
    if rules.tls {
        return dialogue(acceptor.accept(stream).await?, rules, true, true, taken).await.map(drop);
    }
    let stream = dialogue(stream, rules, false, true, taken).await?;
    if let Some(stream) = stream {
        dialogue(acceptor.accept(stream).await?, rules, true, false, taken).await?;
    }
    Ok(())
}

/// Gives the stream back where TLS is to begin.
async fn dialogue<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    rules: &Rules,
    is_secret: bool,
    greets: bool,
    taken: &Mutex<Taken>,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    if greets {
        stream.write_all(b"220 here\r\n").await?;
    }
    let mut is_known = false;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let command = line.trim_end().to_owned();
        if !is_secret {
            taken.lock().unwrap().in_clear.push(command.clone());
        }
        let verb = command.split(' ').next().unwrap_or_default().to_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if rules.starttls && !is_secret => "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN",
            "EHLO" => "250-here\r\n250 AUTH PLAIN",
            "STARTTLS" => {
                stream.write_all(b"220 go\r\n").await?;
                return Ok(Some(stream.into_inner()));
            }
            "AUTH" => {
                is_known = command.ends_with(&BASE64_STANDARD.encode(format!("\0alerts\0{PASSWORD}")));
                if is_known { "235 welcome" } else { "535 wrong password" }
            }
            "MAIL" if !is_known => "530 who are you",
            "RCPT" => {
                taken.lock().unwrap().receivers.push(command.clone());
                rules.receivers.unwrap_or("250 ok")
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut mail).await? == 0 {
                        return Ok(None);
                    }
                }
                taken.lock().unwrap().mails.push(mail);
                "250 queued as 77"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// The headers, unfolded, and the decoded parts.
fn read(mail: &str) -> (Vec<String>, Vec<String>) {
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    let headers = head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect();
    let parts = body.split("--=_log-sentinel").filter_map(|part| part.split_once("\r\n\r\n"));
    let decode = |(_, text): (&str, &str)| {
        let coded: String = text.split_whitespace().take_while(|line| *line != ".").collect();
        String::from_utf8(BASE64_STANDARD.decode(coded).unwrap()).unwrap()
    };
    (headers, parts.map(decode).collect())
}

#[tokio::test]
async fn mail_goes_out_over_tls_and_starttls_to_everybody() {
    for (encryption, tls) in
        [(Encryption::Tls, true), (Encryption::StartTls, false), (Encryption::ByPort, false)]
    {
        let server = MailServer::start(Rules { tls, starttls: !tls, receivers: None }).await;
        let receipt = send(ChannelKind::Email(server.config(encryption))).await.unwrap();
        assert_eq!(receipt.answer, "queued as 77", "{encryption:?}");
        let taken = server.taken.lock().unwrap();
        assert_eq!(taken.receivers, ["RCPT TO:<ops@example.com>", "RCPT TO:<b@example.com>"]);
        assert!(taken.in_clear.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"));
        let (headers, parts) = read(&taken.mails[0]);
        let names: Vec<&str> = headers.iter().map(|header| header.split(':').next().unwrap()).collect();
        assert_eq!(
            names,
            ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"],
            "no text of a log has become a header"
        );
        assert_eq!(headers[0], "Date: Wed, 01 May 2024 12:00:00 +0000");
        assert!(
            headers[1].ends_with(" <alerts@example.com>") && headers[2].starts_with("To: ops@example.com, ")
        );
        assert_eq!(headers[4], format!("Message-ID: <{}@example.com>", message().key));
        assert!(parts[0].contains("[TEST] Logins of <b>@everyone</b>"), "{}", parts[0]);
        assert!(
            parts[1].contains("&lt;b&gt;@everyone&lt;/b&gt;") && !parts[1].contains("<b>@"),
            "{}",
            parts[1]
        );
        assert!(!parts[0].contains('\u{202e}') && !parts[1].contains('\u{202e}'));
    }
}

#[tokio::test]
async fn a_report_is_read_as_a_whole_in_both_forms() {
    let server = MailServer::start(Rules { tls: true, ..Rules::default() }).await;
    let mut message = message();
    let (html, plain) = ("<!DOCTYPE html><p>Seven signals</p>".to_owned(), "Seven signals".to_owned());
    message.alerts[0].pages = Some(alert::Pages { html: html.clone(), plain: plain.clone() });
    open(ChannelKind::Email(server.config(Encryption::Tls))).send(&message).await.unwrap();
    let (_, parts) = read(&server.taken.lock().unwrap().mails[0]);
    assert_eq!(parts[..2], [plain, html]);
}

#[tokio::test]
async fn later_mails_of_an_alert_belong_to_the_first() {
    let server = MailServer::start(Rules { tls: true, ..Rules::default() }).await;
    let mut message = message();
    message.key = format!("{}-ops-2", message.alerts[0].alert);
    open(ChannelKind::Email(server.config(Encryption::Tls))).send(&message).await.unwrap();
    let (headers, _) = read(&server.taken.lock().unwrap().mails[0]);
    let first = format!("<{}-ops-1@example.com>", message.alerts[0].alert);
    assert!(
        headers.contains(&format!("In-Reply-To: {first}"))
            && headers.contains(&format!("References: {first}"))
    );
}

#[tokio::test]
async fn what_the_server_says_tells_whether_to_try_again() {
    let tls = Rules { tls: true, ..Rules::default() };
    for (receivers, is_permanent) in [("451 later", false), ("550 nobody of this name", true)] {
        let server = MailServer::start(Rules { receivers: Some(receivers), ..tls.clone() }).await;
        let error = send(ChannelKind::Email(server.config(Encryption::Tls))).await.unwrap_err();
        assert_eq!(error.is_permanent, is_permanent, "{error}");
        assert!(error.reason.contains(&receivers[..3]), "{error}");
    }
    let server = MailServer::start(tls).await;
    let config = EmailConfig { password: Some("another".into()), ..server.config(Encryption::Tls) };
    let error = send(ChannelKind::Email(config)).await.unwrap_err();
    assert!(
        error.is_permanent && error.reason.contains("535") && !error.reason.contains("another"),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_cannot_be_trusted() {
    let server = MailServer::start(Rules { starttls: true, ..Rules::default() }).await;
    let config = EmailConfig { trust: Trust::default(), ..server.config(Encryption::StartTls) };
    let error = send(ChannelKind::Email(config)).await.unwrap_err();
    assert!(error.reason.contains("certificate"), "{error}");
    let plain = MailServer::start(Rules::default()).await;
    let error = send(ChannelKind::Email(plain.config(Encryption::StartTls))).await.unwrap_err();
    assert!(!error.reason.contains(PASSWORD), "{error}");
    for server in [server, plain] {
        let taken = server.taken.lock().unwrap();
        assert!(taken.mails.is_empty());
        assert!(taken.in_clear.iter().all(|line| !line.starts_with("AUTH") && !line.starts_with("MAIL")));
    }
}

#[tokio::test]
async fn addresses_that_are_none_are_named() {
    let server = MailServer::start(Rules::default()).await;
    let of = |change: fn(&mut EmailConfig)| {
        let mut config = server.config(Encryption::Tls);
        change(&mut config);
        refused(ChannelKind::Email(config))
    };
    for (error, reason) in [
        (of(|config| config.from = "alerts".to_owned()), "'alerts' is no address"),
        (
            of(|config| config.to = vec!["a@b.c\r\nBcc: d@e.f".to_owned()]),
            r"'a@b.c\r\nBcc: d@e.f' is no address",
        ),
        (of(|config| config.to = vec![]), "0 receivers"),
        (of(|config| config.password = None), "needs both or neither"),
        (of(|config| config.server = " ".to_owned()), "no server"),
    ] {
        assert!(error.contains(reason) && !error.contains(PASSWORD), "{error}");
    }
}
