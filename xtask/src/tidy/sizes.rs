//! Budgets: lines of a file and of a function, parameters, width, files in a folder.
//!
//! A file is measured without its test modules, so that tests are never what makes it too
//! long. Neighbours: `exceptions.txt` names what may be larger, and how large.

use std::collections::BTreeMap;

use super::{Check, File, Rule, Violation};

const FILE_LINES_LIMIT: usize = 800;
/// For files that only tests compile, generated tables and the grammar.
const LONG_FILE_LINES_LIMIT: usize = 1200;
const FUNCTION_LINES_LIMIT: usize = 70;
const PARAMETERS_LIMIT: usize = 6;
const WIDTH_LIMIT: usize = 100;
const FOLDER_LIMIT: usize = 15;

pub(super) const FILE_LINES: Rule = Rule {
    name: "file-lines",
    wants: "a source file has at most 800 lines besides its tests (a file of tests 1200)",
    check: Check::File(file_lines),
};

pub(super) const FUNCTION_LINES: Rule = Rule {
    name: "function-lines",
    wants: "the body of a function has at most 70 lines",
    check: Check::File(function_lines),
};

pub(super) const PARAMETERS: Rule = Rule {
    name: "parameters",
    wants: "a function takes at most 6 parameters besides self",
    check: Check::File(parameters),
};

pub(super) const LINE_WIDTH: Rule = Rule {
    name: "line-width",
    wants: "a line of source has at most 100 characters",
    check: Check::File(line_width),
};

pub(super) const FOLDER_FILES: Rule = Rule {
    name: "folder-files",
    wants: "a folder holds at most 15 source files, then it gets sub-folders",
    check: Check::Paths(folder_files),
};

fn file_lines(file: &File) -> Vec<Violation> {
    let Some(source) = &file.source else { return Vec::new() };
    let (lines, limit) = if file.is_test {
        (file.text.lines().count(), LONG_FILE_LINES_LIMIT)
    } else {
        let test_lines: usize = source
            .test_items()
            .iter()
            .map(|item| source.line_of(item.end - 1) - source.line_of(item.start) + 1)
            .sum();
        (file.text.lines().count() - test_lines, FILE_LINES_LIMIT)
    };
    if lines <= limit {
        return Vec::new();
    }
    let message = format!("{lines} lines (limit {limit})");
    vec![Violation::new("file-lines", &file.path, message).measuring(lines)]
}

fn function_lines(file: &File) -> Vec<Violation> {
    let Some(source) = &file.source else { return Vec::new() };
    let long = source.functions().into_iter().filter(|one| one.body_lines > FUNCTION_LINES_LIMIT);
    long.map(|one| {
        let message = format!("{} lines (limit {FUNCTION_LINES_LIMIT})", one.body_lines);
        Violation::new("function-lines", format!("{}::{}", file.path, one.name), message)
            .at_line(one.line)
            .measuring(one.body_lines)
    })
    .collect()
}

fn parameters(file: &File) -> Vec<Violation> {
    let Some(source) = &file.source else { return Vec::new() };
    let wide = source.functions().into_iter().filter(|one| one.parameters > PARAMETERS_LIMIT);
    wide.map(|one| {
        let message = format!("{} parameters (limit {PARAMETERS_LIMIT})", one.parameters);
        Violation::new("parameters", format!("{}::{}", file.path, one.name), message)
            .at_line(one.line)
            .measuring(one.parameters)
    })
    .collect()
}

fn line_width(file: &File) -> Vec<Violation> {
    if file.source.is_none() {
        return Vec::new();
    }
    let wide = file.text.lines().enumerate().filter(|(_, line)| {
        // An address cannot be broken.
        line.chars().count() > WIDTH_LIMIT && !line.contains("https://")
    });
    wide.map(|(at, line)| {
        let width = line.chars().count();
        let message = format!("{width} characters (limit {WIDTH_LIMIT})");
        Violation::new("line-width", &file.path, message).at_line(at + 1).measuring(width)
    })
    .collect()
}

fn folder_files(paths: &[String]) -> Vec<Violation> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths.iter().filter(|path| path.ends_with(".rs")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *counts.entry(folder).or_default() += 1;
    }
    let full = counts.into_iter().filter(|&(_, count)| count > FOLDER_LIMIT);
    full.map(|(folder, count)| {
        let message = format!("{count} source files (limit {FOLDER_LIMIT})");
        Violation::new("folder-files", folder, message).measuring(count)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(violations: &[Violation]) -> Vec<usize> {
        violations.iter().map(|violation| violation.measured).collect()
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let lines = "// line\n".repeat(800);
        assert!(file_lines(&File::new("src/a.rs", lines.clone())).is_empty());
        let with_tests = format!("{lines}#[cfg(test)]\nmod tests {{\n{lines}}}\n");
        assert!(file_lines(&File::new("src/a.rs", with_tests)).is_empty());
        let longer = format!("{lines}// one more\n");
        assert_eq!(measured(&file_lines(&File::new("src/a.rs", longer.clone()))), [801]);
        assert!(file_lines(&File::new("src/a/tests.rs", longer)).is_empty());
    }

    #[test]
    fn a_long_function_is_found_by_name() {
        let body = "    work();\n".repeat(70);
        assert!(function_lines(&File::new("a.rs", format!("fn f() {{\n{body}}}"))).is_empty());
        let longer = File::new("a.rs", format!("\nfn f() {{\n{body}    more();\n}}"));
        let found = function_lines(&longer);
        assert_eq!((found[0].place.as_str(), found[0].line), ("a.rs::f", 2));
        assert_eq!(measured(&found), [71]);
    }

    #[test]
    fn many_parameters_are_found() {
        let text = "fn f(&self, a: A, b: B, c: C, d: D, e: E, f: F) {}\n\
                    fn g(a: A, b: B, c: C, d: D, e: E, f: F, g: G) {}";
        assert_eq!(measured(&parameters(&File::new("a.rs", text.into()))), [7]);
    }

    #[test]
    fn wide_lines_are_found_by_characters_not_bytes() {
        assert!(line_width(&File::new("a.rs", "ä".repeat(100))).is_empty());
        assert_eq!(measured(&line_width(&File::new("a.rs", "a".repeat(101)))), [101]);
        assert!(line_width(&File::new("a.md", "a".repeat(101))).is_empty());
    }

    #[test]
    fn full_folders_are_found() {
        let mut paths: Vec<String> = (0..15).map(|n| format!("src/{n}.rs")).collect();
        paths.push("src/readme.md".into());
        assert!(folder_files(&paths).is_empty());
        paths.push("src/one_more.rs".into());
        assert_eq!(measured(&folder_files(&paths)), [16]);
    }
}
