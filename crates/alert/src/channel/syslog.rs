//! Syslog (RFC 5424) over UDP (RFC 5426), TCP with counted octets (RFC 6587) and TLS (RFC 5425).
//!
//! Nobody confirms a syslog message. Over UDP one counts as delivered once it is sent: at most once. Over TCP and TLS
//! each alert has a connection of its own, and counts once the other side has closed it after ours: what was read is
//! then read whole. Structured data carries the key, since what was sent before a cut may come again.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use finding::Level;

use super::{
    line::{self, Format},
    send::{Channel, Receipt, SendError},
    trust::Trust,
};
use crate::message::{Message, Occasion, Telling};

/// The longest datagram, so that it passes most networks whole; and the longest frame.
const DATAGRAM_BYTES_MAX: usize = 1400;
const FRAME_BYTES_MAX: usize = 64 * 1024;
/// How long the other side may take to close; servers that never do are believed then.
const CLOSING: Duration = Duration::from_secs(2);

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the module says what each promises")]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

/// A syslog server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogConfig {
    /// Its name or address.
    pub server: String,
    /// 514, or 6514 for TLS.
    pub port: u16,
    /// How messages travel.
    pub transport: Transport,
    /// What a message says.
    pub format: Format,
    /// From 0 to 23.
    pub facility: u8,
    /// Whom to trust there.
    pub trust: Trust,
}

impl SyslogConfig {
    /// `authpriv`, for those who look after security: what holds where nothing is said.
    pub const FACILITY: u8 = 10;
}

/// Sends to one server.
pub(crate) struct Syslog {
    config: SyslogConfig,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    timeout: Duration,
}

impl Syslog {
    pub(crate) fn new(config: &SyslogConfig, timeout: Duration) -> Result<Self, String> {
        let name = ServerName::try_from(config.server.clone())
            .map_err(|_| "its server is neither a name nor an address".to_owned())?;
        if config.facility > 23 {
            return Err(format!("its facility is {}; they go from 0 to 23", config.facility));
        }
        let tls = matches!(config.transport, Transport::Tls).then(|| config.trust.tls()).transpose()?;
        Ok(Self { config: config.clone(), tls: tls.map(|tls| (tls, name)), timeout })
    }

    async fn deliver(&self, message: &Message) -> std::io::Result<()> {
        let address = (self.config.server.as_str(), self.config.port);
        let lines = message.alerts.iter().map(|telling| line(message, telling, &self.config));
        if self.config.transport == Transport::Udp {
            let address = tokio::net::lookup_host(address).await?.next();
            let address = address.ok_or_else(|| std::io::Error::other("its name has no address"))?;
            let here = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(here).await?;
            socket.connect(address).await?;
            for line in lines {
                socket.send(until(&line, DATAGRAM_BYTES_MAX).as_bytes()).await?;
            }
            return Ok(());
        }
        let frames: String = lines
            .map(|line| {
                let line = until(&line, FRAME_BYTES_MAX);
                format!("{} {line}", line.len())
            })
            .collect();
        let stream = TcpStream::connect(address).await?;
        match &self.tls {
            None => hand_over(stream, frames.as_bytes()).await,
            Some((tls, name)) => {
                let connector = TlsConnector::from(Arc::clone(tls));
                hand_over(connector.connect(name.clone(), stream).await?, frames.as_bytes()).await
            }
        }
    }
}

/// Writes, closes, and waits for the other side to close.
async fn hand_over(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut rest = [0; 256];
    let closing = async {
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    match tokio::time::timeout(CLOSING, closing).await {
        // Without a farewell of TLS, but closed.
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(()),
        Ok(closed) => closed,
        Err(_) => Ok(()),
    }
}

#[async_trait::async_trait]
impl Channel for Syslog {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let (server, port) = (&self.config.server, self.config.port);
        match tokio::time::timeout(self.timeout, self.deliver(message)).await {
            Ok(Ok(())) => Ok(Receipt::new("sent")),
            Ok(Err(error)) => Err(SendError::passing(format!("cannot send to {server}:{port}: {error}"))),
            Err(_) => Err(SendError::passing(format!("{server}:{port} did not take it in time"))),
        }
    }
}

/// An alert as one message of RFC 5424.
fn line(message: &Message, telling: &Telling, config: &SyslogConfig) -> String {
    let key = message.key_of(telling);
    let at = telling.last.to_jiff().strftime("%Y-%m-%dT%H:%M:%S.%6fZ");
    let text = match config.format {
        Format::Plain => {
            let text = format!("{}: {}", telling.headline(&message.voice), telling.words.what);
            telemetry::clean::line(&text).into_owned()
        }
        format => line::one(message, telling, format),
    };
    format!(
        // 32473 is the enterprise number for examples (RFC 5612); we have none of our own.
        "<{}>1 {at} {} log-sentinel - {} [alert@32473 key=\"{}\" severity=\"{}\" occasion=\"{}\" late_s=\"{}\"] \u{feff}{text}",
        u16::from(config.facility) * 8 + u16::from(severity(telling)),
        printable(telling.host().unwrap_or("-"), 255),
        printable(&telling.kind, 32),
        parameter(&key),
        telling.severity.as_str(),
        telling.occasion.as_str(),
        message.late_s,
    )
}

fn severity(telling: &Telling) -> u8 {
    if telling.occasion == Occasion::Resolved {
        return 5;
    }
    match telling.severity {
        Level::Informational => 6,
        Level::Low => 5,
        Level::Medium => 4,
        Level::High => 3,
        Level::Critical => 2,
    }
}

/// A header field: printable ASCII without blanks.
fn printable(text: &str, bytes_max: usize) -> String {
    let field: String =
        text.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).take(bytes_max).collect();
    if field.is_empty() { "-".to_owned() } else { field }
}

/// The value of a parameter of structured data.
fn parameter(text: &str) -> String {
    telemetry::clean::line(text).replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

/// At most so many bytes of a text, in whole characters.
fn until(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::sample;

    #[test]
    fn headers_are_of_printable_characters_whatever_a_host_is_called() {
        let config = SyslogConfig {
            server: "127.0.0.1".to_owned(),
            port: 514,
            transport: Transport::Udp,
            format: Format::Plain,
            facility: SyslogConfig::FACILITY,
            trust: Trust::default(),
        };
        let mut message = sample(&crate::voice::Voice::default());
        message.alerts[0].entities[0].value = "a b\nc<1>é".to_owned();
        message.alerts[0].severity = Level::High;
        let line = line(&message, &message.alerts[0], &config);
        let key = format!("{}-test-1", "0".repeat(32));
        let expected = format!(
            "<83>1 2024-05-01T12:00:00.000000Z a_b_c<1>_ log-sentinel - test [alert@32473 key=\"{key}\" \
             severity=\"high\" occasion=\"test\" late_s=\"0\"] \u{feff}[TEST] Log Sentinel tries this channel: "
        );
        assert!(line.starts_with(&expected), "{line}");
        assert_eq!(parameter("a\"]\\\n"), r#"a\"\]\\\\n"#);
    }
}
