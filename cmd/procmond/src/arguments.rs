//! The command line.

use std::{ffi::OsString, path::PathBuf};

use anyhow::bail;

/// What is printed for `--help`.
pub(crate) const HELP: &str = "\
Tells which processes run on this machine, by a Unix socket to the agent of Log Sentinel, or once to a file.

Usage:
  procmond run [--config FILE] [--once] [--output FILE] [--verbose]
  procmond self-check [--verbose]

  run         watch, and hand what changes to who connects to the socket
  self-check  say what of the hardening is lacking on this machine

  --config FILE  settings in YAML: interval, socket, peers, hash, exclude, mask, queue_bytes, kernel, proc
  --once         write one snapshot as JSON and end
  --output FILE  where the snapshot of --once goes; standard output without it
  --verbose      say more on standard error
  -h, --help     this text
  -V, --version  the version
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Version,
    SelfCheck { verbose: bool },
    Once { config: Option<PathBuf>, output: Option<PathBuf>, verbose: bool },
    Run { config: Option<PathBuf>, verbose: bool },
}

impl Command {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Self> {
        use lexopt::prelude::*;
        let mut parser = lexopt::Parser::from_iter(arguments);
        let (mut command, mut config, mut output, mut once, mut verbose) = (None, None, None, false, false);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("config") => config = Some(PathBuf::from(parser.value()?)),
                Long("output") => output = Some(PathBuf::from(parser.value()?)),
                Long("once") => once = true,
                Long("verbose") => verbose = true,
                Short('h') | Long("help") => return Ok(Self::Help),
                Short('V') | Long("version") => return Ok(Self::Version),
                Value(value) if command.is_none() => command = Some(value),
                other => return Err(other.unexpected().into()),
            }
        }
        match command.as_ref().and_then(|command| command.to_str()) {
            Some("run") if once => Ok(Self::Once { config, output, verbose }),
            Some("run") if output.is_some() => {
                bail!("--output belongs to --once: without it, what is found goes to the socket")
            }
            Some("run") => Ok(Self::Run { config, verbose }),
            Some("self-check") if config.is_some() || output.is_some() || once => {
                bail!("self-check takes --verbose only")
            }
            Some("self-check") => Ok(Self::SelfCheck { verbose }),
            Some(other) => bail!("'{other}' is no command: 'run' or 'self-check' (see --help)"),
            None => bail!("what to do? 'run' or 'self-check' (see --help)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Command, String> {
        Command::parse(text.split(' ').map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn commands_are_read_and_mistakes_named() {
        assert_eq!(
            parsed("procmond run --once --output s.json"),
            Ok(Command::Once { config: None, output: Some("s.json".into()), verbose: false })
        );
        assert_eq!(
            parsed("procmond run --config c.yaml --verbose"),
            Ok(Command::Run { config: Some("c.yaml".into()), verbose: true })
        );
        assert_eq!(parsed("procmond self-check"), Ok(Command::SelfCheck { verbose: false }));
        assert!(parsed("procmond").unwrap_err().contains("what to do?"));
        assert!(parsed("procmond walk").unwrap_err().contains("'walk' is no command"));
        assert!(parsed("procmond run --output s.json").unwrap_err().contains("--once"));
        assert!(parsed("procmond run --bogus").unwrap_err().contains("--bogus"));
    }
}
