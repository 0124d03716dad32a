//! What a worker found, how it tells its parent, and how that tells people.
//!
//! Defects are grouped by their *cause*: the message of an error without its names and numbers,
//! or what kind of difference it is. Thousands of failed records have few causes, and the most
//! frequent one is what to mend next. Neighbours: `pool`, `slt`, `sqltest`, `random`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::pool::{Done, End};

/// One failed record, test or statement.
#[derive(Clone, Debug)]
pub(crate) struct Defect {
    /// File and line, or test, or seed.
    pub(crate) place: String,
    /// What it has in common with others.
    pub(crate) cause: String,
    /// SQL, what was expected and what came.
    pub(crate) detail: String,
}

/// Counts and defects of a piece of work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// Named counts: passed, skipped, ...
    pub(crate) counts: BTreeMap<String, u64>,
    /// What failed.
    pub(crate) defects: Vec<Defect>,
}

impl Findings {
    /// One more of `name`.
    pub(crate) fn count(&mut self, name: &str) {
        self.add(name, 1);
    }

    /// `more` of `name`.
    pub(crate) fn add(&mut self, name: &str, more: u64) {
        *self.counts.entry(name.to_owned()).or_default() += more;
    }

    /// How many of `name`.
    pub(crate) fn get(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// A failure.
    pub(crate) fn fail(&mut self, place: String, cause: String, detail: String) {
        self.count("failed");
        self.defects.push(Defect { place, cause, detail });
    }

    /// Adds what another piece of work found.
    pub(crate) fn merge(&mut self, other: Self) {
        for (name, count) in other.counts {
            self.add(&name, count);
        }
        self.defects.extend(other.defects);
    }

    /// The lines that a worker prints.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        for (name, count) in &self.counts {
            let _ = writeln!(text, "count\t{name}\t{count}");
        }
        for defect in &self.defects {
            let fields = [&defect.place, &defect.cause, &defect.detail].map(|field| escape(field));
            let _ = writeln!(text, "defect\t{}", fields.join("\t"));
        }
        text
    }

    /// What a child printed; one that did not finish is a defect itself.
    pub(crate) fn decode(done: &Done, name: &str) -> Self {
        let mut findings = Self::default();
        let mut at = String::new();
        for line in done.output.lines() {
            let mut fields = line.split('\t');
            let kind = fields.next();
            let mut field = || fields.next().map(unescape).unwrap_or_default();
            match kind {
                Some("at") => at = field(),
                Some("count") => {
                    let name = field();
                    findings.add(&name, field().parse().unwrap_or(0));
                }
                Some("defect") => {
                    let (place, cause, detail) = (field(), field(), field());
                    findings.defects.push(Defect { place, cause, detail });
                }
                _ => {}
            }
        }
        let cause = match &done.end {
            End::Finished => return findings,
            End::TimedOut => "time-out".to_owned(),
            End::Crashed(status) => {
                let last = done.errors.lines().rev().find(|line| !line.trim().is_empty());
                format!("crash: {status}: {}", last.unwrap_or(""))
            }
        };
        findings.fail(name.to_owned(), cause, at);
        findings
    }

    /// The most frequent causes, each with its first examples.
    pub(crate) fn print_causes(&self, causes: usize, examples: usize) {
        let mut groups: BTreeMap<&str, Vec<&Defect>> = BTreeMap::new();
        for defect in &self.defects {
            groups.entry(&defect.cause).or_default().push(defect);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, defects)| std::cmp::Reverse(defects.len()));
        for (cause, defects) in groups.iter().take(causes) {
            println!("\n{:>7} x {cause}", defects.len());
            let mut shortest = defects.clone();
            shortest.sort_by_key(|defect| {
                (defect.detail.contains(crate::random::NOT_SHRUNK), defect.detail.len())
            });
            for defect in shortest.iter().take(examples) {
                println!("          {}", defect.place);
                for line in defect.detail.lines().take(60) {
                    println!("            {line}");
                }
            }
        }
        if groups.len() > causes {
            println!("\n        and {} further causes", groups.len() - causes);
        }
    }
}

/// Tells the parent what a worker is at, in case it does not come back.
pub(crate) fn announce(what: &str) {
    use std::io::Write as _;
    println!("at\t{}", escape(what));
    let _ = std::io::stdout().flush();
}

/// A message without what is particular to one statement.
pub(crate) fn cause_of(message: &str) -> String {
    let mut cause = String::new();
    let mut quote = None;
    let mut digits = false;
    for character in message.chars().take(200) {
        match (quote, character) {
            (Some(open), _) if open == character => {
                quote = None;
                cause.push_str("..");
                cause.push(character);
            }
            (Some(_), _) => {}
            (None, '"' | '`') => {
                quote = Some(character);
                cause.push(character);
            }
            (None, '0'..='9') => {
                if !digits {
                    cause.push('#');
                }
            }
            (None, _) => cause.push(character),
        }
        digits = character.is_ascii_digit();
    }
    cause
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r")
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_forget_names_and_numbers() {
        assert_eq!(cause_of("near \"FROM\": at 12"), "near \"..\": at #");
    }

    #[test]
    fn what_is_told_arrives() {
        let mut findings = Findings::default();
        findings.count("passed");
        findings.fail("a:1".to_owned(), "c\td".to_owned(), "x\n\\n\ty".to_owned());
        let done = Done {
            job: 0,
            output: findings.encode(),
            errors: String::new(),
            end: End::Finished,
            elapsed: std::time::Duration::ZERO,
        };
        let told = Findings::decode(&done, "a");
        assert_eq!(told.counts, findings.counts);
        assert_eq!(told.defects[0].detail, "x\n\\n\ty");
        let done = Done { end: End::TimedOut, ..done };
        assert_eq!(Findings::decode(&done, "a").get("failed"), 2);
    }
}
