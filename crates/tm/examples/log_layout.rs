//! Prints the log's tables of `docs/file-format.md` from the layout constants: `cargo xtask
//! codegen` puts them into the document.
//!
//! Neighbours: `wal::layout` has the constants.
#![allow(clippy::print_stdout, reason = "a program that prints")]

use pandodb_tm::wal::layout::STRUCTURES;

fn main() {
    for structure in STRUCTURES {
        println!("## {}\n\n{}", structure.name, structure.to_markdown());
        println!("{} bytes in all.\n", structure.bytes);
    }
}
