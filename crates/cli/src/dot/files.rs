//! Dot commands that bring data in and out.
//!
//! Neighbours: `transfer` does the work, for the verbs as well.

use std::io::Write;

use super::{Argument, Command, NONE, command, two_dashes, usage};
use crate::failure::{Failure, Outcome};
use crate::shell::{Opening, Shell};
use crate::transfer::{self, Digest, Dump, Format, Import, program};

pub(super) const COMMANDS: &[Command] = &[
    command(
        "import",
        NONE,
        [
            "[OPTIONS] FILE|'|PROGRAM' [TABLE]",
            "read rows from a file or a program into a table",
            "The ending of FILE says how it is written; --csv, --tsv, --ascii, --json, --jsonl\n\
         say it too, as does `.mode csv|tsv|ascii` where the ending does not.\n\
         --skip N leaves lines out, --no-names says that the first line holds data, --all-text\n\
         keeps every value as text, --create fails when the table exists, --schema S means the\n\
         table S.TABLE.\n\
         A table that does not exist is created with types that fit the values. In one that\n\
         exists the first line is data where it does not name columns. Rows that are too short\n\
         end in NULLs and too many fields are left out, which is told of each.",
        ],
        Argument::File,
        import,
    ),
    command(
        "export",
        NONE,
        [
            "[FORMAT] FILE TABLE|QUERY",
            "write rows to a file",
            "FORMAT is csv, tsv, json, jsonl or sql; the file's ending decides without.",
        ],
        Argument::Word(&["csv", "tsv", "json", "jsonl", "sql"]),
        export,
    ),
    command(
        "dump",
        NONE,
        [
            "[FILE] [--data-only|--schema-only|--inserts] [--preserve-rowids] [TABLE ...]",
            "write the database as SQL",
            "TABLE is a pattern as LIKE has it.",
        ],
        Argument::File,
        dump,
    ),
    command(
        "recover",
        NONE,
        [
            "",
            "write what can be read of a damaged database as SQL",
            "Rows on damaged pages are left out and counted; everything else is written.",
        ],
        Argument::None,
        recover,
    ),
    command(
        "sha3sum",
        NONE,
        [
            "[--schema] [--sha3-224|--sha3-256|--sha3-384|--sha3-512] [PATTERN]",
            "one number for the content, the same as sqlite3 computes",
            "PATTERN names tables, as LIKE has it; --schema adds the definitions.",
        ],
        Argument::Table,
        sha3sum,
    ),
    command(
        "read",
        &["\\i"],
        ["FILE||PROGRAM", "run the statements of a file, or those that a program prints", ""],
        Argument::File,
        read,
    ),
    command(
        "backup",
        NONE,
        ["[--incremental] FILE", "back the database up", ""],
        Argument::File,
        backup,
    ),
    command(
        "restore",
        NONE,
        [
            "FILE [NEW]",
            "put a backup back",
            "The current branch gets what the backup holds, as one commit that can be undone; \
             with NEW the backup becomes a database of its own, with all of its branches, and the \
             shell goes on there.",
        ],
        Argument::File,
        restore,
    ),
    command(
        "save",
        &["clone"],
        [
            "FILE",
            "write the database to a new file",
            "What was in memory is then in FILE, and the shell goes on there; from a file it goes\n\
             on where it was.",
        ],
        Argument::File,
        save,
    ),
];

fn import(shell: &mut Shell, words: &[String]) -> Outcome {
    let mut import = Import { is_lenient: true, ..Import::default() };
    let mut names = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match two_dashes(word).as_ref() {
            "--csv" => import.format = Some(Format::Csv),
            "--tsv" => import.format = Some(Format::Tsv),
            "--ascii" => import.format = Some(Format::Ascii),
            "--json" => import.format = Some(Format::Json),
            "--jsonl" => import.format = Some(Format::Jsonl),
            "--create" => import.must_create = true,
            "--schema" => {
                let name = rest.next().cloned();
                import.schema = Some(name.ok_or_else(|| usage("import"))?);
            }
            "--no-names" => import.has_names = false,
            "--all-text" => import.all_text = true,
            "--skip" => {
                let count = rest.next().and_then(|word| word.parse().ok());
                import.skip = count.ok_or_else(|| usage("import"))?;
            }
            // How many rows there were is said without.
            "-v" => {}
            option if option.starts_with("--") => return Err(usage("import")),
            name => names.push(name.to_owned()),
        }
    }
    // `.mode csv` before `.import` is how sqlite3 says what the file is.
    if import.format.is_none()
        && Format::of_path(names.first().map_or("", String::as_str)).is_none()
    {
        import.format = match shell.settings.mode {
            crate::output::Mode::Csv => Some(Format::Csv),
            crate::output::Mode::Tsv => Some(Format::Tsv),
            crate::output::Mode::Ascii => Some(Format::Ascii),
            _ => None,
        };
    }
    import.separator.clone_from(&shell.settings.separator);
    match names.as_slice() {
        [file] => import.file.clone_from(file),
        [file, table] => {
            import.file.clone_from(file);
            import.table = Some(table.clone());
        }
        _ => return Err(usage("import")),
    }
    import.program = program::command_of(&import.file).map(str::to_owned);
    if import.program.is_some() && import.format.is_none() {
        import.format = Some(Format::Csv);
    }
    if import.program.is_some() && import.table.is_none() {
        return Err(Failure::usage("which table? a program has no name to go by"));
    }
    let rows = transfer::import(shell, &import)?;
    shell.say(format_args!("Imported {rows} rows"))
}

fn export(shell: &mut Shell, words: &[String]) -> Outcome {
    let (format, file, what) = match words {
        [file, what] => (None, file, what),
        [format, file, what] => {
            let Some(format) = Format::find(format) else {
                return Err(Failure::usage(format!("there is no format {format}"))
                    .with_hint("one of csv, tsv, json, jsonl, sql"));
            };
            (Some(format), file, what)
        }
        _ => return Err(usage("export")),
    };
    transfer::export(shell, file, what, format)?;
    shell.say(format_args!("Exported to '{file}'"))
}

fn dump(shell: &mut Shell, words: &[String]) -> Outcome {
    let mut dump = Dump::default();
    let mut file = None;
    for word in words {
        match two_dashes(word).as_ref() {
            // Texts are written with their line breaks anyway, and no table is the system's.
            "--newlines" | "--nosys" => {}
            "--data-only" | "--inserts" => dump.schema = false,
            "--schema-only" => dump.data = false,
            "--preserve-rowids" => dump.rowids = true,
            option if option.starts_with("--") => return Err(usage("dump")),
            name => {
                // A name with a dot or a slash is a file; sqlite3's argument is a table.
                if file.is_none() && name.contains(['.', '/']) {
                    file = Some(name.to_owned());
                } else {
                    dump.tables.push(name.to_owned());
                }
            }
        }
    }
    let Some(file) = file else { return transfer::dump_to_sink(shell, &dump) };
    transfer::dump_to_file(shell, &dump, &file)?;
    shell.say(format_args!("Exported to '{file}'"))
}

fn recover(shell: &mut Shell, words: &[String]) -> Outcome {
    if words.is_empty() { transfer::recover(shell) } else { Err(usage("recover")) }
}

fn sha3sum(shell: &mut Shell, words: &[String]) -> Outcome {
    let mut digest = Digest::default();
    for word in words {
        match two_dashes(word).as_ref() {
            "--schema" => digest.schema = true,
            "--sha3-224" => digest.bits = 224,
            "--sha3-256" => digest.bits = 256,
            "--sha3-384" => digest.bits = 384,
            "--sha3-512" => digest.bits = 512,
            pattern if digest.pattern.is_none() && !pattern.starts_with("--") => {
                digest.pattern = Some(pattern.to_owned());
            }
            _ => return Err(usage("sha3sum")),
        }
    }
    let sum = transfer::digest(shell, &digest)?;
    Ok(writeln!(shell.sink, "{sum}")?)
}

fn read(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [first, ..] if first.starts_with('|') => {
            let all = words.join(" ");
            shell.run_program(program::command_of(&all).unwrap_or_default())
        }
        [file] => shell.run_file(file),
        _ => Err(usage("read")),
    }
}

fn backup(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [option, base, file] if option == "--incremental" => {
            transfer::backup(shell, file, Some(base))
        }
        // sqlite3 may name the database first.
        [file] => transfer::backup(shell, file, None),
        [database, file] if database == "main" => transfer::backup(shell, file, None),
        _ => Err(usage("backup")),
    }
}

fn restore(shell: &mut Shell, words: &[String]) -> Outcome {
    let (file, target) = match words {
        [file] => return transfer::restore_here(shell, file),
        // sqlite3 may name the database first.
        [database, file] if database == "main" => return transfer::restore_here(shell, file),
        [file, target] => (file, target),
        _ => return Err(usage("restore")),
    };
    transfer::restore_to(shell, std::slice::from_ref(file), target)?;
    let user = shell.opening.user.clone();
    shell.reopen(Opening { path: target.clone(), read_only: false, create: false, user })
}

fn save(shell: &mut Shell, words: &[String]) -> Outcome {
    let [file] = words else { return Err(usage("save")) };
    let literal = crate::output::quote::literal(pandodb::ValueRef::Text(file.as_bytes()));
    shell.execute(&format!("VACUUM INTO {literal}"))?;
    shell.say(format_args!("Saved to '{file}'"))?;
    if shell.opening.path != ":memory:" {
        return Ok(());
    }
    let user = shell.opening.user.clone();
    shell.reopen(Opening { path: file.clone(), read_only: false, create: false, user })
}
