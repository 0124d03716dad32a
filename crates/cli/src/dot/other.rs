//! Dot commands about the shell itself.
//!
//! Neighbours: `help` makes the help.

use std::io::Write;
use std::process;

use super::{Argument, Command, NONE, command, help, switch, usage};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::language::{Progress, progress};
use crate::shell::Shell;

pub(super) const COMMANDS: &[Command] = &[
    command(
        "help",
        &["\\?", "\\h", "h", "?"],
        ["[COMMAND|GROUP|WORD]", "show this", "--all shows everything about every command."],
        Argument::Command,
        help::help,
    ),
    command(
        "exit",
        NONE,
        [
            "[CODE]",
            "leave, with an exit code if one is given",
            "exit and quit without a dot do the same.",
        ],
        Argument::None,
        exit,
    ),
    command("quit", &["q", "\\q"], ["", "leave", ""], Argument::None, exit),
    command(
        "history",
        &["\\s"],
        ["[N]", "show the last lines that were typed", ""],
        Argument::None,
        history,
    ),
    command(
        "edit",
        &["\\e"],
        [
            "[SQL]",
            "write a statement in an editor, then run it",
            "PANDO_EDITOR, VISUAL or EDITOR names the editor.",
        ],
        Argument::None,
        edit,
    ),
    command(
        "bail",
        NONE,
        ["on|off", "stop at the first error", ""],
        Argument::Word(&["on", "off"]),
        bail,
    ),
    command(
        "prompt",
        NONE,
        ["MAIN [MORE]", "what to show before a line", ""],
        Argument::None,
        prompt,
    ),
    command("show", NONE, ["", "show the settings", ""], Argument::None, show),
    command(
        "complete",
        NONE,
        ["SQL", "say whether a text is a complete statement", ""],
        Argument::None,
        complete,
    ),
    command(
        "shell",
        &["system", "\\!"],
        ["COMMAND ...", "run a command of the system", ""],
        Argument::File,
        system,
    ),
    command("cd", NONE, ["FOLDER", "change the working folder", ""], Argument::File, cd),
    command("version", NONE, ["", "show the version", ""], Argument::None, version),
];

fn exit(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [] => shell.ended = Some(Exit::Success),
        [code] => {
            let code: i32 = code.parse().map_err(|_| usage("exit"))?;
            shell.redirect(crate::output::sink::Sink::screen())?;
            process::exit(code);
        }
        _ => return Err(usage("exit")),
    }
    Ok(())
}

fn history(shell: &mut Shell, words: &[String]) -> Outcome {
    let count: usize = match words {
        [] => 100,
        [word] => word.parse().map_err(|_| usage("history"))?,
        _ => return Err(usage("history")),
    };
    let lines = shell.history.lines();
    let first = lines.len().saturating_sub(count);
    for (at, line) in lines.iter().enumerate().skip(first) {
        writeln!(shell.sink, "{:5}  {line}", at + 1)?;
    }
    Ok(())
}

fn edit(shell: &mut Shell, words: &[String]) -> Outcome {
    let editor = crate::terminal::editor();
    let text = match words {
        [] => shell.history.lines().into_iter().rev().find(|line| !line.starts_with(['.', '\\'])),
        words => Some(words.join(" ")),
    };
    let path = std::env::temp_dir().join(format!("pando-{}.sql", process::id()));
    let shown = path.display().to_string();
    std::fs::write(&path, text.unwrap_or_default())
        .map_err(|error| Failure::file("write", &shown, &error))?;
    let status = process::Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$0\""))
        .arg(&path)
        .status()
        .map_err(|error| Failure::file("start", &editor, &error))?;
    let text = std::fs::read_to_string(&path);
    let _ = std::fs::remove_file(&path);
    let text = text.map_err(|error| Failure::file("read", &shown, &error))?;
    if !status.success() || text.trim().is_empty() {
        return shell.say("nothing was run");
    }
    writeln!(shell.sink, "{}", text.trim_end())?;
    shell.run_sql(&text, None)
}

fn bail(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else { return Err(usage("bail")) };
    shell.switches.bail = switch("bail", word)?;
    Ok(())
}

fn prompt(shell: &mut Shell, words: &[String]) -> Outcome {
    match words {
        [main] => shell.prompts.0.clone_from(main),
        [main, more] => shell.prompts = (main.clone(), more.clone()),
        _ => return Err(usage("prompt")),
    }
    Ok(())
}

fn show(shell: &mut Shell, _: &[String]) -> Outcome {
    let word = |is_on: bool| if is_on { "on" } else { "off" }.to_owned();
    let switches = &shell.switches;
    let settings = &shell.settings;
    let own = |value: Option<&String>| {
        value.map_or("the mode's own".to_owned(), |text| format!("{text:?}"))
    };
    let widths: Vec<String> = settings.widths.iter().map(ToString::to_string).collect();
    let rows = [
        ("bail", word(switches.bail)),
        ("branch", shell.connection.current_branch()),
        ("changes", word(switches.changes)),
        ("echo", word(switches.echo)),
        ("explain", switches.plan.word().to_owned()),
        ("filename", shell.opening.path.clone()),
        ("headers", settings.headers.map_or("the mode's own".to_owned(), word)),
        ("maxrows", settings.rows_max.to_string()),
        ("maxwidth", settings.width_max.to_string()),
        ("mode", settings.mode.name().to_owned()),
        ("nullvalue", own(settings.null.as_ref())),
        ("pager", word(switches.pager)),
        ("separator", own(settings.separator.as_ref())),
        ("stats", word(switches.stats)),
        ("timer", word(switches.timer)),
        ("width", widths.join(" ")),
    ];
    for (name, value) in rows {
        writeln!(shell.sink, "{name:>10}: {value}")?;
    }
    Ok(())
}

fn complete(shell: &mut Shell, words: &[String]) -> Outcome {
    let answer = match progress(&words.join(" ")) {
        Progress::Complete => "complete",
        Progress::Open => "incomplete",
        Progress::Nothing => "nothing",
    };
    writeln!(shell.sink, "{answer}")?;
    Ok(())
}

fn system(shell: &mut Shell, words: &[String]) -> Outcome {
    if words.is_empty() {
        return Err(usage("shell"));
    }
    shell.sink.flush()?;
    // Quoted again, because the words were cut apart.
    let quoted: Vec<String> = words
        .iter()
        .map(|word| {
            let is_plain =
                word.chars().all(|c| c.is_alphanumeric() || "-_./|<>&;*?~$=:,+%@".contains(c));
            if is_plain { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) }
        })
        .collect();
    let (program, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let status = process::Command::new(program).arg(option).arg(quoted.join(" ")).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::statement(format!("the command ended with {status}"))),
        Err(error) => Err(Failure::file("start", program, &error)),
    }
}

fn cd(_: &mut Shell, words: &[String]) -> Outcome {
    let [folder] = words else { return Err(usage("cd")) };
    std::env::set_current_dir(folder).map_err(|error| Failure::file("enter", folder, &error))
}

fn version(shell: &mut Shell, _: &[String]) -> Outcome {
    writeln!(shell.sink, "PandoDB {}", env!("CARGO_PKG_VERSION"))?;
    let dialect: Result<String, _> =
        shell.connection.query_row("SELECT sqlite_version()", (), |row| row.get(0));
    if let Ok(version) = dialect {
        writeln!(shell.sink, "SQL dialect of SQLite {version}")?;
    }
    Ok(())
}
