//! The `sluicegate` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    match sluicegate::cli::run() {
        Ok(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            anstream::eprintln!("sluicegate: {error:#}");
            ExitCode::FAILURE
        }
    }
}
