//! Settings of what is looked for, and of who is told.

use super::setting::{Setting, secret, setting};

/// Those settings, in the order in which people meet them.
pub(super) const SIGNALS: &[Setting] = &[
    setting(
        "LOG_SENTINEL_DETECTION",
        "true",
        "Whether attacks, failures and what is unusual are looked for in all that comes in, and told as signals.",
    ),
    setting(
        "LOG_SENTINEL_RULES_DIR",
        "",
        "A folder of rules of your own, of Sigma (.yml) and in SQL (.sql), beside those that come along. Read again when a file in it changes.",
    ),
    setting(
        "LOG_SENTINEL_RULES_STRICT",
        "false",
        "Whether changed rules are taken only when all of them are without fault. Else those that are refused are named, and the others run.",
    ),
    setting(
        "LOG_SENTINEL_RULES_OFF",
        "",
        "Ids of rules that tell nothing, separated by commas. They still count for the correlations over them.",
    ),
    setting(
        "LOG_SENTINEL_RULE_COST_MAX",
        "50000",
        "Nanoseconds an event that one rule may take, measured when rules are read; one that takes more is suspended.",
    ),
    setting(
        "LOG_SENTINEL_RULES_COST_MAX",
        "500000",
        "Nanoseconds an event that all rules together may take; beyond it the costliest of one's own are suspended.",
    ),
    setting(
        "LOG_SENTINEL_FAILED_LOGINS",
        "5",
        "So many failed logins of one address within ten minutes are guessing at passwords; 2 to 16.",
    ),
    setting(
        "LOG_SENTINEL_OWN_ADDRESSES",
        "",
        "Addresses and networks of your own, such as a scanner's, whose doings are never taken for an attack: 192.0.2.7,10.0.0.0/8.",
    ),
    setting(
        "LOG_SENTINEL_MAINTENANCE",
        "",
        "Times at which nothing is told, on all hosts or on one: 2026-12-24T20:00:00Z/2026-12-25T06:00:00Z@db1, separated by commas.",
    ),
    setting(
        "LOG_SENTINEL_DETECTION_KEYS_MAX",
        "10000",
        "Addresses, users and the like that each detector remembers; beyond it those are forgotten that were seen once, or longest ago.",
    ),
    setting("LOG_SENTINEL_SIGNALS_KEEP", "365d", "How long signals are kept that are over."),
    setting(
        "LOG_SENTINEL_SIGNALS_MAX",
        "1000000",
        "Signals that are kept; beyond it the oldest that are over go first.",
    ),
    setting(
        "LOG_SENTINEL_REPORT_SIGNALS_MAX",
        "50000",
        "Signals that a report counts; beyond it those last seen, and it says so.",
    ),
    setting(
        "LOG_SENTINEL_REPORT_EVERY",
        "never",
        "How often a report is sent: never, day or week. It is about the time since the one before.",
    ),
    setting("LOG_SENTINEL_REPORT_WEEKDAY", "monday", "The day of the week on which that of a week is due."),
    setting("LOG_SENTINEL_REPORT_TIME", "07:00", "The time of the day at which it is due."),
    setting(
        "LOG_SENTINEL_REPORT_ZONE",
        "UTC",
        "The time zone of that time and of the times in it, such as America/Sao_Paulo.",
    ),
    setting(
        "LOG_SENTINEL_REPORT_CHANNELS",
        "",
        "Names of the channels that it goes to, separated by commas. Unset: all that send mail. Chats and the like get its summary.",
    ),
    setting(
        "LOG_SENTINEL_ALERTS_FILE",
        "",
        "A YAML file of routes and channels: who is told of what, over which way. Unset: signals of severity medium and above go to every channel that is switched on here. Read again when it changes.",
    ),
    setting("LOG_SENTINEL_LANGUAGE", "en", "The language of alerts: en or pt."),
    setting(
        "LOG_SENTINEL_ALERTS_ZONE",
        "UTC",
        "The time zone of times in alerts, such as America/Sao_Paulo.",
    ),
    setting("ALERT_EMAIL_ENABLED", "false", "Whether alerts go out by mail."),
    setting(
        "ALERT_EMAIL_FROM",
        "",
        "Who sends them: alerts@example.com or Log Sentinel <alerts@example.com>.",
    ),
    setting("ALERT_EMAIL_TO", "", "To whom, separated by commas."),
    setting("ALERT_EMAIL_SMTP_SERVER", "", "The mail server."),
    setting(
        "ALERT_EMAIL_SMTP_PORT",
        "587",
        "Its port: 465 speaks TLS from the start, others must offer STARTTLS.",
    ),
    setting("ALERT_EMAIL_USERNAME", "", "The user at the mail server, where it asks for one."),
    secret("ALERT_EMAIL_PASSWORD", "The user's password."),
    setting(
        "ALERT_EMAIL_CA_FILE",
        "",
        "PEM file of the authority that signed the mail server's certificate, where the usual ones did not.",
    ),
    setting("ALERT_TELEGRAM_ENABLED", "false", "Whether alerts go to a chat in Telegram."),
    secret("ALERT_TELEGRAM_BOT_TOKEN", "The token of the bot that sends them."),
    setting("ALERT_TELEGRAM_CHAT_ID", "", "The chat, group or channel."),
    setting("ALERT_TELEGRAM_API_URL", "", "Where the bot API is, if not at Telegram's own."),
    setting("ALERT_DISCORD_ENABLED", "false", "Whether alerts go to a channel in Discord."),
    secret("ALERT_DISCORD_WEBHOOK_URL", "The webhook of the channel."),
    setting(
        "LOG_SENTINEL_BOTMODE",
        "inactive",
        "Whether a language model looks at signals (active) and notes on them what it makes of them. Names, addresses and secrets are masked before anything leaves. Also -botmode.",
    ),
    secret("OPENAI_API_KEY", "The key of the service that is asked; needed where it is active."),
    setting(
        "OPENAI_BASE_URL",
        "https://api.openai.com/v1",
        "Where the service is; any that speaks OpenAI's protocol will do, such as one on this machine: http://127.0.0.1:11434/v1.",
    ),
    setting("OPENAI_MODEL", "gpt-4o-mini", "The model that is asked."),
    setting("LOG_SENTINEL_AI_SEVERITY", "medium", "Signals less grave than this are not looked at."),
    setting("LOG_SENTINEL_AI_PER_HOUR", "20", "Questions in any hour; beyond it signals are told without."),
    setting("LOG_SENTINEL_AI_TIMEOUT", "20s", "How long one answer may take."),
    setting(
        "LOG_SENTINEL_AI_ANSWERS_KEPT",
        "500",
        "Answers that are remembered, so that the same is not asked twice.",
    ),
];
