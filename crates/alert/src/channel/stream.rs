//! Standard output and standard error, for whoever collects them. What is written to a pipe nobody confirms: a line
//! counts as delivered once the operating system has it.

use std::io::{self, Write};

use super::{
    line::{self, Format},
    send::{Channel, Receipt, SendError},
};
use crate::message::Message;

/// One of the process's own streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What goes to which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamConfig {
    /// Where to.
    pub stream: Stream,
    /// In what form.
    pub format: Format,
}

/// Writes lines to a stream.
pub(crate) struct ToStream(pub(crate) StreamConfig);

#[async_trait::async_trait]
impl Channel for ToStream {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let text = line::text(message, self.0.format);
        let stream = self.0.stream;
        let written = telemetry::task::blocking("writing an alert", move || match stream {
            Stream::Stdout => write(io::stdout().lock(), &text),
            Stream::Stderr => write(io::stderr().lock(), &text),
        });
        match written.await {
            Ok(Ok(())) => Ok(Receipt::new("written")),
            Ok(Err(error)) => Err(SendError::passing(format!("cannot write to the stream: {error}"))),
            Err(error) => Err(SendError::passing(telemetry::task::ending(&error))),
        }
    }
}

fn write(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
