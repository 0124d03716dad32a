//! Dot commands about how results are shown and where they go.
//!
//! Neighbours: `crate::output` has the modes.

use std::io::Write;

use super::words::unescape;
use super::{Argument, Command, NONE, command, switch, usage};
use crate::failure::{Failure, Outcome};
use crate::output::escape::Escape;
use crate::output::own;
use crate::output::sink::Sink;
use crate::output::{Cells, LargeNumbers, MODES, Mode, QUOTED_BOX};
use crate::shell::Shell;
use crate::terminal::Terminal;

const SWITCH: Argument = Argument::Word(&["on", "off"]);

const MODE_NAMES: &[&str] = &[
    "ascii", "box", "column", "csv", "html", "insert", "json", "jsonl", "line", "list", "markdown",
    "qbox", "quote", "table", "tcl", "tsv",
];

pub(super) const COMMANDS: &[Command] = &[
    command(
        "mode",
        NONE,
        [
            "[MODE] [TABLE] [OPTIONS]",
            "how rows are shown",
            "box table column csv tsv json jsonl line list markdown html insert quote tcl ascii\n\
         qbox is box --wrap 60 --quote; ascii puts the characters 31 and 30 behind values.\n\
         `.mode insert TABLE` names the table of the INSERT statements.\n\
         --quote shows values as SQL literals in box, table, column and markdown; --noquote\n\
         shows them as they are.\n\
         --wrap N breaks lines that are wider than N (not in markdown),\n\
         --wordwrap on|off says whether between words; --ww is --wordwrap on.\n\
         --escape HOW control characters are shown: ascii (^[), symbol, or off. Without it they\n\
         are shown on a terminal and in modes for people; files and pipes get texts as they are.",
        ],
        Argument::Word(MODE_NAMES),
        mode,
    ),
    command("headers", &["header"], ["on|off", "name the columns first", ""], SWITCH, headers),
    command("nullvalue", NONE, ["TEXT", "what to show for NULL", ""], Argument::None, nullvalue),
    command(
        "separator",
        NONE,
        [
            "COLUMNS [ROWS]",
            "what stands between columns and behind rows",
            "Escapes such as \\t and \\n are understood.",
        ],
        Argument::None,
        separator,
    ),
    command(
        "width",
        NONE,
        [
            "N ...",
            "widths of columns, negative ones aligned to the right",
            "Without numbers every width is free again; 0 leaves one free.",
        ],
        Argument::None,
        width,
    ),
    command(
        "maxrows",
        NONE,
        ["N", "show only the first and last rows of longer results", "0 shows all."],
        Argument::None,
        maxrows,
    ),
    command(
        "maxwidth",
        NONE,
        ["N|auto", "how wide a line may be", "0 is as wide as it needs; auto is the screen."],
        Argument::Word(&["auto"]),
        maxwidth,
    ),
    command(
        "output",
        NONE,
        [
            "[FILE|stdout||PROGRAM]",
            "send output to a file or a program",
            "`.output |less` pipes it. Without an argument it goes to the screen again.",
        ],
        Argument::File,
        output,
    ),
    command(
        "once",
        NONE,
        [
            "[-e|-x|FILE||PROGRAM]",
            "the same for the next statement only",
            "-x shows it in a spreadsheet, -e in a text editor.",
        ],
        Argument::File,
        once,
    ),
    command(
        "excel",
        NONE,
        ["", "show the rows of the next statement in a spreadsheet", ""],
        Argument::None,
        excel,
    ),
    command(
        "columns",
        NONE,
        ["", "show results column by column: a line for each column", "For the aligned modes."],
        Argument::None,
        columns,
    ),
    command("rows", NONE, ["", "show results row by row again", ""], Argument::None, rows),
    command(
        "large_number_rendering",
        NONE,
        [
            "all|footer|off",
            "show large numbers in words in boxes",
            "footer: below a result of one row; all: in the place of the number.",
        ],
        Argument::Word(&["all", "footer", "off"]),
        large_numbers,
    ),
    command(
        "expanded",
        &["\\x"],
        ["", "switch between one column a line and tables", ""],
        Argument::None,
        expanded,
    ),
    command(
        "pager",
        NONE,
        ["on|off", "use a pager for results longer than the screen", ""],
        SWITCH,
        pager,
    ),
    command("color", &["highlight"], ["on|off", "use colours", ""], SWITCH, color),
    command(
        "changes",
        NONE,
        ["on|off", "say how many rows a statement changed", ""],
        SWITCH,
        changes,
    ),
    command("echo", NONE, ["on|off", "print statements before they run", ""], SWITCH, echo),
    command(
        "trace",
        NONE,
        [
            "[OPTIONS] FILE|stdout|stderr|off",
            "write statements somewhere as they run",
            "--expanded puts values in for parameters, --normalized question marks for values;\n\
             --profile writes each when it has ended, with the time it took.",
        ],
        Argument::File,
        super::watch::trace,
    ),
    command(
        "auth",
        NONE,
        [
            "on|off",
            "show what statements ask the authorizer for",
            "A line for each action: its name, its operands, the database, and the view or\n\
             trigger that does it. Everything is allowed.",
        ],
        Argument::Word(&["on", "off"]),
        super::authorize::auth,
    ),
    command(
        "progress",
        NONE,
        [
            "on|off | N [--limit M] [--once] [--quiet]",
            "show progress bars at a terminal, or count rows",
            "With a number a line is printed about every N rows that a statement works on;\n\
             --limit stops the statement after so many lines, --once does so once only.",
        ],
        SWITCH,
        progress,
    ),
    command(
        "timer",
        &["\\timing"],
        ["on|off", "say how long each statement took", ""],
        SWITCH,
        timer,
    ),
    command("print", NONE, ["TEXT ...", "print text", ""], Argument::None, print),
];

/// What `.mode` was asked for beside the mode.
#[derive(Default)]
struct ModeOptions {
    escape: Option<Escape>,
    has_quotes: Option<bool>,
    wrap: Option<usize>,
    keeps_words: Option<bool>,
}

impl ModeOptions {
    /// Whether one of those for texts in the aligned modes was named.
    const fn is_of_cells(&self) -> bool {
        self.has_quotes.is_some() || self.wrap.is_some() || self.keeps_words.is_some()
    }

    /// The options put upon what there was. As in sqlite3 a width alone breaks words, too.
    fn cells(&self, before: Cells) -> Cells {
        let breaks = before.wrap.is_some() || self.wrap.is_some();
        let keeps_words = if breaks && before.wrap.is_none() { false } else { before.keeps_words };
        Cells {
            has_quotes: self.has_quotes.unwrap_or(before.has_quotes),
            wrap: self.wrap.map_or(before.wrap, |wrap| Some(wrap).filter(|wrap| *wrap > 0)),
            keeps_words: self.keeps_words.unwrap_or(keeps_words),
        }
    }
}

fn mode(shell: &mut Shell, words: &[String]) -> Outcome {
    let (words, options) = mode_options(words)?;
    let (name, table) = match words.as_slice() {
        [] if options.escape.is_some() || options.is_of_cells() => {
            shell.settings.escape = options.escape.or(shell.settings.escape);
            shell.settings.cells = options.cells(shell.settings.cells);
            return Ok(());
        }
        [] => return tell_mode(shell),
        [name] => (name, None),
        [name, table] => (name, Some(table)),
        _ => return Err(usage("mode")),
    };
    let is_quoted_box = name.eq_ignore_ascii_case(QUOTED_BOX);
    let Some(mode) = (if is_quoted_box { Some(Mode::Box) } else { Mode::find(name) }) else {
        let mut names: Vec<&str> = MODES.iter().map(|(_, name, ..)| *name).collect();
        names.push(QUOTED_BOX);
        return Err(Failure::usage(format!("there is no mode {name}"))
            .with_hint(format!("one of {}", names.join(", "))));
    };
    let plain = if is_quoted_box {
        Cells { has_quotes: true, wrap: Some(60), keeps_words: false }
    } else {
        Cells::default()
    };
    shell.settings.mode = mode;
    shell.settings.cells = options.cells(plain);
    shell.settings.escape = options.escape.or(shell.settings.escape);
    // Separators belong to the mode that they were set for.
    shell.settings.separator = None;
    shell.settings.row_separator = None;
    if let Some(table) = table {
        shell.settings.insert_table.clone_from(table);
    }
    Ok(())
}

/// The mode with what differs from it.
fn tell_mode(shell: &mut Shell) -> Outcome {
    let settings = &shell.settings;
    let mut text = settings.mode.name().to_owned();
    if let Some(wrap) = settings.cells.wrap {
        let keeps_words = if settings.cells.keeps_words { "on" } else { "off" };
        text.push_str(&format!(" --wrap {wrap} --wordwrap {keeps_words}"));
    }
    if settings.cells.has_quotes {
        text.push_str(" --quote");
    }
    if let Some(escape) = settings.escape {
        text.push_str(&format!(" --escape {}", escape.name()));
    }
    Ok(writeln!(shell.sink, "current output mode: {text}")?)
}

/// The words without options, and what these say.
fn mode_options(words: &[String]) -> Outcome<(Vec<&String>, ModeOptions)> {
    let (mut others, mut options) = (Vec::new(), ModeOptions::default());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let option = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
        let Some(option) = option.filter(|option| !option.is_empty()) else {
            others.push(word);
            continue;
        };
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        let mut needed =
            || value.or_else(|| rest.next().map(String::as_str)).ok_or_else(|| usage("mode"));
        match name {
            "escape" => options.escape = Some(escape_of(needed()?)?),
            "wrap" => options.wrap = Some(needed()?.parse().map_err(|_| usage("mode"))?),
            "wordwrap" => options.keeps_words = Some(switch("mode --wordwrap", needed()?)?),
            "ww" => options.keeps_words = Some(true),
            "quote" => options.has_quotes = Some(true),
            "noquote" => options.has_quotes = Some(false),
            _ => {
                return Err(Failure::usage(format!("unknown option: {word}")).with_hint(
                    "--quote, --noquote, --wrap N, --wordwrap on|off, --ww, --escape HOW",
                ));
            }
        }
    }
    Ok((others, options))
}

fn escape_of(name: &str) -> Outcome<Escape> {
    Escape::find(name).ok_or_else(|| {
        Failure::usage(format!("control characters are not escaped in the way {name}"))
            .with_hint(format!("one of {}", Escape::NAMES.join(", ")))
    })
}

fn headers(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else { return Err(usage("headers")) };
    shell.settings.headers = Some(switch("headers", word)?);
    Ok(())
}

fn nullvalue(shell: &mut Shell, words: &[String]) -> Outcome {
    let [text] = words else { return Err(usage("nullvalue")) };
    shell.settings.null = Some(text.clone());
    Ok(())
}

fn separator(shell: &mut Shell, words: &[String]) -> Outcome {
    let (columns, rows) = match words {
        [columns] => (columns, None),
        [columns, rows] => (columns, Some(unescape(rows))),
        _ => return Err(usage("separator")),
    };
    shell.settings.separator = Some(unescape(columns));
    if rows.is_some() {
        shell.settings.row_separator = rows;
    }
    Ok(())
}

fn width(shell: &mut Shell, words: &[String]) -> Outcome {
    let widths: Result<Vec<i32>, _> = words.iter().map(|word| word.parse()).collect();
    let widths = widths.map_err(|_| usage("width"))?;
    if widths.iter().any(|width| width.unsigned_abs() > 10_000) {
        return Err(Failure::usage("a column cannot be wider than 10000"));
    }
    shell.settings.widths = widths;
    Ok(())
}

fn number(name: &str, words: &[String]) -> Outcome<usize> {
    let [word] = words else { return Err(usage(name)) };
    word.parse().map_err(|_| usage(name))
}

fn maxrows(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.settings.rows_max = number("maxrows", words)?;
    Ok(())
}

fn maxwidth(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.settings.width_max = match words {
        [word] if word == "auto" => Terminal::width(),
        _ => number("maxwidth", words)?,
    };
    Ok(())
}

/// The sink that a word names.
fn sink(shell: &Shell, words: &[String]) -> Outcome<Sink> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["stdout" | "-"] => Ok(Sink::screen()),
        [first, ..] if first.starts_with('|') => {
            let command = words.join(" ");
            let command = command.trim_start_matches('|').trim();
            Sink::program(command).map_err(|error| Failure::file("start", command, &error))
        }
        [path] => own::create(&shell.connection, path),
        _ => Err(usage("output")),
    }
}

fn output(shell: &mut Shell, words: &[String]) -> Outcome {
    let sink = sink(shell, words)?;
    let is_screen = sink.is_screen();
    shell.redirect(sink)?;
    match words {
        [path] if !is_screen && shell.switches.interactive && !path.starts_with('|') => {
            // Said on the screen, not in the file.
            let mut screen = Sink::screen();
            writeln!(screen, "Output redirected to '{path}'")?;
            Ok(screen.close()?)
        }
        _ => Ok(()),
    }
}

fn once(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => return Err(usage("once")),
        [option] if ["-x", "--excel"].contains(&option.as_str()) => return excel(shell, &[]),
        [option] if ["-e", "--editor"].contains(&option.as_str()) => {
            let editor = crate::terminal::editor();
            return show_with(shell, "txt", &editor);
        }
        _ => {}
    }
    let sink = sink(shell, words)?;
    shell.redirect(sink)?;
    shell.once = true;
    Ok(())
}

fn excel(shell: &mut Shell, words: &[String]) -> Outcome {
    if !words.is_empty() {
        return Err(usage("excel"));
    }
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "start"
    } else {
        "xdg-open"
    };
    shell.mode_after_once = Some((shell.settings.mode, shell.settings.headers));
    shell.settings.mode = Mode::Csv;
    shell.settings.headers = Some(true);
    show_with(shell, "csv", opener)
}

/// The rows of the next statement go to a file that a program then shows.
fn show_with(shell: &mut Shell, ending: &str, program: &str) -> Outcome {
    let name = format!("pando-{}-{}.{ending}", std::process::id(), shell.history.lines().len());
    let path = std::env::temp_dir().join(name);
    let path = path.display().to_string();
    let quoted = path.replace('\'', r"'\''");
    let command = format!("cat > '{quoted}' && {program} '{quoted}'");
    let sink = Sink::program(&command).map_err(|error| Failure::file("start", program, &error))?;
    shell.redirect(sink)?;
    shell.once = true;
    Ok(())
}

fn columns(shell: &mut Shell, words: &[String]) -> Outcome {
    if !words.is_empty() {
        return Err(usage("columns"));
    }
    shell.settings.by_column = true;
    Ok(())
}

fn rows(shell: &mut Shell, words: &[String]) -> Outcome {
    if !words.is_empty() {
        return Err(usage("rows"));
    }
    shell.settings.by_column = false;
    Ok(())
}

fn large_numbers(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.settings.large_numbers = match words {
        [word] if word == "all" => LargeNumbers::All,
        [word] if word == "footer" => LargeNumbers::Footer,
        [word] if word == "off" => LargeNumbers::Off,
        _ => return Err(usage("large_number_rendering")),
    };
    Ok(())
}

fn expanded(shell: &mut Shell, words: &[String]) -> Outcome {
    let is_line = shell.settings.mode == Mode::Line;
    let wanted = match words {
        [] => !is_line,
        [word] => switch("expanded", word)?,
        _ => return Err(usage("expanded")),
    };
    shell.settings.mode = if wanted { Mode::Line } else { Mode::Box };
    Ok(())
}

fn one_switch(name: &str, words: &[String]) -> Outcome<bool> {
    match words {
        [word] => switch(name, word),
        _ => Err(usage(name)),
    }
}

fn pager(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.switches.pager = one_switch("pager", words)?;
    Ok(())
}

fn color(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.settings.color = one_switch("color", words)?;
    shell.terminal.color_errors = shell.settings.color;
    Ok(())
}

fn changes(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.switches.changes = one_switch("changes", words)?;
    Ok(())
}

fn echo(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.switches.echo = one_switch("echo", words)?;
    Ok(())
}

fn progress(shell: &mut Shell, words: &[String]) -> Outcome {
    if words.is_empty() || words.iter().any(|word| word.parse::<u64>().is_ok()) {
        return super::watch::progress(shell, words);
    }
    shell.switches.progress = one_switch("progress", words)?;
    Ok(())
}

fn timer(shell: &mut Shell, words: &[String]) -> Outcome {
    shell.switches.timer = match words {
        [] => !shell.switches.timer,
        _ => one_switch("timer", words)?,
    };
    Ok(())
}

fn print(shell: &mut Shell, words: &[String]) -> Outcome {
    writeln!(shell.sink, "{}", words.join(" "))?;
    Ok(())
}
