//! Dot commands about what is in the database.
//!
//! Neighbours: `schema` (definitions), `files` (data in and out), `branching` (branches).

use std::io::Write;

use pandodb::Value;

use super::schema::{full_schema, indexes, schema, tables, write_names};
use super::{Argument, Command, NONE, command, switch, two_dashes, usage};
use crate::failure::Outcome;
use crate::output::quote;
use crate::output::width::width;
use crate::shell::{Opening, Plan, Shell};

const SWITCH: Argument = Argument::Word(&["on", "off"]);

pub(super) const COMMANDS: &[Command] = &[
    command(
        "tables",
        &["\\dt"],
        [
            "[PATTERN]",
            "list tables and views",
            "PATTERN is one as LIKE has it (.tables user%), or GLOB (.tables user*).\n\
         What is not in main has the name of its database before its own.",
        ],
        Argument::Table,
        tables,
    ),
    command(
        "schema",
        NONE,
        [
            "[--indent] [PATTERN]",
            "show CREATE statements",
            "PATTERN names tables, views, indexes or triggers, as LIKE or GLOB have it, or those\n\
         of a database: aux.%. --indent gives each column of a long one a line.",
        ],
        Argument::Table,
        schema,
    ),
    command(
        "fullschema",
        NONE,
        ["[--indent]", "show CREATE statements and what ANALYZE found", ""],
        Argument::None,
        full_schema,
    ),
    command(
        "indexes",
        &["\\di", "indices"],
        ["[TABLE]", "list indexes", ""],
        Argument::Table,
        indexes,
    ),
    command(
        "describe",
        &["\\d", "desc"],
        ["[TABLE]", "show the columns of a table, or list tables", ""],
        Argument::Table,
        describe,
    ),
    command("databases", &["\\l"], ["", "list open databases", ""], Argument::None, databases),
    command(
        "open",
        NONE,
        [
            "[--readonly] [FILE]",
            "open another database",
            "Without FILE a new database in memory is opened.",
        ],
        Argument::File,
        open,
    ),
    command("ext", &["extensions"], ["", "list what is built in", ""], Argument::None, extensions),
    command("functions", &["\\df"], ["[PATTERN]", "list functions", ""], Argument::None, functions),
    command(
        "parameter",
        &["param"],
        [
            "set NAME VALUE | unset NAME | list | clear",
            "values for :name, @name, $name and ?1",
            "VALUE is a SQL expression: .param set :height 23.5, .param set :born date('now').\n\
         What is none is text: .param set :name 'old oak'.",
        ],
        Argument::Word(&["set", "unset", "list", "clear"]),
        parameter,
    ),
    command(
        "explain",
        &["eqp"],
        [
            "on|off|full",
            "show the plan of each query before it runs",
            "full adds what EXPLAIN says of it.",
        ],
        Argument::Word(&["on", "off", "full"]),
        explain,
    ),
    command(
        "expert",
        NONE,
        [
            "[--verbose] [--sample PERCENT]",
            "tell which indexes would help the next statements",
            "They are planned with indexes that do not exist, and not run; --verbose lists every\n\
         index that was tried, --sample tells how many of the rows to look at.",
        ],
        Argument::None,
        super::limits::expert,
    ),
    command(
        "limit",
        &["limits"],
        [
            "[NAME [VALUE]]",
            "show or set the limits of the connection",
            "NAME may be cut short; -1 for VALUE leaves it as it is.",
        ],
        Argument::Word(&[
            "length",
            "sql_length",
            "column",
            "expr_depth",
            "compound_select",
            "vdbe_op",
            "function_arg",
            "attached",
            "like_pattern_length",
            "variable_number",
            "trigger_depth",
            "worker_threads",
        ]),
        super::limits::limit,
    ),
    command("check", &["integrity"], ["[--quick]", "look for damage", ""], Argument::None, check),
    command(
        "stats",
        &["dbinfo"],
        ["[on|off]", "show storage figures, now or after each statement", ""],
        SWITCH,
        stats,
    ),
    command(
        "timeout",
        NONE,
        ["MILLISECONDS", "wait so long for what is busy", ""],
        Argument::None,
        timeout,
    ),
];

/// What is built in: a name, a function that is there with it, what it is.
const EXTENSIONS: &[(&str, &str, &str)] = &[
    ("datetime", "strftime", "date and time functions with modifiers"),
    ("json", "json_extract", "JSON and JSONB functions"),
    ("math", "sin", "mathematical functions"),
    ("percentile", "percentile", "median and percentiles"),
    ("regexp", "regexp", "regular expressions"),
    ("series", "generate_series", "generate_series as a table"),
    ("window", "row_number", "window functions"),
];

fn describe(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => shell.show_query(
            "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') \
             AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1",
            &[],
        ),
        [table] => {
            let columns = shell.columns_of(table)?;
            if columns.is_empty() {
                return Err(shell.no_such_table(table));
            }
            let word =
                |is_so: bool, word: String| Value::from(if is_so { word } else { String::new() });
            let rows: Vec<Vec<Value>> = columns
                .into_iter()
                .map(|column| {
                    vec![
                        Value::from(column.name),
                        Value::from(column.declared),
                        word(column.is_not_null, "not null".to_owned()),
                        Value::from(column.default.unwrap_or_default()),
                        word(column.key > 0, format!("key {}", column.key)),
                    ]
                })
                .collect();
            shell.show_values(&["name", "type", "null", "default", "key"], &rows)
        }
        _ => Err(usage("describe")),
    }
}

fn databases(shell: &mut Shell, _: &[String]) -> Outcome {
    shell.show_query("PRAGMA database_list", &[])
}

fn open(shell: &mut Shell, words: &[String]) -> Outcome {
    // Who it is stays, whatever is opened.
    let user = shell.opening.user.clone();
    let mut opening = Opening { path: ":memory:".into(), read_only: false, create: true, user };
    for word in words {
        match two_dashes(word).as_ref() {
            "--readonly" => opening.read_only = true,
            option if option.starts_with("--") => return Err(usage("open")),
            path => path.clone_into(&mut opening.path),
        }
    }
    shell.reopen(opening)
}

fn extensions(shell: &mut Shell, _: &[String]) -> Outcome {
    for (name, probe, about) in EXTENSIONS {
        let sql = "SELECT count(*) FROM pragma_function_list WHERE name = ?1";
        if shell.query_texts(sql, &[(*probe).into()])? != ["0"] {
            writeln!(shell.sink, "{name:10} {about}")?;
        }
    }
    Ok(())
}

fn functions(shell: &mut Shell, words: &[String]) -> Outcome {
    let pattern = words.first().map_or("%", String::as_str);
    let sql = "SELECT DISTINCT name FROM pragma_function_list WHERE name LIKE ?1 ORDER BY 1";
    let names = shell.query_texts(sql, &[pattern.into()])?;
    write_names(shell, &names)
}

fn parameter(shell: &mut Shell, words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["set", name, value @ ..] if !value.is_empty() => {
            let text = value.join(" ");
            // As in sqlite3: what is no expression is text.
            let value = match shell.connection.prepare(&format!("SELECT {text}")) {
                Ok(mut expression) => expression.query_row((), |row| row.get(0))?,
                Err(_) => Value::from(text.as_str()),
            };
            shell.parameters.insert((*name).to_owned(), value);
            Ok(())
        }
        ["unset", name] => {
            shell.parameters.remove(*name);
            Ok(())
        }
        ["clear"] => {
            shell.parameters.clear();
            Ok(())
        }
        ["init"] => Ok(()),
        [] | ["list"] => {
            let wide = shell.parameters.keys().map(|name| width(name)).max().unwrap_or(0);
            for (name, value) in &shell.parameters {
                writeln!(shell.sink, "{name:wide$} {}", quote::literal_of(value))?;
            }
            Ok(())
        }
        _ => Err(usage("parameter")),
    }
}

fn explain(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else { return Err(usage("explain")) };
    shell.switches.plan = match word.as_str() {
        "full" => Plan::Full,
        // sqlite3's word; what triggers do is part of no plan here.
        "trigger" => Plan::Short,
        word if switch("explain", word)? => Plan::Short,
        _ => Plan::None,
    };
    Ok(())
}

fn check(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => shell.show_query("PRAGMA integrity_check", &[]),
        [quick] if quick == "--quick" => shell.show_query("PRAGMA quick_check", &[]),
        _ => Err(usage("check")),
    }
}

fn stats(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => shell.show_query("PRAGMA storage_info", &[]),
        [word] => {
            shell.switches.stats = switch("stats", word)?;
            Ok(())
        }
        _ => Err(usage("stats")),
    }
}

fn timeout(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else { return Err(usage("timeout")) };
    let milliseconds = word.parse().map_err(|_| usage("timeout"))?;
    Ok(shell.connection.busy_timeout(std::time::Duration::from_millis(milliseconds))?)
}
