//! Reading corpora: `.test` files of sqllogictest (also packed with zstd) and `.sqltest` files.
//!
//! Both are line formats; a file becomes a list of [`Script`]s, each with what to run first.
//! Neighbours: `parse`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What belongs together: statements that run in order on a fresh database.
pub(crate) struct Script {
    /// Where it stands, for reports.
    pub(crate) name: String,
    /// Texts of one or more statements each.
    pub(crate) texts: Vec<Text>,
}

/// SQL with what the corpus says of it.
pub(crate) struct Text {
    /// The SQL.
    pub(crate) sql: String,
    /// Whether it must run without an error; unknown for `.sqltest`.
    pub(crate) succeeds: Option<bool>,
}

/// All corpus files at or below `path`, in order.
pub(crate) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let known =
            [".test", ".test.zst", ".slt", ".sqltest"].iter().any(|end| name.ends_with(end));
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if known {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a file, unpacked.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let packed = path.extension().is_some_and(|extension| extension == "zst");
    let bytes = if packed { zstd::stream::decode_all(bytes.as_slice())? } else { bytes };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The scripts of a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Script>> {
    let name = path.display().to_string();
    let text = text(path)?;
    if name.ends_with(".sqltest") {
        return Ok(blocks(&name, &text));
    }
    Ok(vec![Script { name, texts: records(&text) }])
}

/// The records of a sqllogictest file that apply to SQLite.
fn records(text: &str) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut lines = text.lines();
    let mut applies = true;
    while let Some(line) = lines.next() {
        let mut words = line.split_whitespace();
        let kind = words.next();
        let argument = words.next();
        match kind {
            Some("skipif") => applies &= argument != Some("sqlite"),
            Some("onlyif") => applies &= argument == Some("sqlite"),
            Some("halt") if applies => break,
            Some("statement" | "query") => {
                let sql: Vec<&str> = lines
                    .by_ref()
                    .take_while(|line| !line.trim().is_empty() && *line != "----")
                    .collect();
                if applies {
                    let succeeds = Some(argument != Some("error"));
                    texts.push(Text { sql: sql.join("\n"), succeeds });
                }
                applies = true;
            }
            Some("halt") => applies = true,
            _ => {}
        }
    }
    texts
}

/// The tests of a `.sqltest` file, each behind the set-ups it asks for.
fn blocks(file: &str, text: &str) -> Vec<Script> {
    let mut scripts = Vec::new();
    let mut setups: HashMap<&str, String> = HashMap::new();
    let mut wanted: Vec<&str> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["@setup", name, ..] => wanted.push(name),
            [kind @ ("setup" | "test" | "snapshot"), name, .., "{"] => {
                let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
                let body = body.join("\n");
                if *kind == "setup" {
                    setups.insert(name, body);
                    continue;
                }
                let setups = wanted.drain(..).filter_map(|name| setups.get(name).cloned());
                let texts = setups.chain([body]).map(|sql| Text { sql, succeeds: None }).collect();
                scripts.push(Script { name: format!("{file}: {name}"), texts });
            }
            ["expect", .., "{"] => while lines.next().is_some_and(|line| line != "}") {},
            _ => {}
        }
    }
    scripts
}
