//! Prints the tables of `docs/file-format.md` from the layout constants: `cargo xtask codegen`
//! puts them into the document.
//!
//! Neighbours: `format::layout` has the constants.
#![allow(clippy::print_stdout, reason = "a program that prints")]

use pandodb_ds::format::layout::STRUCTURES;

fn main() {
    for structure in STRUCTURES {
        println!("## {}\n\n{}", structure.name, structure.to_markdown());
        println!("{} bytes in all.\n", structure.bytes);
    }
}
