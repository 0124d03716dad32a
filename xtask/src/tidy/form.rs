//! Form of the tree: how a source file opens, and where the file of a module lies.
//!
//! Neighbours: `sizes` measures the same files.

use super::{Check, File, Rule, Violation};

pub(super) const OPENING: Rule = Rule {
    name: "opening",
    wants: "a source file opens with `//!` and a sentence that says what it holds",
    check: Check::File(opening),
};

pub(super) const MODULE_FILES: Rule = Rule {
    name: "module-files",
    wants: "the root of a module with a folder is `folder/mod.rs`",
    check: Check::Paths(module_files),
};

fn opening(file: &File) -> Vec<Violation> {
    if file.source.is_none() {
        return Vec::new();
    }
    let first = file.text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//!").map(str::trim).unwrap_or_default();
    if sentence.is_empty() {
        let message = "does not open with `//!` and a sentence";
        return vec![Violation::new("opening", &file.path, message).at_line(1)];
    }
    Vec::new()
}

fn module_files(paths: &[String]) -> Vec<Violation> {
    let sources: Vec<&str> = paths.iter().filter_map(|path| path.strip_suffix(".rs")).collect();
    let has_folder = |stem: &&&str| {
        let folder = format!("{stem}/");
        sources.iter().any(|other| other.starts_with(&folder))
    };
    let doubled = sources.iter().filter(has_folder);
    doubled
        .map(|stem| {
            let message = format!("belongs to {stem}/mod.rs");
            Violation::new("module-files", format!("{stem}.rs"), message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_opening_is_found() {
        for text in ["", "use a;\n//! late", "//!\n//! late", "// no doc"] {
            assert_eq!(opening(&File::new("a.rs", text.into())).len(), 1, "{text:?}");
        }
        assert!(opening(&File::new("a.rs", "//! Holds a.\n".into())).is_empty());
        assert!(opening(&File::new("a.md", String::new())).is_empty());
    }

    #[test]
    fn a_module_beside_its_folder_is_found() {
        let paths = |list: &[&str]| list.iter().map(|&path| path.to_owned()).collect::<Vec<_>>();
        let found = module_files(&paths(&["src/tree.rs", "src/tree/node.rs", "src/treeline.rs"]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "src/tree.rs");
        assert!(module_files(&paths(&["src/tree/mod.rs", "src/tree/node.rs"])).is_empty());
    }
}
