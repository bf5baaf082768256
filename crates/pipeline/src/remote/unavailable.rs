//! What went wrong with a remote service, in words that name the mend.

use tonic::{Code, Status};

use super::config::Config;

/// Longest text taken over from elsewhere.
const CAUSE_CHARS: usize = 300;

/// The anomaly service is away. Says why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// In words.
    pub reason: String,
}

/// How an exchange failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection.
    Connect(tonic::transport::Error),
    /// A stream could not be opened on a new connection.
    Refused(Status),
    /// The service ended the stream.
    Ended(Option<Status>),
    /// It did not answer in time.
    Deadline,
    /// It answered something else.
    Nonsense { expected: usize, found: usize },
}

impl Failure {
    pub(super) fn is_too_large(&self) -> bool {
        matches!(self, Self::Ended(Some(status)) if status.code() == Code::OutOfRange)
    }

    /// Whether this may have happened to a connection while nobody looked.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            Self::Ended(None) => true,
            Self::Ended(Some(status)) => {
                matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Internal | Code::Cancelled)
            }
            _ => false,
        }
    }

    pub(super) fn describe(&self, config: &Config) -> String {
        let url = &config.url;
        match self {
            Self::Connect(error) => {
                let cause = cut(&telemetry::in_words(error));
                let hint = if cause.to_ascii_lowercase().contains("certificate") {
                    "LOG_SENTINEL_ANOMALY_CA_FILE must be that of the authority that signed its certificate, and the certificate must name this host"
                } else {
                    "is it running, and does LOG_SENTINEL_ANOMALY_URL name its gRPC address?"
                };
                format!("cannot connect to the anomaly service at {url} ({cause}); {hint}")
            }
            Self::Refused(status) | Self::Ended(Some(status)) => {
                of_status(status, url, matches!(self, Self::Refused(_)))
            }
            Self::Ended(None) => format!("the anomaly service at {url} ended the stream of batches"),
            Self::Deadline => {
                let deadline = config.deadline;
                format!(
                    "the anomaly service at {url} did not answer within {deadline:?} (LOG_SENTINEL_ANOMALY_TIMEOUT)"
                )
            }
            Self::Nonsense { expected, found } => format!(
                "the anomaly service at {url} answered {expected} records with {found} verdicts; is it of another version?"
            ),
        }
    }
}

fn of_status(status: &Status, url: &str, on_a_new_connection: bool) -> String {
    let said = cut(status.message());
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => format!(
            "the anomaly service at {url} refuses the key ({said}); the first of this collector's API_KEYS must be among the API_KEYS there"
        ),
        Code::Unimplemented => not_ours(url, &said),
        Code::Unknown | Code::Internal | Code::Cancelled if on_a_new_connection => not_ours(url, &said),
        // What HTTP/1 or REST answers is taken for a message with odd flags.
        _ if status.message().contains("compression flag") => not_ours(url, &said),
        Code::OutOfRange => format!(
            "the anomaly service at {url} does not even take the smallest batch ({said}); raise its limits"
        ),
        _ => format!("the anomaly service at {url} answers with an error: {:?}, {said}", status.code()),
    }
}

fn not_ours(url: &str, said: &str) -> String {
    format!(
        "what answers at {url} is not the anomaly service ({said}); LOG_SENTINEL_ANOMALY_URL must name its gRPC address, port 50051 by default"
    )
}

fn cut(text: &str) -> String {
    text.chars().take(CAUSE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_port_is_named_as_such() {
        let status = Status::internal("protocol error: received message with invalid compression flag: 123");
        for on_a_new_connection in [false, true] {
            let text = of_status(&status, "http://anomaly:8000", on_a_new_connection);
            assert!(text.contains("LOG_SENTINEL_ANOMALY_URL") && text.contains("50051"), "{text}");
        }
    }
}
