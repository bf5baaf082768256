//! Syslog over UDP, TCP and TLS, to servers that read frames as RFC 5424, 6587 and 5425 have them.

use alert::channel::{ChannelKind, Format, SyslogConfig, Transport, Trust};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::{TcpListener, UdpSocket},
    sync::oneshot,
};

use crate::{identity::Identity, message, open, refused, send};

fn config(port: u16, transport: Transport, format: Format) -> SyslogConfig {
    let server = "127.0.0.1".to_owned();
    SyslogConfig { server, port, transport, format, facility: 10, trust: Trust::default() }
}

/// Messages of one connection, each behind its length.
async fn frames(mut stream: impl AsyncRead + Unpin) -> Vec<String> {
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).await.unwrap();
    let mut rest = String::from_utf8(bytes).unwrap();
    let mut frames = vec![];
    while let Some((length, text)) = rest.split_once(' ') {
        let length = length.parse().unwrap();
        frames.push(text[..length].to_owned());
        rest = text[length..].to_owned();
    }
    assert!(rest.is_empty(), "{rest}");
    frames
}

fn check(line: &str) {
    let fields: Vec<&str> = line.splitn(7, ' ').collect();
    assert_eq!(fields[..6], ["<86>1", "2024-05-01T12:00:00.000000Z", "example", "log-sentinel", "-", "test"]);
    assert!(fields[6].starts_with("[alert@32473 key=\"00000000000000000000000000000000-ops-1\" "), "{line}");
    assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line}");
}

#[tokio::test]
async fn frames_are_counted_and_one_message_is_one_line() {
    for (transport, format) in [(Transport::Tcp, Format::Plain), (Transport::Tls, Format::Json)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let identity = Identity::new();
        let port = listener.local_addr().unwrap().port();
        let acceptor = identity.acceptor.clone();
        let (told, taken) = oneshot::channel();
        let serving = async move {
            let (stream, _) = listener.accept().await.unwrap();
            let frames = match transport {
                Transport::Tls => frames(acceptor.accept(stream).await.unwrap()).await,
                _ => frames(stream).await,
            };
            told.send(frames).unwrap();
        };
        drop(telemetry::task::spawn("syslog server", serving));
        let config = SyslogConfig { trust: identity.trust.clone(), ..config(port, transport, format) };
        let mut message = message();
        message.alerts.push(message.alerts[0].clone());
        open(ChannelKind::Syslog(config)).send(&message).await.unwrap();
        let frames = taken.await.unwrap();
        assert_eq!(frames.len(), 2);
        frames.iter().for_each(|line| check(line));
        if format == Format::Json {
            let json = frames[0].split_once('\u{feff}').unwrap().1;
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(json["samples"][0], crate::HOSTILE);
        }
    }
}

#[tokio::test]
async fn a_datagram_is_one_message_within_its_bound() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let mut message = message();
    message.alerts[0].words.what = "é".repeat(2000);
    open(ChannelKind::Syslog(config(port, Transport::Udp, Format::Plain))).send(&message).await.unwrap();
    let mut bytes = [0; 4096];
    let length = server.recv(&mut bytes).await.unwrap();
    assert!((1390..=1400).contains(&length), "{length}");
    check(std::str::from_utf8(&bytes[..length]).unwrap());
}

#[tokio::test]
async fn a_server_that_is_gone_or_not_trusted_gets_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let identity = Identity::new();
    let acceptor = identity.acceptor.clone();
    let serving = async move {
        let (stream, _) = listener.accept().await.unwrap();
        assert!(acceptor.accept(stream).await.is_err());
    };
    let served = telemetry::task::spawn("syslog server", serving);
    let error = send(ChannelKind::Syslog(config(port, Transport::Tls, Format::Plain))).await.unwrap_err();
    assert!(!error.is_permanent && error.reason.contains("certificate"), "{error}");
    served.await.unwrap();
    let error = send(ChannelKind::Syslog(config(port, Transport::Tcp, Format::Plain))).await.unwrap_err();
    assert!(error.reason.contains(&format!("cannot send to 127.0.0.1:{port}")), "{error}");
    let error =
        refused(ChannelKind::Syslog(SyslogConfig { facility: 24, ..config(1, Transport::Tcp, Format::Cef) }));
    assert!(error.contains("from 0 to 23"), "{error}");
}
