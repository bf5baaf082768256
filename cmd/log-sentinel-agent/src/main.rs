//! What `log-sentinel agent` does towards a collector, and nothing else: a small program for every server. See `app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    app::agent_main(std::env::args_os())
}
