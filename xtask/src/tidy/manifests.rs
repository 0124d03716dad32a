//! `Cargo.toml` files: who depends on what, and the budget of direct dependencies.
//!
//! Reads the few forms that this workspace uses, line by line; it needs no TOML parser.
//! Neighbours: `layers` checks the edges between our own crates.

use std::collections::BTreeSet;

use super::{Check, File, Rule, Violation};

/// The inner crates together, and the most that they may use.
const INNER: (&[&str], usize) = (&["pandodb-ds", "pandodb-tm", "pandodb-branch", "pandodb-qp"], 16);
/// The facade adds nothing.
const FACADE: (&[&str], usize) = (&["pandodb"], 1);
const PROGRAM: (&[&str], usize) = (&["pandodb-cli"], 15);

pub(super) const DIRECT_DEPENDENCIES: Rule = Rule {
    name: "dependencies",
    wants: "at most 16 outside crates for the inner ones together, one for the facade, 15 for cli",
    check: Check::Files(direct_dependencies),
};

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Normal,
    /// Only on some targets or under a flag, such as loom.
    Conditional,
    Tests,
}

/// What the rules need from a `Cargo.toml`.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) package: Option<String>,
    pub(super) dependencies: Vec<(Section, String)>,
}

impl Manifest {
    pub(super) fn new(text: &str) -> Self {
        let mut manifest = Self { package: None, dependencies: Vec::new() };
        let mut header = "";
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                header = name.trim_end_matches(']');
                // The form `[dependencies.name]`.
                if let Some((section, name)) = header.rsplit_once('.') {
                    manifest.dependencies.extend(section_of(section).map(|s| (s, name.to_owned())));
                }
            } else if let Some((key, value)) = line.split_once('=') {
                let key = key.trim();
                if header == "package" && key == "name" {
                    manifest.package = Some(value.trim().trim_matches('"').to_owned());
                }
                let name = key.split('.').next().unwrap_or(key).to_owned();
                manifest.dependencies.extend(section_of(header).map(|section| (section, name)));
            }
        }
        manifest
    }
}

/// The files that a manifest names as roots of targets.
pub(super) fn target_paths(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("path")?.split_once('='));
    lines.map(|(_, path)| path.trim().trim_matches('"')).filter(|path| path.ends_with(".rs"))
}

fn section_of(header: &str) -> Option<Section> {
    match header {
        "dependencies" | "build-dependencies" => Some(Section::Normal),
        "dev-dependencies" => Some(Section::Tests),
        _ if header.starts_with("target.") && header.ends_with(".dev-dependencies") => {
            Some(Section::Tests)
        }
        _ if header.starts_with("target.") && header.ends_with(".dependencies") => {
            Some(Section::Conditional)
        }
        _ => None,
    }
}

fn direct_dependencies(files: &[File]) -> Vec<Violation> {
    let manifests: Vec<Manifest> = files
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
        .map(|file| Manifest::new(&file.text))
        .collect();
    [INNER, FACADE, PROGRAM]
        .into_iter()
        .filter_map(|group| over_budget(&manifests, group))
        .collect()
}

fn over_budget(manifests: &[Manifest], (group, limit): (&[&str], usize)) -> Option<Violation> {
    let in_group = |manifest: &&Manifest| {
        manifest.package.as_deref().is_some_and(|package| group.contains(&package))
    };
    let used: BTreeSet<&str> = manifests
        .iter()
        .filter(in_group)
        .flat_map(|manifest| &manifest.dependencies)
        .filter(|(section, name)| *section == Section::Normal && !name.starts_with("pandodb"))
        .map(|(_, name)| name.as_str())
        .collect();
    let place = group.join("+");
    let message = format!("{} direct dependencies (limit {limit})", used.len());
    (used.len() > limit)
        .then(|| Violation::new("dependencies", place, message).measuring(used.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_dependencies_are_read() {
        let text = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\n# c = 1\n\
                    d = { version = \"1\" }\n[dependencies.e]\nversion = \"1\"\n\
                    [target.'cfg(loom)'.dependencies]\nloom = \"1\"\n[dev-dependencies]\nf = \"1\"";
        let manifest = Manifest::new(text);
        assert_eq!(manifest.package.as_deref(), Some("a"));
        let expected = [
            (Section::Normal, "b"),
            (Section::Normal, "d"),
            (Section::Normal, "e"),
            (Section::Conditional, "loom"),
            (Section::Tests, "f"),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(s, name)| (s, name.to_owned())).collect();
        assert_eq!(manifest.dependencies, expected);
    }

    #[test]
    fn a_dependency_of_the_facade_is_found() {
        let text = "[package]\nname = \"pandodb\"\n[dependencies]\npandodb-ds.workspace = true\n";
        let check = |text: String| direct_dependencies(&[File::new("Cargo.toml", text)]);
        assert!(check(text.into()).is_empty());
        assert_eq!(check(format!("{text}serde = \"1\"\nregex = \"1\"")).len(), 1);
    }

    #[test]
    fn the_budget_counts_each_crate_once() {
        let names: Vec<String> = (0..16).map(|n| format!("d{n} = \"1\"\n")).collect();
        let all = names.concat();
        let file = |package: &str, list: &str| {
            let text = format!("[package]\nname = \"{package}\"\n[dependencies]\n{list}");
            File::new("Cargo.toml", text)
        };
        let twice = [file("pandodb-ds", &all), file("pandodb-tm", &all)];
        assert!(direct_dependencies(&twice).is_empty());
        let one_more = [file("pandodb-ds", &all), file("pandodb-tm", "x = \"1\"")];
        assert_eq!(direct_dependencies(&one_more)[0].measured, 17);
    }
}
