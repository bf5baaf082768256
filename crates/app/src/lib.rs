//! The composition root: settings, then checked, built, run and drained. The only crate that knows all others.
//!
//! It decides what exists and in which order it stops; it must never do the work itself.

mod chunks;
pub mod cli;
mod client;
mod commands;
mod error;
mod formats;
mod found;
#[cfg(test)]
mod fuzz;
mod hits;
mod imported;
mod instance;
mod log_files;
mod routes;
mod serve;
mod settings;
#[cfg(test)]
mod tests;
mod unpacked;
mod version;
mod wording;

use std::{ffi::OsString, io, pin::Pin, process::ExitCode};

use clap::CommandFactory;
use cli::{Cli, Command, JournalAction, ModelsAction};
use client::Client;
use commands::{
    agent, agents, alerts, audit as audit_command, check, counts, demo, dlq, elastic, feedback, health,
    hosts, import, journal as journal_command, keys, models, parse as parse_command, predict, query, report,
    rules, sessions, signals, sql, starters, tail, templates, train,
};
use instance::{Instance, Role};
use settings::{Settings, Sources, Values};
use wording::describe;

pub use error::AppError;
pub use version::VERSION;

/// The whole program: reads the command line and does what it says.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = cli::by_name(arguments.into_iter().collect());
    let (cli, flags) = match cli::parse(arguments.clone()) {
        Ok(parsed) => parsed,
        Err(error) => return refused(error, &arguments, |plain| cli::parse(plain).err()),
    };
    // A record that cannot be read is told from one that was tampered with.
    let failure = if matches!(cli.command, Some(Command::Audit { .. })) { 2 } else { 1 };
    // Under `agent` the option names the file of the agent itself.
    let is_of_agent = matches!(cli.command, Some(Command::Agent(_)));
    let outcome = Sources::read(flags, cli.config.as_deref().filter(|_| !is_of_agent))
        .map(|sources| {
            if matches!(
                cli.command,
                None | Some(Command::Run | Command::Collector | Command::Check { sample: false })
            ) {
                let notes = sources.without_effect();
                notes.iter().for_each(|what| commands::note(&format!("log-sentinel: {what}")));
            }
            sources.resolve()
        })
        .map_err(AppError::from)
        .and_then(|sources| dispatch(cli, &sources));
    ended(outcome, failure)
}

/// The agent's own program, without what a collector is made of.
pub fn agent_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let (cli::AgentProgram { config, agent: asked }, flags) = match cli::parse_agent(arguments.clone()) {
        Ok(parsed) => parsed,
        Err(error) => return refused(error, &arguments, |plain| cli::parse_agent(plain).err()),
    };
    let outcome = Sources::read(flags, None).map_err(AppError::from).and_then(|sources| {
        on(runtime(true)?, agent::measure(&sources.resolve(), &asked, config.as_deref()))
    });
    ended(outcome, 1)
}

/// Says why a command line is none.
fn refused(
    error: clap::Error,
    arguments: &[OsString],
    again: impl FnOnce(Vec<OsString>) -> Option<clap::Error>,
) -> ExitCode {
    // It repeats what was typed, or what a shell made of names of files: asked again of cleaned text.
    let plain = arguments.iter().map(|argument| wording::plain(&argument.to_string_lossy()).into());
    let error = again(plain.collect()).unwrap_or(error);
    if error.use_stderr() {
        commands::note(error.render().to_string().trim_end());
        return ExitCode::from(2);
    }
    // The terminal may be gone; the exit code still tells.
    drop(error.print());
    ExitCode::SUCCESS
}

fn ended(outcome: Result<(), AppError>, failure: u8) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::note(&format!("log-sentinel: {}", describe(&error)));
            if matches!(error, AppError::Tampered) { ExitCode::FAILURE } else { ExitCode::from(failure) }
        }
    }
}

fn dispatch(cli: Cli, sources: &settings::Values) -> Result<(), AppError> {
    let Cli { config, command } = cli;
    let command = command.unwrap_or(Command::Run);
    match &command {
        Command::Check { sample: true } => {
            commands::print(&settings::sample())?;
            return Ok(());
        }
        Command::Check { sample: false } => commands::print(&check::table(sources)).map(drop)?,
        Command::Completions { shell } => {
            let mut script = vec![];
            clap_complete::generate(*shell, &mut cli::command(), "log-sentinel", &mut script);
            commands::print_bytes(&script)?;
            return Ok(());
        }
        _ => {}
    }
    let settings = Settings::check(sources)?;
    match command {
        Command::Check { .. } => {
            check::files(&settings)?;
            commands::print("the settings are usable\n")?;
            Ok(())
        }
        Command::Journal { action } => match action {
            JournalAction::Cat => journal_command::cat(&settings.data),
            JournalAction::Verify => journal_command::verify(&settings.data),
        },
        Command::Audit { action } => audit_command::run(&settings.data, action),
        Command::Rules { action } if action.past().is_none() => rules::run(&action),
        Command::Parse { file, explain, output } => parse_command::run(&settings, &file, explain, output),
        Command::Agent(asked) => on(runtime(true)?, agent::run(sources, &asked, config.as_deref())),
        asynchronous => on(runtime(false)?, run(asynchronous, sources, &settings)),
    }
}

fn on(
    runtime: tokio::runtime::Runtime,
    work: impl Future<Output = Result<(), AppError>>,
) -> Result<(), AppError> {
    // The runtime makes its code several times for each type of work; behind a pointer there is one.
    let work: Pin<Box<dyn Future<Output = _>>> = Box::pin(work);
    let outcome = runtime.block_on(work);
    // What still computes has had its time; nobody is left to answer to.
    runtime.shutdown_background();
    outcome
}

/// What runs tasks; `is_small` where there is little to do.
fn runtime(is_small: bool) -> io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if is_small {
        builder.worker_threads(1);
    }
    builder.enable_all().thread_name("reactor").build()
}

async fn run(command: Command, sources: &Values, settings: &Settings) -> Result<(), AppError> {
    let listeners = &settings.listeners;
    let client = |url: &Option<String>, addr, tls: &Option<settings::Tls>| {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = url.clone().unwrap_or_else(|| format!("{scheme}://{}", reachable(addr)));
        let own = tls::Authority::certificate_file(&instance::folder(settings));
        let roots: Vec<_> = listeners.tls.ca_file.clone().into_iter().chain([own]).collect();
        Client::trusting(&url, listeners.command_key(), &roots)
    };
    let collector = |server: &cli::Server| client(&server.url, listeners.addr, &listeners.tls.collector);
    let anomaly = |url: &Option<String>| client(url, listeners.anomaly_addr, &listeners.tls.anomaly);
    let keeper = |url: &Option<String>| {
        keys::Place::find(settings, url.is_some(), client(url, listeners.addr, &listeners.tls.collector))
    };
    let welcome = |instance: &Instance| serve::welcome(settings, instance);
    match command {
        Command::Run => serve::run(settings, Role::All, welcome).await,
        Command::Collector => serve::run(settings, Role::Collector, welcome).await,
        Command::Anomaly => serve::run(settings, Role::Anomaly, welcome).await,
        Command::Health { url } => health::run(&collector(&cli::Server { url })).await,
        Command::Elastic { action } => elastic::run(settings, action).await,
        Command::Dlq { action, server } => dlq::run(&collector(&server), &action).await,
        Command::Demo { files } => demo::run(sources, &files).await,
        Command::Keys { action, server } => keys::run(&keeper(&server.url)?, action, server.output).await,
        Command::Agents { action, server } => {
            agents::run(settings, &keeper(&server.url)?, action, server.output).await
        }
        Command::Import { mut files, again, server } => {
            if files.is_empty() {
                files.push("-".into());
            }
            let named = server.url.is_some();
            import::run_and_report(settings, collector(&server), named, &files, again).await
        }
        Command::Alerts { action, output, server } => {
            alerts::run(settings, &collector(&server), &action, output).await
        }
        Command::Hosts(asked) => hosts::run(&collector(&asked.server), &asked).await,
        Command::Report(asked) => report::run(&collector(&asked.server), &asked).await,
        Command::Signals { action, asked, told } => {
            signals::run(&collector(&told.server), action.as_ref(), &asked, &told).await
        }
        Command::Rules { action } => {
            let server = action.past().map_or(cli::Server { url: None }, |past| past.server.clone());
            rules::over_past(settings, &collector(&server), &action).await
        }
        Command::Query(search) if search.sql.sql.is_some() || search.sql.tables => {
            sql::run(&collector(&search.question.server), &search).await
        }
        Command::Query(search) if search.follow => {
            tail::follow(&collector(&search.question.server), &search).await
        }
        Command::Query(search) => query::run(&collector(&search.question.server), &search).await,
        Command::Count(asked) => counts::count(&collector(&asked.question.server), &asked).await,
        Command::Top(asked) => counts::top(&collector(&asked.question.server), &asked).await,
        Command::Histogram(asked) => counts::histogram(&collector(&asked.question.server), &asked).await,
        Command::Patterns(asked) => counts::patterns(&collector(&asked.question.server), &asked).await,
        Command::Tail { query, output, server } => {
            tail::run(&collector(&server), &query.join(" "), output).await
        }
        Command::Train { file: Some(file), url, .. } => train::file(&anomaly(&url), &file).await,
        Command::Train { query, url, .. } => {
            train::stored(&anomaly(&url), query.as_deref().unwrap_or_default()).await
        }
        Command::Predict { file, url } => predict::run(&anomaly(&url), &file).await,
        Command::Models { action, service } => {
            let action = action.unwrap_or(ModelsAction::List);
            models::run(&anomaly(&service.url), &action, service.output).await
        }
        Command::Feedback { action, service } => {
            feedback::run(&anomaly(&service.url), &action, &settings.intake.door.zone, service.output).await
        }
        Command::Sessions { limit, service } => {
            sessions::run(&anomaly(&service.url), limit, service.output).await
        }
        Command::Starters { action, service } => {
            starters::run(&anomaly(&service.url), &action, service.output).await
        }
        Command::Templates { action, service } => {
            // Another service's templates are those of another collector.
            let here = service.url.is_none().then(|| collector(&cli::Server { url: None }));
            templates::run(&anomaly(&service.url), here.as_ref(), &action, service.output).await
        }
        // Done before the settings were checked, or without a runtime.
        Command::Agent(_)
        | Command::Check { .. }
        | Command::Completions { .. }
        | Command::Journal { .. }
        | Command::Parse { .. }
        | Command::Audit { .. } => Cli::command().print_help().map_err(AppError::from),
    }
}

/// The address by which this machine reaches a listener bound to it.
fn reachable(mut addr: std::net::SocketAddr) -> std::net::SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    addr
}
