//! Prints the tables of `docs/pragmas.md`: a line `## GROUP`, then a table in Markdown, and so on.
//!
//! `cargo xtask codegen` puts them into the document.
#![allow(clippy::print_stdout, reason = "an example prints")]

fn main() {
    print!("{}", pandodb_qp::pragma::manual());
}
