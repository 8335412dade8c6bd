//! The one binary. Arguments are read here; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    lockgate::command::main()
}
