//! Making a branch with all that can be said about it.
//!
//! Neighbours: `mod` has the short form.

use std::time::{Duration, SystemTime};

use super::{Branch, literal, micros_of, quoted};
use crate::connection::Connection;
use crate::error::Result;

/// A moment of a branch.
///
/// ```
/// use pandodb::{CreateBranch, Moment};
///
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// connection.create_tag("v1", "main")?;
/// connection.execute_batch("DROP TABLE tree")?;
/// CreateBranch::new("rescue").at(Moment::tag("v1")).create(&connection)?;
/// connection.switch_branch("rescue")?;
/// connection.execute_batch("INSERT INTO tree VALUES ('oak')")?;
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// As it is.
    #[default]
    Now,
    /// After this commit.
    Commit(u64),
    /// As it was at this time, a text that SQL's `datetime` reads, in UTC.
    Timestamp(String),
    /// What the tag names.
    Tag(String),
}

impl Moment {
    /// What a tag names.
    ///
    /// ```
    /// assert_eq!(pandodb::Moment::tag("v1"), pandodb::Moment::Tag("v1".to_owned()));
    /// ```
    pub fn tag(name: impl Into<String>) -> Self {
        Self::Tag(name.into())
    }

    /// A time as text, such as `2026-01-01 12:00:00`, in UTC.
    ///
    /// ```
    /// let moment = pandodb::Moment::timestamp("2026-01-01 12:00:00");
    /// ```
    pub fn timestamp(text: impl Into<String>) -> Self {
        Self::Timestamp(text.into())
    }

    /// The words of SQL for it.
    pub(crate) fn sql(&self) -> String {
        match self {
            Self::Now => "NOW".to_owned(),
            Self::Commit(number) => format!("TRANSACTION {number}"),
            Self::Timestamp(text) => format!("TIMESTAMP {}", literal(text)),
            Self::Tag(name) => format!("TAG {}", quoted(name)),
        }
    }
}

impl From<SystemTime> for Moment {
    /// The moment of a clock, to the millisecond.
    fn from(time: SystemTime) -> Self {
        Self::Timestamp(utc_text(micros_of(time)))
    }
}

/// How a branch's data relates to that of its parent.
///
/// ```
/// use pandodb::{CreateBranch, Strategy};
///
/// let connection = pandodb::Connection::open_in_memory()?;
/// CreateBranch::new("copy").strategy(Strategy::Copy).create(&connection)?;
/// assert_eq!(connection.branch("copy")?.strategy, Strategy::Copy);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// Pages are shared until one side changes them.
    #[default]
    Cow,
    /// The branch gets pages of its own at once.
    Copy,
    /// As `Cow`, and nothing can be written to it.
    ReadOnly,
}

/// A branch to be made, with what is said about it.
///
/// ```
/// use pandodb::CreateBranch;
/// use std::time::Duration;
///
/// let connection = pandodb::Connection::open_in_memory()?;
/// let audit = CreateBranch::new("audit_2024_Q4")
///     .from("main")
///     .description("What the auditors see")
///     .read_only(true)
///     .ttl(Duration::from_secs(7 * 86_400))
///     .option("region", "eu-west")
///     .create(&connection)?;
/// assert!(audit.read_only && audit.expires_at.is_some());
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a branch is made by `create`"]
pub struct CreateBranch {
    name: String,
    from: Option<String>,
    at: Moment,
    options: Vec<(String, String)>,
    is_tolerant: bool,
}

impl CreateBranch {
    /// A branch of this name, from the connection's branch as it is.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// pandodb::CreateBranch::new("dev").create(&connection)?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            from: None,
            at: Moment::Now,
            options: Vec::new(),
            is_tolerant: false,
        }
    }

    /// The branch that it leaves.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// pandodb::CreateBranch::new("dev").from("main").create(&connection)?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn from(mut self, parent: impl Into<String>) -> Self {
        self.from = Some(parent.into());
        self
    }

    /// The moment of it.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # connection.create_tag("v1", "main")?;
    /// use pandodb::{CreateBranch, Moment};
    /// CreateBranch::new("fix").at(Moment::tag("v1")).create(&connection)?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn at(mut self, moment: impl Into<Moment>) -> Self {
        self.at = moment.into();
        self
    }

    /// Whether it is fine if there is one already.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// use pandodb::CreateBranch;
    /// CreateBranch::new("dev").if_not_exists(true).create(&connection)?;
    /// CreateBranch::new("dev").if_not_exists(true).create(&connection)?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn if_not_exists(mut self, is_tolerant: bool) -> Self {
        self.is_tolerant = is_tolerant;
        self
    }

    /// What it is for.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// use pandodb::CreateBranch;
    /// let dev = CreateBranch::new("dev").description("Try roots").create(&connection)?;
    /// assert_eq!(dev.description, "Try roots");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn description(self, text: &str) -> Self {
        self.option("description", text)
    }

    /// Whether nothing can be written to it.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// use pandodb::CreateBranch;
    /// assert!(CreateBranch::new("audit").read_only(true).create(&connection)?.read_only);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn read_only(self, read_only: bool) -> Self {
        self.option("read_only", if read_only { "true" } else { "false" })
    }

    /// Whether it cannot be dropped, reset or renamed.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// pandodb::CreateBranch::new("stable").protected(true).create(&connection)?;
    /// assert!(connection.delete_branch("stable").is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn protected(self, protected: bool) -> Self {
        self.option("protected", if protected { "true" } else { "false" })
    }

    /// Whether it is dropped once it was merged.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// pandodb::CreateBranch::new("dev").auto_gc(true).create(&connection)?;
    /// assert!(connection.branch("dev")?.auto_delete);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn auto_gc(self, auto_gc: bool) -> Self {
        self.option("auto_gc", if auto_gc { "true" } else { "false" })
    }

    /// How long it lives.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// # use pandodb::CreateBranch;
    /// use std::time::Duration;
    /// CreateBranch::new("dev").ttl(Duration::from_secs(3600)).create(&connection)?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn ttl(self, ttl: Duration) -> Self {
        self.option("ttl", &format!("{}s", ttl.as_secs()))
    }

    /// How its data relates to that of its parent.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// use pandodb::{CreateBranch, Strategy};
    /// let copy = CreateBranch::new("own").strategy(Strategy::Copy).create(&connection)?;
    /// assert_eq!(copy.strategy, Strategy::Copy);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn strategy(self, strategy: Strategy) -> Self {
        let word = match strategy {
            Strategy::Cow => "cow",
            Strategy::Copy => "copy",
            Strategy::ReadOnly => "readonly",
        };
        self.option("strategy", word)
    }

    /// Any option of CREATE BRANCH; keys that it does not know are kept and shown.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// let dev = pandodb::CreateBranch::new("dev").option("ticket", "T-7").create(&connection)?;
    /// assert_eq!(dev.options["ticket"], "T-7");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn option(mut self, key: &str, value: &str) -> Self {
        self.options.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Makes it. The connection stays on the branch that it is on.
    ///
    /// ```
    /// # let connection = pandodb::Connection::open_in_memory()?;
    /// let dev = pandodb::CreateBranch::new("dev").create(&connection)?;
    /// assert_eq!(dev.parent.as_deref(), Some("main"));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn create(&self, connection: &Connection) -> Result<Branch> {
        let tolerance = if self.is_tolerant { "IF NOT EXISTS " } else { "" };
        let mut sql = format!("CREATE BRANCH {tolerance}{}", quoted(&self.name));
        if let Some(parent) = &self.from {
            sql += &format!(" FROM {}", quoted(parent));
        }
        if self.at != Moment::Now {
            sql += &format!(" AS OF {}", self.at.sql());
        }
        if !self.options.is_empty() {
            let options = self.options.iter();
            let options =
                options.map(|(key, value)| format!("{} = {}", quoted(key), literal(value)));
            sql += &format!(" WITH ({})", options.collect::<Vec<_>>().join(", "));
        }
        connection.execute_batch(&sql)?;
        connection.branch(&self.name)
    }
}

/// A time as SQL reads it, in UTC to the millisecond: days since 1970 to a date by the rule that
/// counts from March, so that the leap day is the last of its year.
fn utc_text(micros: i64) -> String {
    let millis = micros.div_euclid(1000);
    let (days, in_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, millis) = (in_day / 1000, in_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}")
}

#[cfg(test)]
mod tests {
    use super::utc_text;

    #[test]
    fn times_are_written_as_sql_reads_them() {
        assert_eq!(utc_text(0), "1970-01-01 00:00:00.000");
        assert_eq!(utc_text(951_827_696_789_000), "2000-02-29 12:34:56.789");
        assert_eq!(utc_text(1_767_225_599_999_999), "2025-12-31 23:59:59.999");
        assert_eq!(utc_text(-1_000), "1969-12-31 23:59:59.999");
    }
}
