//! The `rewardc` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rewardc::cli::main()
}
