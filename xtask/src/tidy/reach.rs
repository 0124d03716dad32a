//! Files that no `mod` reaches: the compiler, clippy and the tests never see them.
//!
//! Starts at the roots of all targets (by the names that cargo looks for, and by `path` in a
//! manifest) and follows `mod name;`. Neighbours: `form` says where the file of a module lies.

use std::collections::BTreeSet;

use super::manifests::target_paths;
use super::{Check, File, Rule, Violation};
use crate::source::{Source, skip_spaces, word_length};

/// Folders in which a file that nothing reaches is named and no rule looks at it: their crates
/// are being put together. Anywhere else it is a violation.
const UNDER_CONSTRUCTION: &[&str] = &[];

pub(super) const REACHED: Rule = Rule {
    name: "reached",
    wants: "every source file belongs to a target: a `mod` leads to it",
    check: Check::Files(|files| {
        let unreached = unreached(files).into_iter().filter(|path| !is_tolerated(path));
        let message = "no `mod` leads to it, so nothing compiles it";
        unreached.map(|path| Violation::new("reached", path, message)).collect()
    }),
};

/// The files that nothing reaches, where that is not a violation.
pub(super) fn tolerated(files: &[File]) -> BTreeSet<String> {
    unreached(files).into_iter().filter(|path| is_tolerated(path)).collect()
}

fn is_tolerated(path: &str) -> bool {
    UNDER_CONSTRUCTION.iter().any(|folder| path.starts_with(folder))
}

/// The source files that belong to no target.
fn unreached(files: &[File]) -> BTreeSet<String> {
    let mut left: BTreeSet<&str> =
        files.iter().filter(|file| file.source.is_some()).map(|file| file.path.as_str()).collect();
    let named: BTreeSet<String> = files
        .iter()
        .filter_map(|file| Some((file.path.strip_suffix("Cargo.toml")?, file)))
        .flat_map(|(folder, file)| {
            target_paths(&file.text).map(move |path| format!("{folder}{path}"))
        })
        .collect();
    let mut open: Vec<(&str, bool)> = left
        .iter()
        .filter(|path| named.contains(**path) || is_root(path))
        .map(|path| (*path, true))
        .collect();
    while let Some((path, is_root)) = open.pop() {
        if !left.remove(path) {
            continue;
        }
        let Some(source) =
            files.iter().find(|file| file.path == path).and_then(|f| f.source.as_ref())
        else {
            continue;
        };
        let folder = folder_of_modules(path, is_root);
        for name in declared_modules(source) {
            for module in [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")] {
                open.extend(left.get(module.as_str()).map(|path| (*path, false)));
            }
        }
    }
    left.into_iter().map(str::to_owned).collect()
}

/// Whether cargo (or cargo-fuzz) makes a target of the file by its name alone.
fn is_root(path: &str) -> bool {
    let mut names = path.rsplit('/');
    let (name, folder) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    match name {
        "build.rs" => return true,
        "lib.rs" => return folder == "src",
        "main.rs" => {
            // `tests/name/main.rs` is a target of several files.
            let around = names.next().unwrap_or_default();
            let targets = ["tests", "bin", "examples", "benches"];
            return folder == "src" || targets.contains(&folder) || targets.contains(&around);
        }
        _ => {}
    }
    ["bin", "tests", "examples", "benches", "fuzz_targets"].contains(&folder)
        // `src/a/tests/b.rs` is a module, `tests/b.rs` beside `src` a target.
        && (folder == "bin" || !path.contains("src/"))
}

/// Where the files of the modules lie that the file at `path` declares, with `/` at its end.
fn folder_of_modules(path: &str, is_root: bool) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    if is_root || name == "mod.rs" {
        return folder;
    }
    format!("{folder}{}/", name.trim_end_matches(".rs"))
}

/// The names in `mod name;`.
fn declared_modules(source: &Source) -> Vec<&str> {
    let code = source.code.as_bytes();
    let declared = source.words("mod").filter_map(|at| {
        let start = skip_spaces(code, at + 3);
        let end = start + word_length(&code[start..]);
        (code.get(skip_spaces(code, end)) == Some(&b';')).then(|| &source.code[start..end])
    });
    declared.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> =
            files.iter().map(|(path, text)| File::new(path, (*text).into())).collect();
        unreached(&files).into_iter().collect()
    }

    #[test]
    fn declared_modules_are_reached_in_both_forms() {
        let files = [
            ("src/lib.rs", "pub mod a;\nmod b ;\nmod inline { fn f() {} }"),
            ("src/a.rs", "mod below;"),
            ("src/a/below.rs", ""),
            ("src/b/mod.rs", "#[cfg(test)]\nmod tests;"),
            ("src/b/tests.rs", ""),
        ];
        assert!(lost(&files).is_empty());
    }

    #[test]
    fn a_file_without_a_declaration_is_lost_and_so_is_what_it_declares() {
        let files = [
            ("src/lib.rs", "// mod a;\nmod aa;"),
            ("src/aa.rs", "mod b;"),
            ("src/a/mod.rs", "mod b;"),
            ("src/a/b.rs", ""),
        ];
        assert_eq!(lost(&files), ["src/a/b.rs", "src/a/mod.rs"]);
    }

    #[test]
    fn a_lost_file_is_a_violation_unless_its_folder_is_under_construction() {
        let file = |path: &str| [File::new(path, String::new())];
        let Check::Files(check) = REACHED.check else { panic!("looks at all files together") };
        assert_eq!(check(&file("crates/ds/src/lost.rs")).len(), 1);
        assert!(tolerated(&file("crates/ds/src/lost.rs")).is_empty());
        for folder in UNDER_CONSTRUCTION {
            let lost = file(&format!("{folder}lost.rs"));
            assert!(check(&lost).is_empty());
            assert_eq!(tolerated(&lost).len(), 1);
        }
    }

    #[test]
    fn targets_are_roots() {
        let targets = [
            ("x/src/main.rs", ""),
            ("x/src/bin/tool.rs", ""),
            ("x/examples/sim.rs", ""),
            ("x/tests/main.rs", "mod case;"),
            ("x/tests/case.rs", ""),
            ("build.rs", ""),
            ("fuzz/fuzz_targets/open.rs", ""),
            ("y/Cargo.toml", "[lib]\npath = \"lib.rs\""),
            ("y/lib.rs", ""),
        ];
        assert!(lost(&targets).is_empty());
        assert_eq!(lost(&[("x/src/a/tests/b.rs", ""), ("z/lib.rs", "")]).len(), 2);
    }
}
