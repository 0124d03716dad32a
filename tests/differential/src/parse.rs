//! `parse PATH`: which statements are SQL for SQLite and for PandoDB.
//!
//! SQLite runs each script, so that a missing table does not hide a syntax error behind it; of
//! its errors only those about the text count. Where the corpus says that a statement runs,
//! SQLite is not asked again. Every statement that PandoDB reads is printed and read again, which
//! must give an equal tree. Neighbours: `corpus`, `expressions`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastrand::Rng;
use pandodb_qp::ErrorKind;
use pandodb_qp::parse::{is_complete, parse_all, parse_statement};
use rusqlite::Connection;

use crate::corpus::{self, Script, Text};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A corpus file or a folder of them.
    path: PathBuf,
    /// Only reads the statements, and tells how many a second.
    #[arg(long)]
    speed: bool,
    /// Also compares this many mutants of each statement: a word or mark of it is left out,
    /// written twice, swapped with its neighbour, or replaced by one of another statement.
    #[arg(long, default_value_t = 0)]
    mutants: u32,
    /// Where the random numbers of the mutants begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How many statements came out how.
#[derive(Default)]
struct Counts {
    both_accept: u64,
    both_reject: u64,
    /// SQLite accepts, PandoDB does not.
    missed: u64,
    /// PandoDB accepts, SQLite does not.
    extra: u64,
    /// Statements whose printed text reads as something else.
    unstable: u64,
    /// Mutants, and those of them that only SQLite or only PandoDB takes for SQL.
    mutants: u64,
    mutants_missed: u64,
    mutants_extra: u64,
    bytes: u64,
    time: Duration,
}

/// Compares, reports, and tells whether all is within bounds.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let mut counts = Counts::default();
    let mut mutator = Mutator { random: Rng::with_seed(arguments.seed), pool: Vec::new() };
    for file in corpus::files(&arguments.path)? {
        let scripts = corpus::read(&file)?;
        if arguments.speed {
            measure(&scripts, &mut counts);
        } else {
            compare_file(&file, &scripts, &mut counts)?;
            mutator.compare_file(&scripts, arguments.mutants, &mut counts)?;
        }
    }
    let statements = counts.both_accept + counts.both_reject + counts.missed + counts.extra;
    let seconds = counts.time.as_secs_f64();
    println!(
        "{statements} statements, {:.1} MB read in {seconds:.3} s: {:.0} statements/s, {:.0} MB/s",
        counts.bytes as f64 / 1e6,
        statements as f64 / seconds,
        counts.bytes as f64 / 1e6 / seconds,
    );
    if arguments.speed {
        return Ok(true);
    }
    let accepted = counts.both_accept + counts.missed;
    let share = counts.both_accept as f64 / accepted.max(1) as f64;
    let extra = counts.extra as f64 / statements.max(1) as f64;
    println!(
        "SQLite accepts {accepted}: {:.3} % accepted, {} missed; {} both reject; \
         {} accepted by PandoDB only ({:.2} % of all); {} print as something else",
        share * 100.0,
        counts.missed,
        counts.both_reject,
        counts.extra,
        extra * 100.0,
        counts.unstable,
    );
    if counts.mutants > 0 {
        println!(
            "{} mutants: {} accepted by SQLite only, {} by PandoDB only",
            counts.mutants, counts.mutants_missed, counts.mutants_extra,
        );
    }
    Ok(share >= 0.998 && extra <= 0.01 && counts.unstable == 0)
}

/// Reads every text once and takes the time.
fn measure(scripts: &[Script], counts: &mut Counts) {
    for text in scripts.iter().flat_map(|script| &script.texts) {
        let begin = Instant::now();
        let mut rest = text.sql.as_str();
        while let Ok((Some(statement), end)) = parse_statement(rest) {
            std::hint::black_box(&statement);
            counts.both_accept += 1;
            rest = &rest[end..];
        }
        counts.time += begin.elapsed();
        counts.bytes += text.sql.len() as u64;
    }
}

fn compare_file(
    file: &Path,
    scripts: &[Script],
    counts: &mut Counts,
) -> Result<(), Box<dyn Error>> {
    let before = (counts.missed, counts.extra, counts.unstable);
    for script in scripts {
        let mut connection = Connection::open_in_memory()?;
        // Endless queries are cut off: what matters here is settled before the first row.
        connection.progress_handler(200_000, Some(|| true))?;
        for text in &script.texts {
            for sql in statements(&text.sql) {
                compare(&connection, &script.name, sql, text, counts);
            }
        }
    }
    let after = (counts.missed, counts.extra, counts.unstable);
    if before != after {
        println!("^ {}", file.display());
    }
    Ok(())
}

/// Cuts a text behind each semicolon that ends a statement.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut end = 0;
        loop {
            match rest[end..].find(';') {
                Some(found) => end += found + 1,
                None => end = rest.len(),
            }
            if end == rest.len() || is_complete(&rest[..end]) {
                let (first, behind) = rest.split_at(end);
                rest = behind;
                let empty = first.trim_matches(|c: char| c.is_whitespace() || c == ';').is_empty();
                return if !empty {
                    Some(first.trim())
                } else if rest.is_empty() {
                    None
                } else {
                    Some("")
                };
            }
        }
    })
    .filter(|sql| !sql.is_empty() && !sql.starts_with('.'))
}

fn compare(connection: &Connection, name: &str, sql: &str, text: &Text, counts: &mut Counts) {
    let begin = Instant::now();
    let ours = parse_statement(sql);
    counts.time += begin.elapsed();
    counts.bytes += sql.len() as u64;
    let accepted = match &ours {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::Syntax | ErrorKind::Incomplete),
    };
    let theirs = if text.succeeds == Some(true) { None } else { sqlite_error(connection, sql) };
    match (accepted, &theirs) {
        (true, None) => counts.both_accept += 1,
        (false, Some(_)) => counts.both_reject += 1,
        (false, None) => {
            counts.missed += 1;
            if let Err(error) = &ours {
                println!("MISSED {name}\n    {sql}\n    {error} {:?}", error.hint());
            }
        }
        (true, Some(message)) => {
            counts.extra += 1;
            println!("EXTRA {name}\n    {sql}\n    {message}");
        }
    }
    if let Ok((Some(statement), _)) = &ours {
        let printed = statement.to_string();
        let again = parse_statement(&printed);
        let equal = matches!(&again, Ok((Some(again), _)) if again == statement);
        if !equal {
            counts.unstable += 1;
            println!("UNSTABLE {name}\n    {sql}\n    {printed}\n    {:?}", again.err());
        }
    }
}

/// What SQLite says against the text, if it is about the text.
fn sqlite_error(connection: &Connection, sql: &str) -> Option<String> {
    let error = match connection.prepare(sql) {
        Ok(mut statement) => {
            let mut rows = statement.raw_query();
            while let Ok(Some(_)) = rows.next() {}
            return None;
        }
        Err(error) => error.to_string(),
    };
    is_about_text(&error).then_some(error)
}

/// Whether SQLite's message says that the text is no SQL.
fn is_about_text(message: &str) -> bool {
    ["syntax error", "incomplete input", "unrecognized token"]
        .iter()
        .any(|words| message.contains(words))
}

/// Makes statements that are nearly SQL.
struct Mutator {
    random: Rng,
    /// Words and marks seen so far.
    pool: Vec<String>,
}

impl Mutator {
    /// Compares mutants of every statement, each on the database that the statement meets.
    fn compare_file(
        &mut self,
        scripts: &[Script],
        mutants: u32,
        counts: &mut Counts,
    ) -> Result<(), Box<dyn Error>> {
        if mutants == 0 {
            return Ok(());
        }
        for script in scripts {
            let mut connection = Connection::open_in_memory()?;
            connection.progress_handler(200_000, Some(|| true))?;
            let texts = script.texts.iter().flat_map(|text| statements(&text.sql));
            for sql in texts {
                let words = words(sql);
                for _ in 0..mutants {
                    let mutant = self.mutant(&words);
                    compare_mutant(&connection, &script.name, &mutant, counts);
                }
                if self.pool.len() < 100_000 {
                    self.pool.extend(words.iter().map(|word| (*word).to_owned()));
                }
                sqlite_error(&connection, sql);
            }
        }
        Ok(())
    }

    fn mutant(&mut self, words: &[&str]) -> String {
        let mut words: Vec<&str> = words.to_vec();
        for _ in 0..self.random.u32(1..3) {
            let place = self.random.usize(0..words.len().max(1));
            let other = self.random.choice(&self.pool).map_or("x", |word| word.as_str());
            match self.random.u32(0..6) {
                _ if words.is_empty() => words.push(other),
                0 => drop(words.remove(place)),
                1 => words.insert(place, words[place]),
                2 if place + 1 < words.len() => words.swap(place, place + 1),
                3 => words.insert(place, other),
                _ => words[place] = other,
            }
        }
        words.join(" ")
    }
}

/// The words and marks of a statement, strings in one piece.
fn words(sql: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    while let Some(first) = rest.chars().next() {
        let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
        let length = if first == '\'' || first == '"' {
            rest[1..].find(first).map_or(rest.len(), |found| found + 2)
        } else if in_word(first) {
            rest.find(|c| !in_word(c)).unwrap_or(rest.len())
        } else {
            let two = ["||", "<=", ">=", "<>", "!=", "==", "->", "<<", ">>", "--", "/*"];
            let pair = two.iter().any(|pair| rest.starts_with(pair));
            if pair { 2 } else { first.len_utf8() }
        };
        let (word, behind) = rest.split_at(length);
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

fn compare_mutant(connection: &Connection, name: &str, sql: &str, counts: &mut Counts) {
    let ours = parse_all(sql);
    counts.mutants += 1;
    if let Ok(statements) = &ours {
        for statement in statements {
            let printed = statement.to_string();
            let again = parse_all(&printed);
            if again.as_deref().ok() != Some(std::slice::from_ref(statement)) {
                counts.unstable += 1;
                println!(
                    "UNSTABLE MUTANT of {name}\n    {sql}\n    {printed}\n    {:?}",
                    again.err()
                );
            }
        }
    }
    let theirs = connection.prepare(sql).map(drop).map_err(|error| error.to_string());
    match (&ours, &theirs) {
        (Err(error), Ok(()))
            if matches!(error.kind(), ErrorKind::Syntax | ErrorKind::Incomplete) =>
        {
            counts.mutants_missed += 1;
            println!("MISSED MUTANT of {name}\n    {sql}\n    {error} {:?}", error.hint());
        }
        (Ok(_), Err(message)) if is_about_text(message) => {
            counts.mutants_extra += 1;
            println!("EXTRA MUTANT of {name}\n    {sql}\n    {}", first_line(message));
        }
        _ => {}
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}
