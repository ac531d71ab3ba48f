//! The `refit` binary.
fn main() -> std::process::ExitCode {
    refit::cli::main()
}
