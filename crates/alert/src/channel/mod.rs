//! One file for each way by which people are told.

mod config;
mod discord;
mod email;
mod file;
mod http;
mod line;
mod mime;
mod send;
mod sentinel;
mod slack;
mod stream;
mod syslog;
mod telegram;
mod told;
mod trust;
mod webhook;

pub use config::{ChannelConfig, ChannelKind, Rate};
pub use discord::DiscordConfig;
pub use email::{EmailConfig, Encryption};
pub use file::FileConfig;
pub use line::Format;
pub use send::{Channel, ChannelError, Receipt, SendError};
pub use sentinel::SentinelConfig;
pub use slack::SlackConfig;
pub use stream::{Stream, StreamConfig};
pub use syslog::{SyslogConfig, Transport};
pub use telegram::TelegramConfig;
pub use trust::Trust;
pub use webhook::WebhookConfig;
