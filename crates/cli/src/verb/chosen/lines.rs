//! What is kept of choices: a line for each database and user, in a file of the person's own.
//!
//! A line knows its database three ways. The *file* (device and number, where the system has
//! them) and the database's own random identity follow it when it is moved; a copy has the
//! identity and not the file, so that it has no part in the choice. The *path* is what is left
//! where the file is another one, as after a restore: then the branch itself has to be known
//! there, which `mod` looks for. Neighbours: `mod` reads and writes the file.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use pandodb::Branch;

use crate::shell::Opening;

/// The number of the first branch, which stays whatever it is called.
const FIRST: u64 = 1;

/// So many lines of other databases that lay at one path are kept: one of them may be elsewhere.
const EARLIER_MAX: usize = 8;

/// Who looks at which database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The real path.
    path: String,
    /// The user whose rights the session has; nothing for the owner.
    user: String,
    /// The random identity that the database was given when it was made; nothing where unknown.
    database: String,
    /// The file's device and number; nothing where the system has none.
    file: String,
}

impl Place {
    /// The place of a database that is open; none where nothing can be remembered of it.
    pub(super) fn of(opening: &Opening) -> Option<Self> {
        let path = opening.path.as_str();
        if path.is_empty() || path == ":memory:" {
            return None;
        }
        let real = Path::new(path).canonicalize().ok()?;
        let user = opening.user.clone().unwrap_or_default();
        let file = file_of(&real).unwrap_or_default();
        let database = identity(&real).unwrap_or_default();
        let place = Self { path: real.to_str()?.to_owned(), user, database, file };
        // What has a line break cannot stand on a line.
        let is_word = |word: &str| !word.contains(['\n', '\r', '\t']);
        (is_word(&place.path) && is_word(&place.user)).then_some(place)
    }

    fn is_other_database(&self, other: &Self) -> bool {
        !self.database.is_empty() && !other.database.is_empty() && self.database != other.database
    }
}

#[cfg(unix)]
fn file_of(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let file = std::fs::metadata(path).ok()?;
    Some(format!("{:x}:{:x}", file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file_of(_: &Path) -> Option<String> {
    None
}

/// The identity of the database in a file, as `docs/file-format.md` has it: it never changes, so
/// that either slot will do, whoever is writing to the other one.
fn identity(path: &Path) -> Option<String> {
    const MAGIC: &[u8] = b"PandoDB\0";
    const SLOT_BYTES: usize = 4096;
    const IDENTITY: std::ops::Range<usize> = 16..32;
    let mut begun = Vec::new();
    File::open(path).ok()?.take(2 * SLOT_BYTES as u64).read_to_end(&mut begun).ok()?;
    let mut slots = begun.chunks(SLOT_BYTES).filter(|slot| slot.starts_with(MAGIC));
    Some(crate::output::quote::hexadecimal(slots.find_map(|slot| slot.get(IDENTITY))?))
}

/// What is remembered of a branch. The number stays the same when it is renamed, by whomever;
/// the moment tells it from a branch with its number in another database at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: String,
    /// The number and the moment of creation; lines of earlier versions have none.
    identity: Option<(u64, u128)>,
}

impl Choice {
    pub(super) fn of(branch: &Branch) -> Self {
        let created = branch.created_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { name: branch.name.clone(), identity: Some((branch.id, created.as_micros())) }
    }

    /// The branch that this is now; none where it is gone, whatever has its name since.
    pub(super) fn find(&self, branches: &[Branch]) -> Option<Branch> {
        let is_this = |branch: &&Branch| match self.identity {
            Some(_) => Self::of(branch).identity == self.identity,
            None => branch.name.eq_ignore_ascii_case(&self.name),
        };
        branches.iter().find(is_this).cloned()
    }
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    place: Place,
    choice: Choice,
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split('\t');
        let path = words.next()?.to_owned();
        let name = words.next()?.to_owned();
        let id = words.next().and_then(|id| id.parse().ok());
        let created = words.next().and_then(|created| created.parse().ok());
        let mut word = || words.next().unwrap_or("").to_owned();
        let place = Place { path, user: word(), database: word(), file: word() };
        Some(Self { place, choice: Choice { name, identity: id.zip(created) } })
    }

    fn write(&self) -> String {
        let Self { place, choice } = self;
        let (id, created) = choice.identity.unwrap_or_default();
        let Place { path, user, database, file } = place;
        format!("{path}\t{}\t{id}\t{created}\t{user}\t{database}\t{file}\n", choice.name)
    }
}

/// A choice that was found, and how sure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) choice: Choice,
    /// It was made in another database, which lay at this path.
    pub(super) is_of_another: bool,
    /// The line is of this path and this file, and need not be written anew.
    pub(super) is_exact: bool,
    at: usize,
}

/// All that is remembered.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    pub(super) fn read(text: &str) -> Self {
        Self(text.lines().filter_map(Line::read).collect())
    }

    pub(super) fn write(&self) -> String {
        self.0.iter().map(Line::write).collect()
    }

    /// The choice for a place: by the file wherever it lies now, else by the path.
    pub(super) fn find(&self, place: &Place) -> Option<Found> {
        let own = || self.0.iter().enumerate().rev().filter(|(_, it)| it.place.user == place.user);
        let is_file = |line: &Line| {
            let of = &line.place;
            !of.file.is_empty()
                && !of.database.is_empty()
                && (&of.file, &of.database) == (&place.file, &place.database)
        };
        let is_path = |line: &Line| line.place.path == place.path;
        let by_file = own().find(|(_, line)| is_file(line));
        let by_identity =
            || own().find(|(_, line)| is_path(line) && !place.is_other_database(&line.place));
        let by_path = || own().find(|(_, line)| is_path(line));
        let (at, line) = by_file.or_else(by_identity).or_else(by_path)?;
        Some(Found {
            choice: line.choice.clone(),
            is_of_another: place.is_other_database(&line.place),
            is_exact: line.place == *place,
            at,
        })
    }

    /// Remembers a choice in the place of what is found for it.
    pub(super) fn set(&mut self, place: &Place, choice: Choice) {
        while let Some(found) = self.find(place).filter(|found| !found.is_of_another) {
            self.0.remove(found.at);
        }
        // Those that lay here before may lie elsewhere now, but not any number of them.
        let mut earlier = 0;
        let mut lines: Vec<Line> = std::mem::take(&mut self.0).into_iter().rev().collect();
        lines.retain(|line| {
            let is_here = (&line.place.path, &line.place.user) == (&place.path, &place.user);
            earlier += usize::from(is_here);
            !is_here || earlier <= EARLIER_MAX
        });
        lines.reverse();
        self.0 = lines;
        // Every connection begins on the first branch, unless a line of another database that lay
        // here says otherwise.
        let is_first = choice.identity.is_some_and(|(number, _)| number == FIRST);
        if !is_first || self.find(place).is_some() {
            self.0.push(Line { place: place.clone(), choice });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, user: &str, database: &str, file: &str) -> Place {
        let [path, user, database, file] = [path, user, database, file].map(str::to_owned);
        Place { path, user, database, file }
    }

    fn choice(name: &str) -> Choice {
        Choice { name: name.to_owned(), identity: Some((2, 7)) }
    }

    fn first() -> Choice {
        Choice { name: "main".to_owned(), identity: Some((FIRST, 5)) }
    }

    fn found(lines: &Lines, place: &Place) -> Option<String> {
        let found = lines.find(place).filter(|found| !found.is_of_another);
        found.map(|found| found.choice.name)
    }

    #[test]
    fn each_database_and_each_user_has_a_branch_of_its_own() {
        let (a, b) = (place("/a", "", "A", "1:1"), place("/b", "", "B", "1:2"));
        let eva = place("/a", "eva", "A", "1:1");
        let mut lines = Lines::default();
        lines.set(&a, choice("dev"));
        lines.set(&b, choice("test"));
        lines.set(&eva, choice("idea"));
        lines.set(&a, choice("other"));
        let text = lines.write();
        assert_eq!(
            text,
            "/b\ttest\t2\t7\t\tB\t1:2\n/a\tidea\t2\t7\teva\tA\t1:1\n/a\tother\t2\t7\t\tA\t1:1\n"
        );
        let mut lines = Lines::read(&text);
        let names = [&a, &b, &eva].map(|place| found(&lines, place));
        assert_eq!(names, [Some("other".into()), Some("test".into()), Some("idea".into())]);
        lines.set(&a, first());
        assert_eq!(found(&lines, &a), None);
        assert_eq!(found(&lines, &eva), Some("idea".into()));
    }

    #[test]
    fn a_choice_follows_the_file_and_not_a_copy_of_it() {
        let mut lines = Lines::default();
        lines.set(&place("/a", "", "A", "1:1"), choice("dev"));
        lines.set(&place("/b", "", "B", "1:2"), choice("test"));
        // Moved, and two that changed places.
        assert_eq!(found(&lines, &place("/c", "", "A", "1:1")), Some("dev".into()));
        assert_eq!(found(&lines, &place("/b", "", "A", "1:1")), Some("dev".into()));
        assert_eq!(found(&lines, &place("/a", "", "B", "1:2")), Some("test".into()));
        // A copy, and a new database in a file whose number is used again.
        assert_eq!(found(&lines, &place("/c", "", "A", "1:3")), None);
        assert_eq!(found(&lines, &place("/c", "", "C", "1:1")), None);
        // What was written back to its old place is the same database.
        assert_eq!(found(&lines, &place("/a", "", "A", "1:9")), Some("dev".into()));
        // Another one there is told, and takes nothing away from the one that was moved.
        let other = place("/a", "", "D", "1:9");
        assert!(lines.find(&other).is_some_and(|found| found.is_of_another));
        lines.set(&other, choice("own"));
        assert_eq!(found(&lines, &other), Some("own".into()));
        // Its first branch is told from a choice of the one before.
        lines.set(&other, first());
        assert_eq!(found(&lines, &other), Some("main".into()));
        assert_eq!(found(&lines, &place("/c", "", "A", "1:1")), Some("dev".into()));
    }

    #[test]
    fn lines_of_earlier_versions_are_the_owners() {
        let lines = Lines::read("/a\tdev\n/b\ttest\t2\t7\n");
        let found = lines.find(&place("/a", "", "A", "1:1")).map(|found| found.choice);
        assert_eq!(found, Some(Choice { name: "dev".to_owned(), identity: None }));
        let found = lines.find(&place("/b", "", "B", "1:2")).map(|found| found.choice);
        assert_eq!(found, Some(choice("test")));
        assert_eq!(lines.find(&place("/a", "eva", "A", "1:1")), None);
    }

    #[test]
    fn databases_that_were_made_anew_leave_few_lines() {
        let mut lines = Lines::default();
        for made in 0..100 {
            let database = made.to_string();
            lines.set(&place("/a", "", &database, &database), choice("dev"));
        }
        assert_eq!(lines.0.len(), EARLIER_MAX + 1);
        assert_eq!(found(&lines, &place("/a", "", "99", "99")), Some("dev".into()));
    }

    #[test]
    fn the_identity_is_where_the_file_format_has_it() {
        let page = include_str!("../../../../../docs/file-format.md");
        assert!(page.contains("| 16 | 16 | database | random identity of the database |"));
        assert!(page.contains("| 0 | 8 | magic | `PandoDB\\0` |"));
    }
}
