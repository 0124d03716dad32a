//! The layers: which crate may use which, and which module of a crate which.
//!
//! The two tables are the architecture in a form that is checked; `docs/ARCHITECTURE.md` says
//! why. A new module must be given its layer here. What only tests compile is free to look
//! anywhere in its crate. Neighbours: `manifests` reads the `Cargo.toml` files.

use std::collections::{BTreeMap, BTreeSet};

use super::manifests::{Manifest, Section};
use super::{Check, File, Rule, Violation};
use crate::source::{Source, closing, find_words, skip_spaces, word_length};

/// Which packages of the workspace a package may depend on outside of tests.
const CRATES: &[(&str, &[&str])] = &[
    ("pandodb-ds", &[]),
    ("pandodb-tm", &["pandodb-ds"]),
    ("pandodb-branch", &["pandodb-ds", "pandodb-tm"]),
    ("pandodb-qp", &["pandodb-ds", "pandodb-tm", "pandodb-branch"]),
    ("pandodb", &["pandodb-ds", "pandodb-tm", "pandodb-branch", "pandodb-qp"]),
    ("pandodb-cli", &["pandodb"]),
    ("pandodb-service", &["pandodb"]),
    ("pandodb-testkit", &[]),
    ("pandodb-benches", &[]),
    ("pandodb-tpch", &[]),
    ("pandodb-peers", &["pandodb", "pandodb-ds", "pandodb-tm", "pandodb-qp", "pandodb-tpch"]),
    ("pandodb-differential", &["pandodb", "pandodb-qp", "pandodb-tpch"]),
    ("pandodb-bank", &["pandodb"]),
    ("pandodb-merges", &["pandodb-qp"]),
    ("pandodb-fuzz", &["pandodb", "pandodb-ds", "pandodb-tm", "pandodb-branch", "pandodb-qp"]),
    ("xtask", &[]),
];

/// What tests and benchmarks of any package may use besides.
const TEST_CRATES: &[&str] = &["pandodb-testkit"];

/// The packages whose benchmarks reach into inner crates.
const BENCHMARKS: &[&str] = &["pandodb-benches"];

/// The modules of a crate in layers.
struct Modules {
    /// The folder of the crate's `lib.rs`.
    folder: &'static str,
    /// What every module may use, these ones included.
    common: &'static [&'static str],
    /// Every other module, the lowest layer first. A module uses those of the layers below its
    /// own, never one beside it.
    layers: &'static [&'static [&'static str]],
}

const MODULES: &[Modules] = &[Modules {
    folder: "crates/ds/src/",
    common: &["error", "limits", "sync", "metrics"],
    layers: &[
        &["vfs"],
        &["record", "codec"],
        &["format"],
        &["page"],
        &["cache"],
        &["space"],
        &["pager"],
        &["tree"],
        &["forest"],
        &["checkpoint"],
        &["store"],
        &["check"],
        &["rewrite"],
        &["backup", "compact"],
    ],
}];

pub(super) const CRATE_EDGES: Rule = Rule {
    name: "crate-edges",
    wants: "a crate depends only on the crates below it",
    check: Check::Files(crate_edges),
};

pub(super) const MODULE_EDGES: Rule = Rule {
    name: "module-edges",
    wants: "a module uses only modules of the layers below its own",
    check: Check::Files(module_edges),
};

fn crate_edges(files: &[File]) -> Vec<Violation> {
    let manifests = files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
    manifests.flat_map(|file| edges_of(&file.path, &Manifest::new(&file.text))).collect()
}

fn edges_of(path: &str, manifest: &Manifest) -> Vec<Violation> {
    let Some(package) = &manifest.package else { return Vec::new() };
    let Some((_, allowed)) = CRATES.iter().find(|(name, _)| name == package) else {
        let message = format!("{package} is not in the table of crates");
        return vec![Violation::new("crate-edges", path, message)];
    };
    let own = manifest.dependencies.iter().filter(|(_, name)| name.starts_with("pandodb"));
    let wrong = own.filter(|(section, name)| {
        let in_tests = *section == Section::Tests
            && (TEST_CRATES.contains(&name.as_str()) || BENCHMARKS.contains(&package.as_str()));
        !in_tests && !allowed.contains(&name.as_str())
    });
    wrong
        .map(|(_, name)| {
            Violation::new("crate-edges", path, format!("{package} may not use {name}"))
        })
        .collect()
}

fn module_edges(files: &[File]) -> Vec<Violation> {
    MODULES.iter().flat_map(|table| table.check(files)).collect()
}

impl Modules {
    /// How high a module stands; what is common stands below all layers.
    fn rank_of(&self, module: &str) -> Option<usize> {
        if self.common.contains(&module) {
            return Some(0);
        }
        let at = self.layers.iter().position(|layer| layer.contains(&module));
        at.map(|at| at + 1)
    }

    fn check(&self, files: &[File]) -> Vec<Violation> {
        let mut own: Vec<(&str, &File, &Source)> = Vec::new();
        for file in files {
            if let (Some(source), Some(path)) = (&file.source, file.path.strip_prefix(self.folder))
            {
                own.push((path, file, source));
            }
        }
        let modules: BTreeSet<&str> =
            own.iter().map(|(path, ..)| module_of(path)).filter(|name| *name != "lib").collect();
        let root = own.iter().find(|(path, ..)| *path == "lib.rs");
        let exports = root.map(|(.., source)| exports(&source.code)).unwrap_or_default();
        let mut found = Vec::new();
        for (path, file, source) in own {
            let module = module_of(path);
            if module == "lib" || file.is_test {
                continue;
            }
            let Some(rank) = self.rank_of(module) else {
                let message = format!("module {module} is not in the table of modules");
                found.push(Violation::new("module-edges", &file.path, message));
                continue;
            };
            let mut seen = BTreeSet::new();
            for (used, at) in used_names(&source.production_code(), depth_of(path)) {
                let used = exports.get(&used).unwrap_or(&used).as_str();
                let is_allowed = used == module
                    || self.common.contains(&used)
                    || self.rank_of(used).is_some_and(|used| used < rank);
                if modules.contains(used) && !is_allowed && seen.insert(used.to_owned()) {
                    let place = format!("{}::{used}", file.path);
                    let message = format!("{module} may not use {used}");
                    let line = source.line_of(at);
                    found.push(Violation::new("module-edges", place, message).at_line(line));
                }
            }
        }
        found
    }
}

/// The top-level module that the file at `path` (relative to `src`) belongs to.
fn module_of(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// How many `super` lead from the module of the file at `path` to the root of its crate.
fn depth_of(path: &str) -> usize {
    let names = path.split('/').count();
    if path.ends_with("/mod.rs") { names - 1 } else { names }
}

/// The first names behind `crate::` and behind as many `super::` as lead to the root.
fn used_names(code: &str, depth: usize) -> Vec<(String, usize)> {
    let bytes = code.as_bytes();
    let mut names = Vec::new();
    for at in find_words(code, "crate") {
        if bytes[at + 5..].starts_with(b"::") && !code[..at].ends_with('$') {
            names.extend(first_names(bytes, at + 7).into_iter().map(|name| (name, at)));
        }
    }
    let supers = "super::".repeat(depth);
    for (at, _) in code.match_indices(&supers) {
        if !code[..at].ends_with("super::") {
            let names_at = first_names(bytes, at + supers.len());
            names.extend(names_at.into_iter().map(|name| (name, at)));
        }
    }
    names
}

/// The name at `at`, or the first name of each part where a group `{a::b, c}` stands there.
fn first_names(code: &[u8], at: usize) -> Vec<String> {
    let name_at = |at: usize| {
        let at = skip_spaces(code, at);
        String::from_utf8_lossy(&code[at..at + word_length(&code[at..])]).into_owned()
    };
    if code.get(at) != Some(&b'{') {
        return vec![name_at(at)];
    }
    let Some(end) = closing(code, at) else { return Vec::new() };
    let mut names = vec![name_at(at + 1)];
    let mut depth = 0_usize;
    for (offset, byte) in code.iter().enumerate().take(end).skip(at + 1) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => names.push(name_at(offset + 1)),
            _ => {}
        }
    }
    names
}

/// What `pub use module::Name` in a `lib.rs` makes reachable from its root: name to module.
fn exports(code: &str) -> BTreeMap<String, String> {
    let bytes = code.as_bytes();
    let mut exports = BTreeMap::new();
    for (at, text) in code.match_indices("pub use ") {
        let start = at + text.len();
        let end = code[start..].find(';').map_or(code.len(), |length| start + length);
        let module = String::from_utf8_lossy(&bytes[start..start + word_length(&bytes[start..])]);
        let names = code[start..end].split(|c: char| !c.is_alphanumeric() && c != '_');
        for name in names.filter(|name| name.starts_with(char::is_uppercase)) {
            exports.insert(name.to_owned(), module.clone().into_owned());
        }
    }
    exports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<File> =
            files.iter().map(|(path, text)| File::new(path, (*text).into())).collect();
        let table = Modules {
            folder: "crates/x/src/",
            common: &["error"],
            layers: &[&["low", "beside"], &["high"]],
        };
        table.check(&files).into_iter().map(|one| one.message).collect()
    }

    const HIGH: (&str, &str) = ("crates/x/src/high.rs", "use crate::low::Low;");

    #[test]
    fn edges_downwards_are_allowed() {
        assert!(edges(&[HIGH, ("crates/x/src/low.rs", "use crate::error::E;")]).is_empty());
    }

    #[test]
    fn edges_upwards_are_found_in_every_form() {
        let upwards = [
            ("crates/x/src/low.rs", "use crate::high::High;"),
            ("crates/x/src/low.rs", "use crate::{error::{E, F}, high::High};"),
            ("crates/x/src/low.rs", "use super::high::High;"),
            ("crates/x/src/low.rs", "fn f() { crate::high::go() }"),
            ("crates/x/src/low/mod.rs", "use super::high::High;"),
            ("crates/x/src/low/deep.rs", "use super::super::high::High;"),
            ("crates/x/src/low/deep.rs", "use crate::High;"),
        ];
        for file in upwards {
            let root = ("crates/x/src/lib.rs", "pub use high::{High, Higher};");
            assert_eq!(edges(&[root, HIGH, file]), ["low may not use high"], "{file:?}");
        }
    }

    #[test]
    fn tests_and_own_sub_modules_are_free() {
        let free = [
            ("crates/x/src/low.rs", "#[cfg(test)]\nmod tests { use crate::high::High; }"),
            ("crates/x/src/low/tests.rs", "use crate::high::High;"),
            ("crates/x/src/low/deep.rs", "use super::high::High;"),
            ("crates/x/src/low.rs", "// crate::high\nconst A: &str = \"crate::high\";"),
        ];
        for file in free {
            assert!(edges(&[HIGH, file]).is_empty(), "{file:?}");
        }
    }

    #[test]
    fn a_module_without_a_line_is_found() {
        let found = edges(&[("crates/x/src/new.rs", "")]);
        assert_eq!(found, ["module new is not in the table of modules"]);
    }

    #[test]
    fn crates_depend_downwards_only() {
        let check = |text: &str| edges_of("Cargo.toml", &Manifest::new(text)).len();
        let package = "[package]\nname = \"pandodb-tm\"\n";
        assert_eq!(check(&format!("{package}[dependencies]\npandodb-ds.workspace = true")), 0);
        assert_eq!(check(&format!("{package}[dependencies]\npandodb-qp.workspace = true")), 1);
        let test = "[dev-dependencies]\npandodb-testkit = { path = \"..\" }";
        assert_eq!(check(&format!("{package}{test}")), 0);
        assert_eq!(check(&format!("{package}[dependencies]\npandodb-testkit = \"1\"")), 1);
        assert_eq!(check("[package]\nname = \"pandodb-new\""), 1);
    }

    #[test]
    fn modules_of_one_layer_do_not_know_each_other() {
        let low = ("crates/x/src/low.rs", "use crate::beside::Beside;");
        assert_eq!(edges(&[low, ("crates/x/src/beside.rs", "")]), ["low may not use beside"]);
        let error = ("crates/x/src/error.rs", "use crate::low::Low;");
        assert_eq!(edges(&[error, ("crates/x/src/low.rs", "")]), ["error may not use low"]);
    }

    #[test]
    fn every_module_stands_in_the_table_once() {
        for table in MODULES {
            let mut names: Vec<_> = table.layers.concat();
            names.extend(table.common);
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{}", table.folder);
        }
    }
}
