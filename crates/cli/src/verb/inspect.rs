//! Verbs that look at the whole database: check, stat, info, compact.
//!
//! Neighbours: `transfer` copies it.

use std::io::Write;

use pandodb::Value;

use crate::arguments::CheckArguments;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::output::width::{Align, push_padded, width};
use crate::progress::Progress;
use crate::shell::Shell;

const BAR: usize = 40;

/// Checks, or shows one of the facts that were asked for.
pub(super) fn check(shell: &mut Shell, check: &CheckArguments) -> Outcome<Exit> {
    let mut only_facts = false;
    if check.info {
        info(shell)?;
        only_facts = true;
    }
    if check.tables {
        crate::dot::run(shell, "tables")?;
        only_facts = true;
    }
    if let Some(table) = &check.schema {
        let pattern = if table.is_empty() { "%" } else { table };
        crate::dot::run(shell, &format!("schema '{}'", pattern.replace('\'', "''")))?;
        only_facts = true;
    }
    if check.indexes {
        crate::dot::run(shell, "indexes")?;
        only_facts = true;
    }
    if check.pages {
        shell.show_query("PRAGMA storage_info", &[])?;
        only_facts = true;
    }
    if only_facts && !check.check && !check.quick {
        return Ok(Exit::Success);
    }
    if check.verbose && !shell.is_for_programs() {
        if !check.info {
            info(shell)?;
        }
        contents(shell)?;
    }
    let progress = Progress::rows(shell, "checking");
    let pragma = if check.quick { "PRAGMA quick_check" } else { "PRAGMA integrity_check" };
    let found = shell.query_texts(pragma, &[]);
    progress.end(shell);
    let found = found?;
    if shell.is_for_programs() {
        let rows: Vec<Vec<Value>> = found.iter().map(|it| vec![it.as_str().into()]).collect();
        shell.show_values(&["integrity_check"], &rows)?;
    } else {
        for line in &found {
            writeln!(shell.sink, "{line}")?;
        }
    }
    Ok(if found == ["ok"] { Exit::Success } else { Exit::Corrupt })
}

/// Facts about the database in a few lines.
pub(super) fn info(shell: &mut Shell) -> Outcome {
    let path = shell.opening.path.clone();
    let branch = shell.connection.current_branch();
    if shell.is_for_programs() {
        let mut columns = vec!["database", "bytes", "branch_name"];
        let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
        let bytes = Value::from(i64::try_from(bytes).unwrap_or(i64::MAX));
        let mut row = vec![path.into(), bytes, branch.into()];
        for (label, kind) in KINDS {
            columns.push(label);
            row.push(Value::from(count_of(shell, kind)?));
        }
        return shell.show_values(&columns, &[row]);
    }
    writeln!(shell.sink, "database: {path}")?;
    if let Ok(file) = std::fs::metadata(&path) {
        writeln!(shell.sink, "size:     {}", bytes(file.len()))?;
    }
    writeln!(shell.sink, "branch:   {branch}")?;
    for (label, kind) in KINDS {
        let count = count_of(shell, kind)?;
        writeln!(shell.sink, "{:9} {count}", format!("{label}:"))?;
    }
    Ok(())
}

/// The tables with their rows, and the indexes of each.
fn contents(shell: &mut Shell) -> Outcome {
    for (table, rows) in table_rows(shell)? {
        let (name, noun) = (shell.shown(&table), if rows == 1 { "row" } else { "rows" });
        writeln!(shell.sink, "table {name}: {rows} {noun}")?;
        let indexes = "SELECT name FROM pragma_index_list(?1) ORDER BY name";
        for index in shell.query_texts(indexes, &[table.as_str().into()])? {
            let index = shell.shown(&index);
            writeln!(shell.sink, "  index {index}")?;
        }
    }
    Ok(())
}

/// The tables of the current branch by name, each with how many rows it has.
fn table_rows(shell: &Shell) -> Outcome<Vec<(String, u64)>> {
    let tables = shell.query_texts(
        "SELECT name FROM sqlite_schema WHERE type = 'table' \
         AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
        &[],
    )?;
    let mut counts = Vec::with_capacity(tables.len());
    for table in tables {
        let sql = format!("SELECT count(*) FROM {}", crate::output::quote::identifier(&table));
        let count: u64 = shell.connection.query_row(&sql, (), |row| row.get(0))?;
        counts.push((table, count));
    }
    Ok(counts)
}

/// What is counted, and what the schema calls it.
const KINDS: [(&str, &str); 4] =
    [("tables", "table"), ("indexes", "index"), ("views", "view"), ("triggers", "trigger")];

fn count_of(shell: &Shell, kind: &str) -> Outcome<i64> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = ?1 \
               AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    Ok(shell.connection.query_row(sql, [kind], |row| row.get(0))?)
}

/// A number of bytes as people say it.
pub(super) fn bytes(count: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} bytes") } else { format!("{value:.1} {}", units[unit]) }
}

/// Storage figures; rows of tables and sizes of tables, indexes and branches as pictures of bars.
pub(super) fn stat(shell: &mut Shell) -> Outcome {
    if shell.is_for_programs() {
        return shell.show_query("SELECT * FROM pando_sizes ORDER BY total_bytes DESC", &[]);
    }
    info(shell)?;
    let mut counts = table_rows(shell)?;
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if !counts.is_empty() {
        writeln!(shell.sink, "\nrows")?;
        let text = bars(&counts);
        shell.sink.write_all(text.as_bytes())?;
    }
    size_figures(shell)?;
    storage_figures(shell)
}

/// The bytes of tables and indexes of the current branch, and of all branches.
fn size_figures(shell: &mut Shell) -> Outcome {
    let current = shell.connection.current_branch();
    let sql = "SELECT branch_name, object_type, object_name, own_bytes, shared_bytes \
               FROM pando_sizes ORDER BY total_bytes DESC";
    let mut by_kind: [(&str, Vec<Bar>); 3] =
        [("tables", Vec::new()), ("indexes", Vec::new()), ("branches", Vec::new())];
    {
        let mut statement = shell.connection.prepare(sql)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let (branch, kind): (String, String) = (row.get(0)?, row.get(1)?);
            let (own, shared) = (row.get(3)?, row.get(4)?);
            match kind.as_str() {
                "branch" => by_kind[2].1.push(Bar { name: branch, own, shared, freed: None }),
                "index" if branch == current => {
                    by_kind[1].1.push(Bar { name: row.get(2)?, own, shared, freed: None });
                }
                _ if branch == current => {
                    by_kind[0].1.push(Bar { name: row.get(2)?, own, shared, freed: None });
                }
                _ => {}
            }
        }
    }
    for (label, sizes) in by_kind.iter().filter(|(_, sizes)| !sizes.is_empty()) {
        writeln!(shell.sink, "\nbytes of {label} (█ alone, ░ shared with other branches)")?;
        let text = size_bars(sizes);
        shell.sink.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn storage_figures(shell: &mut Shell) -> Outcome {
    let mut figures = Vec::new();
    {
        let mut statement = match shell.connection.prepare("PRAGMA storage_info") {
            // Its figures are above as well.
            Err(error) if error.kind() == pandodb::ErrorKind::NotFound => return Ok(()),
            prepared => prepared?,
        };
        let mut rows = statement.raw_query();
        if let Some(row) = rows.next()? {
            for at in 0..row.column_count() {
                let name = row.column_name(at).unwrap_or("").replace('_', " ");
                // The bars above show it better.
                if name == "branch bytes" {
                    continue;
                }
                figures.push((name, row.get_ref(at)?.to_string()));
            }
        }
    }
    let wide = figures.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    if !figures.is_empty() {
        writeln!(shell.sink, "\nstorage")?;
    }
    for (name, value) in figures {
        writeln!(shell.sink, "  {name:wide$}  {value}")?;
    }
    Ok(())
}

/// Bytes of something, in two parts.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) own: u64,
    pub(super) shared: u64,
    /// What dropping it gives back, where that is known and worth a word.
    pub(super) freed: Option<u64>,
}

/// Names, bytes, and bars whose first part is what is there alone.
pub(super) fn size_bars(sizes: &[Bar]) -> String {
    let most = sizes.iter().map(|size| size.own + size.shared).max().unwrap_or(0).max(1);
    let names = sizes.iter().map(|size| width(&size.name)).max().unwrap_or(0);
    let figures: Vec<String> = sizes.iter().map(figures).collect();
    let room = figures.iter().map(String::len).max().unwrap_or(0).max(36);
    let mut text = String::new();
    for (size, figures) in sizes.iter().zip(figures) {
        let part = |count: u64| {
            let length = (u128::from(count) * BAR as u128).div_ceil(u128::from(most));
            usize::try_from(length).unwrap_or(BAR)
        };
        text.push_str("  ");
        push_padded(&size.name, names, Align::Left, &mut text);
        let bar = format!("{}{}", "█".repeat(part(size.own)), "░".repeat(part(size.shared)));
        text.push_str(format!("  {figures:<room$}  {bar}").trim_end());
        text.push('\n');
    }
    text
}

fn figures(size: &Bar) -> String {
    let figures = format!("{} alone, {} shared", bytes(size.own), bytes(size.shared));
    match size.freed {
        Some(freed) => format!("{figures}, {} freed by dropping it", bytes(freed)),
        None => figures,
    }
}

/// Names, numbers, and bars that compare them.
fn bars(counts: &[(String, u64)]) -> String {
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let names = counts.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let digits = most.to_string().len();
    let mut text = String::new();
    for (name, count) in counts {
        text.push_str("  ");
        push_padded(name, names, Align::Left, &mut text);
        let eighths = (u128::from(*count) * (BAR as u128 * 8)).div_ceil(u128::from(most)) as usize;
        let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
        let bar = format!("{}{part}", "█".repeat(eighths / 8));
        text.push_str(format!("  {count:>digits$}  {bar}").trim_end());
        text.push('\n');
    }
    text
}

/// Gives free space back.
pub(super) fn compact(shell: &mut Shell) -> Outcome {
    let path = shell.opening.path.clone();
    let size = || std::fs::metadata(&path).map_or(0, |file| file.len());
    let before = size();
    let progress = Progress::rows(shell, "compacting");
    let outcome = shell.execute("VACUUM");
    progress.end(shell);
    outcome?;
    shell.say(format_args!("Compacted: {} before, {} now", bytes(before), bytes(size())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_compare_by_eighths() {
        let counts = [("tree".to_owned(), 80), ("森".to_owned(), 1), ("empty".to_owned(), 0)];
        let full = "█".repeat(40);
        assert_eq!(bars(&counts), format!("  tree   80  {full}\n  森      1  ▌\n  empty   0\n"));
    }

    #[test]
    fn what_is_there_alone_stands_before_what_is_shared() {
        let bar = |name: &str, own, shared| Bar { name: name.to_owned(), own, shared, freed: None };
        let text = size_bars(&[bar("main", 3072, 1024), bar("dev", 0, 1024)]);
        let (own, shared) = ("█".repeat(30), "░".repeat(10));
        let expected = format!(
            "  main  3.0 KiB alone, 1.0 KiB shared         {own}{shared}\n  \
             dev   0 bytes alone, 1.0 KiB shared         {shared}\n"
        );
        pandodb_testkit::assert_same_text(&expected, &text);
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
    }
}
