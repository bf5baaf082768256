//! E-mail by SMTP. `Message-ID` is made of the key, so what is sent again is the same mail to all that compare them.

use std::{net::IpAddr, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    address::Envelope,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use super::{
    mime::{Mail, encoded},
    send::{Channel, Receipt, SendError, told},
    trust::Trust,
};
use crate::{
    compose,
    markup::{Html, Plain},
    message::Message,
    secret::Secret,
};

/// Where mails begin in TLS; elsewhere they begin without and change over (STARTTLS).
const PORT_OF_TLS: u16 = 465;
/// The most receivers.
const TO_MAX: usize = 50;
const BODY_CHARS_MAX: usize = 100_000;

/// How the connection to the mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// By the port: 465 speaks TLS from the start, others must offer STARTTLS; on this machine they may do without.
    ByPort,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// TLS from the start.
    Tls,
    /// None at all, passwords included.
    None,
}

/// Mail to some people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailConfig {
    /// Who sends: `alerts@example.com` or `Log Sentinel <alerts@example.com>`.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// Name or address of the mail server.
    pub server: String,
    /// Its port: 587, 465 or 25.
    pub port: u16,
    /// For servers that ask who sends.
    pub username: Option<String>,
    /// Of the user.
    pub password: Option<Secret>,
    /// How the connection is kept from others.
    pub encryption: Encryption,
    /// Whom to trust there.
    pub trust: Trust,
}

impl EmailConfig {
    /// The port where nothing is said: submission.
    pub const PORT: u16 = 587;

    /// Mail from and to whom, by this server, without a password and encrypted as its port has it.
    pub fn new(from: impl Into<String>, to: Vec<String>, server: impl Into<String>, port: u16) -> Self {
        Self {
            from: from.into(),
            to,
            server: server.into(),
            port,
            username: None,
            password: None,
            encryption: Encryption::ByPort,
            trust: Trust::default(),
        }
    }
}

/// A name and an address.
struct Mailbox {
    name: String,
    address: Address,
}

impl Mailbox {
    fn read(text: &str) -> Result<Self, String> {
        let (name, address) = match text.trim().strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text.trim()),
        };
        let wrong = || {
            format!("'{}' is no address; give one such as alerts@example.com", telemetry::clean::line(text))
        };
        let address = address.parse().map_err(|_| wrong())?;
        Ok(Self { name: name.to_owned(), address })
    }

    fn header(&self) -> String {
        match self.name.as_str() {
            "" => self.address.to_string(),
            name => format!("{}\r\n <{}>", encoded(name), self.address),
        }
    }
}

/// Sends to the same people each time.
pub(crate) struct Email {
    from: Mailbox,
    to: String,
    envelope: Envelope,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    timeout: Duration,
}

impl Email {
    pub(crate) fn new(config: &EmailConfig, timeout: Duration) -> Result<Self, String> {
        let from = Mailbox::read(&config.from)?;
        let to: Vec<Mailbox> = config.to.iter().map(|to| Mailbox::read(to)).collect::<Result<_, _>>()?;
        if to.is_empty() || to.len() > TO_MAX {
            return Err(format!("it has {} receivers in `to`; give 1 to {TO_MAX}", to.len()));
        }
        if config.server.trim().is_empty() {
            return Err("it has no server; give the name of a mail server".to_owned());
        }
        let addresses = to.iter().map(|to| to.address.clone()).collect();
        let envelope = Envelope::new(Some(from.address.clone()), addresses).map_err(|error| told(&error))?;
        let to = to.iter().map(Mailbox::header).collect::<Vec<_>>().join(",\r\n ");
        Ok(Self { from, to, envelope, transport: transport(config, timeout)?, timeout })
    }
}

fn transport(config: &EmailConfig, timeout: Duration) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let server = config.server.trim();
    let is_here =
        server == "localhost" || server.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let tls = match config.encryption {
        Encryption::None => Tls::None,
        Encryption::StartTls => Tls::Required(trusting(config)?),
        Encryption::Tls => Tls::Wrapper(trusting(config)?),
        Encryption::ByPort if config.port == PORT_OF_TLS => Tls::Wrapper(trusting(config)?),
        Encryption::ByPort if is_here => Tls::Opportunistic(trusting(config)?),
        Encryption::ByPort => Tls::Required(trusting(config)?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
        .port(config.port)
        .tls(tls)
        .timeout(Some(timeout));
    match (&config.username, &config.password) {
        (Some(user), Some(password)) => {
            let password = password.reveal().map_err(|error| told(&error))?;
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        (None, None) => {}
        _ => return Err("it has a username or a password, and needs both or neither".to_owned()),
    }
    Ok(builder.build())
}

fn trusting(config: &EmailConfig) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(config.server.trim().to_owned());
    if let Some(pem) = config.trust.pem()? {
        let certificate = Certificate::from_pem(&pem).map_err(|_| config.trust.without_certificates())?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| told(&error))
}

#[async_trait::async_trait]
impl Channel for Email {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let domain = self.from.address.domain();
        let id = |key: &str| format!("{key}@{domain}");
        // Mails of one alert stand together; the first of them is the thread's.
        let thread = message.main().map(|main| id(&crate::message::key(main.alert, &message.channel, 1)));
        let own = id(&message.key);
        let html = compose::fitting(&compose::lines(message, &Html), BODY_CHARS_MAX).replace('\n', "<br>\n");
        let html = format!(
            "<!DOCTYPE html>\n<html><body style=\"font-family:sans-serif\">\n{html}\n</body></html>\n"
        );
        let plain = compose::fitting(&compose::lines(message, &Plain), BODY_CHARS_MAX);
        // What is to be read as a whole comes alone.
        let pages = message.main().and_then(|main| main.pages.as_ref()).filter(|_| message.alerts.len() == 1);
        let subject = message.headline();
        let mail = Mail {
            from: self.from.header(),
            to: self.to.clone(),
            subject: &telemetry::clean::line(&subject),
            message_id: &own,
            thread: thread.as_deref().filter(|thread| *thread != own),
            date: message.sent,
            plain: pages.map_or(plain.as_str(), |pages| &pages.plain),
            html: pages.map_or(html.as_str(), |pages| &pages.html),
        };
        let bytes = mail.bytes();
        let sending = self.transport.send_raw(&self.envelope, &bytes);
        match tokio::time::timeout(self.timeout, sending).await {
            Ok(Ok(response)) => Ok(Receipt::new(&response.message().collect::<Vec<_>>().join(" "))),
            Ok(Err(error)) => {
                let reason = format!("the mail server did not take it: {}", told(&error));
                Err(if error.is_permanent() {
                    SendError::permanent(reason)
                } else {
                    SendError::passing(reason)
                })
            }
            Err(_) => Err(SendError::passing("the mail server did not answer in time")),
        }
    }
}
