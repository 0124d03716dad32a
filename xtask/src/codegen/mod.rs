//! `cargo xtask codegen`: the blocks of documents that are made from code.
//!
//! A block stands in a document between `<!-- generated: NAME -->` and `<!-- end generated -->`.
//! Each generator makes blocks by name; every block of a document must have a generator, and
//! every block that a generator makes must stand in its document, so neither side can be
//! forgotten. `--check` only compares. Neighbours: `ci` checks; the generators are the files of
//! this folder.

mod layout;
mod pragmas;
mod unsafe_blocks;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::process::{Failure, Outcome};
use crate::workspace;

const BEGIN: &str = "<!-- generated: ";
const BEGIN_END: &str = " -->";
const END: &str = "<!-- end generated -->";

/// What `cargo xtask codegen` takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail when a block is not what it would be.
    #[arg(long)]
    pub(crate) check: bool,
}

/// Blocks by name, as markdown.
type Blocks = BTreeMap<String, String>;

/// Makes the blocks of one document.
struct Generator {
    document: &'static str,
    make: fn() -> Outcome<Option<Blocks>>,
}

const GENERATORS: [Generator; 3] = [
    Generator { document: layout::DOCUMENT, make: layout::make },
    Generator { document: pragmas::DOCUMENT, make: pragmas::make },
    Generator { document: unsafe_blocks::DOCUMENT, make: unsafe_blocks::make },
];

/// Rewrites or compares the blocks of all documents.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let mut known = BTreeSet::new();
    let mut stale = Vec::new();
    for generator in &GENERATORS {
        known.insert(generator.document);
        let Some(blocks) = (generator.make)()? else { continue };
        let before = workspace::read_text(generator.document)?;
        let after = fill(generator.document, &before, &blocks)?;
        if before == after {
            println!("codegen: {} has {} blocks", generator.document, blocks.len());
        } else if arguments.check {
            stale.push(generator.document);
        } else {
            fs::write(workspace::root().join(generator.document), after).map_err(|cause| {
                Failure::new(format!("cannot write {}: {cause}", generator.document))
            })?;
            println!("codegen: {} is rewritten", generator.document);
        }
    }
    blocks_have_generators(&known)?;
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("stale: {}; run `cargo xtask codegen`", stale.join(", "))))
}

/// A generated block in a document that no generator writes would rot.
fn blocks_have_generators(known: &BTreeSet<&str>) -> Outcome {
    for path in workspace::files()?.iter().filter(|path| path.ends_with(".md")) {
        let text = workspace::read_text(path)?;
        if !known.contains(path.as_str()) && text.lines().any(|line| line.starts_with(BEGIN)) {
            return Err(Failure::new(format!("{path} has a generated block and no generator")));
        }
    }
    Ok(())
}

/// Replaces the inside of every block of `text` by the block of that name.
fn fill(document: &str, text: &str, blocks: &Blocks) -> Outcome<String> {
    let wrong = |what: String| Failure::new(format!("{document}: {what}"));
    let mut filled = String::with_capacity(text.len());
    let mut missing: BTreeSet<&str> = blocks.keys().map(String::as_str).collect();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        filled.push_str(line);
        filled.push('\n');
        let Some(rest) = line.strip_prefix(BEGIN) else { continue };
        let name = rest.strip_suffix(BEGIN_END).map(str::trim);
        let name = name.ok_or_else(|| wrong(format!("`{line}` does not end with -->")))?;
        let block = blocks.get(name);
        let block = block.ok_or_else(|| wrong(format!("nothing makes the block `{name}`")))?;
        missing.remove(name);
        if !lines.any(|line| line == END) {
            return Err(wrong(format!("the block `{name}` has no end")));
        }
        filled.push('\n');
        filled.push_str(block.trim());
        filled.push_str("\n\n");
        filled.push_str(END);
        filled.push('\n');
    }
    if let Some(name) = missing.first() {
        return Err(wrong(format!("the block `{name}` is made and stands nowhere")));
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill_one(text: &str) -> Result<String, String> {
        let blocks = Blocks::from([("a".to_owned(), "| new |\n".to_owned())]);
        fill("d.md", text, &blocks).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_block_is_replaced_and_the_rest_stays() {
        let text = "x\n<!-- generated: a -->\nold\n<!-- end generated -->\ny\n";
        let filled = "x\n<!-- generated: a -->\n\n| new |\n\n<!-- end generated -->\ny\n";
        assert_eq!(fill_one(text).as_deref(), Ok(filled));
        assert_eq!(fill_one(filled).as_deref(), Ok(filled), "a fixed point");
    }

    #[test]
    fn blocks_and_generators_must_match() {
        assert!(fill_one("x\n").is_err(), "made, stands nowhere");
        let unknown = "<!-- generated: b -->\n<!-- end generated -->\n";
        assert!(fill_one(unknown).is_err(), "stands, nothing makes it");
        assert!(fill_one("<!-- generated: a -->\nold\n").is_err(), "no end");
    }
}
