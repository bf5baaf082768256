//! One file for each way by which people are told.

mod config;
mod discord;
mod file;
mod http;
mod line;
mod send;
mod slack;
mod stream;
mod telegram;
mod webhook;

pub use config::{ChannelConfig, ChannelKind};
pub use discord::DiscordConfig;
pub use file::FileConfig;
pub use http::Trust;
pub use line::Format;
pub use send::{Channel, ChannelError, Receipt, SendError};
pub use slack::SlackConfig;
pub use stream::{Stream, StreamConfig};
pub use telegram::TelegramConfig;
pub use webhook::WebhookConfig;
