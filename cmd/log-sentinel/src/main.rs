//! Log Sentinel: everything in one process. See `app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    app::main(std::env::args_os())
}
