//! `unsafe` only in files of a list.
//!
//! The list is short on purpose: each file on it is run under Miri, and `docs/unsafe.md` shows
//! the reason of every block. A file that needs no `unsafe` any more must leave the list.
//! Neighbours: `codegen` writes `docs/unsafe.md`.

use super::{Check, File, Rule, Violation};

/// The files that may hold `unsafe`.
const FILES: &[&str] = &["benches/peers/src/storage/lmdb.rs", "crates/ds/src/page/fetch.rs"];

pub(super) const UNSAFE: Rule = Rule {
    name: "unsafe",
    wants: "`unsafe` stands only in the files of the list, and each of those needs it",
    check: Check::Files(|files| unsafe_files(files, FILES)),
};

fn unsafe_files(files: &[File], allowed: &[&str]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut users = Vec::new();
    for file in files {
        let Some(source) = &file.source else { continue };
        let Some(at) = source.words("unsafe").next() else { continue };
        users.push(file.path.as_str());
        if !allowed.contains(&file.path.as_str()) {
            let line = source.line_of(at);
            let message = "`unsafe` outside of the listed files";
            found.push(Violation::new("unsafe", &file.path, message).at_line(line));
        }
    }
    let stale = allowed.iter().filter(|path| !users.contains(path));
    found.extend(stale.map(|path| {
        Violation::new("unsafe", *path, "needs no `unsafe` any more: take it off the list")
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_is_found_outside_of_the_list() {
        let check = |text: &str, allowed: &[&str]| {
            unsafe_files(&[File::new("a.rs", text.into())], allowed).len()
        };
        assert_eq!(check("fn f() { unsafe { g() } }", &[]), 1);
        assert_eq!(check("fn f() { unsafe { g() } }", &["a.rs"]), 0);
        assert_eq!(check("#![forbid(unsafe_code)] // unsafe", &[]), 0);
        assert_eq!(check("fn f() {}", &["a.rs"]), 1, "a listed file that does not need it");
    }
}
