//! From `@branch` and `AS OF` to versions that can be read.
//!
//! A name means a branch, else a tag. What it means is looked up anew for each run, because
//! branches move, are renamed and dropped: a plan is used again where its names still lead to
//! schemas with the cookies that it was made for.
//!
//! Heads that a statement outside of a transaction reads are seen at one moment, together with
//! its own. In an open transaction a head is seen as the isolation level says: at those that see
//! one moment as it was then, and under the name that it had when it was first read, whatever
//! becomes of branch and name meanwhile. Neighbours: `execute::source` (what is opened), `prepare`
//! and `statement` open.

use pandodb_branch::registry::{MAIN_NAME, View};
use pandodb_ds::sync::Arc;

use crate::ast::PointInTime;
use crate::bind;
use crate::branching::access::{asks_rights, check_name};
use crate::branching::point;
use crate::catalog::{DatabaseIndex, Schema, load, load_forest, read_cookie, read_cookie_of};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Reader, SharedTransaction, Version, VersionName, Versions};
use crate::session::Session;
use crate::store::{Database, HeadId, MAIN, without_branch};

/// How many schemas of versions are kept.
const SCHEMAS_MAX: usize = 64;

/// What a schema of a version is known by: its number, database, cookie and the generation.
pub(in crate::session) type SchemaKey = (DatabaseIndex, DatabaseIndex, u64, u64);

/// What a plan was made for.
#[derive(Clone, Debug)]
pub(in crate::session) struct KnownVersion {
    name: VersionName,
    is_own: bool,
    cookie: u64,
}

/// Where a name leads.
enum Place {
    Own,
    Head(HeadId),
    Past(Box<View>),
}

/// Opens versions for the binder.
pub(in crate::session) struct Finder<'a> {
    pub(in crate::session) session: &'a Session,
    pub(in crate::session) sources: &'a [Option<SharedTransaction>],
    /// None where a text is bound that runs inside of others: versions are refused.
    pub(in crate::session) versions: Option<&'a Versions>,
}

impl bind::FindVersion for Finder<'_> {
    fn find(&self, name: VersionName) -> Result<DatabaseIndex> {
        let Some(versions) = self.versions else {
            let message = "a trigger cannot read another branch or time";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        match versions.position(&name) {
            Some(known) => Ok(known),
            None => self.session.open_version(name, self.sources, versions),
        }
    }

    fn opened(&self, database: DatabaseIndex) -> Option<(DatabaseIndex, Arc<Schema>)> {
        let version = self.versions?.get(database)?;
        Some((version.name.database, Arc::clone(&version.schema)))
    }
}

/// What a plan keeps of the versions that it was made for.
pub(in crate::session) fn known(versions: &Versions) -> Vec<KnownVersion> {
    let opened = versions.opened();
    let known = opened.iter().map(|version| KnownVersion {
        name: version.name.clone(),
        is_own: matches!(version.reader, Reader::Own),
        cookie: version.schema.cookie,
    });
    known.collect()
}

impl Session {
    /// The heads that a plan's versions are read from, beside those of the session.
    pub(in crate::session) fn version_heads(
        &self,
        known: &[KnownVersion],
    ) -> Result<Vec<(DatabaseIndex, HeadId)>> {
        let mut heads = Vec::new();
        for version in known.iter().filter(|version| is_now(&version.name)) {
            if let Place::Head(head) = self.place(&version.name)? {
                heads.push((version.name.database, head));
            }
        }
        Ok(heads)
    }

    /// Opens the versions of a plan; none if the plan was made for others.
    pub(in crate::session) fn reopen(
        &self,
        known: &[KnownVersion],
        sources: &[Option<SharedTransaction>],
    ) -> Result<Option<Versions>> {
        let versions = Versions::default();
        for version in known {
            self.open_version(version.name.clone(), sources, &versions)?;
            let opened = versions.opened();
            let is_same = opened.last().is_some_and(|opened| {
                matches!(opened.reader, Reader::Own) == version.is_own
                    && opened.schema.cookie == version.cookie
            });
            if !is_same {
                return Ok(None);
            }
        }
        Ok(Some(versions))
    }

    fn open_version(
        &self,
        name: VersionName,
        sources: &[Option<SharedTransaction>],
        versions: &Versions,
    ) -> Result<DatabaseIndex> {
        let number = versions.next()?;
        let (reader, schema) = match self.place(&name)? {
            Place::Own => (Reader::Own, Arc::default()),
            Place::Head(head) => {
                let transaction = sources.get(usize::from(name.database.0));
                let transaction = transaction.and_then(Clone::clone).ok_or_else(|| {
                    Error::new(ErrorKind::Internal, "the version's database is not in use")
                })?;
                let own = {
                    let mut transaction = transaction.borrow_mut();
                    let inner = transaction.inner_mut()?;
                    let own = inner.head();
                    inner.enlist_as_begun(head)?;
                    inner.use_head(own)?;
                    own
                };
                if let Some(branch) = &name.branch {
                    self.note_branch(name.database, &branch.text, head);
                }
                let reader = Reader::Head { transaction, head, own };
                let schema = self.version_schema(number, &name, &reader)?;
                (reader, schema)
            }
            Place::Past(view) => {
                let (database, _) = self.database(name.database)?;
                let pager = Arc::clone(database.manager().pager());
                let reader = Reader::Past(Arc::from(view), pager);
                let schema = self.version_schema(number, &name, &reader)?;
                (reader, schema)
            }
        };
        Ok(versions.push(Version { name, reader, schema }))
    }

    /// The schema of a version, whose tables have the version's number.
    fn version_schema(
        &self,
        number: DatabaseIndex,
        name: &VersionName,
        reader: &Reader,
    ) -> Result<Arc<Schema>> {
        let cookie = match reader {
            Reader::Past(view, pager) => read_cookie_of(pager, &view.forest())?,
            _ => reader.live(read_cookie).unwrap_or(Ok(0))?,
        };
        let key: SchemaKey = (number, name.database, cookie, self.generation.get());
        if let Some(known) = self.version_schemas.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let schema = self.with_stored_collations(|collations| {
            if let Reader::Past(view, pager) = reader {
                load_forest(pager, &view.forest(), number, collations)
            } else {
                let loaded = reader.live(|seen| load(seen, number, collations));
                loaded.unwrap_or_else(|| Ok(Schema::default()))
            }
        })?;
        let schema = Arc::new(schema);
        let mut kept = self.version_schemas.borrow_mut();
        if kept.len() >= SCHEMAS_MAX {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&schema));
        Ok(schema)
    }

    /// Refuses a branch or tag that the session's user may not read.
    fn check_readable(&self, database: &Database, name: &VersionName) -> Result<()> {
        let user = self.user();
        let Some(user) = user.as_deref() else { return Ok(()) };
        if !asks_rights(name.database, database)? {
            return Ok(());
        }
        let branches = database.branches()?;
        let tag = match &name.as_of {
            Some(PointInTime::Tag(tag)) => Some(tag),
            _ => None,
        };
        for name in name.branch.iter().chain(tag) {
            check_name(&branches, &name.text, user).map_err(|error| error.at(name.span))?;
        }
        Ok(())
    }

    /// The branch whose past is the session's; a fork's is that of the branch that it was made of.
    fn own_name(&self, database: &Database, own: HeadId) -> Result<String> {
        let origin = self.forked_from.get();
        let found = database.branches()?.with(|state| {
            let branch = state.branch_of(own.0).or_else(|| state.branch_of(origin?.0));
            branch.map(|branch| branch.name.clone())
        })?;
        found.ok_or_else(|| without_branch(database, own))
    }

    fn place(&self, name: &VersionName) -> Result<Place> {
        let (database, own) = self.database(name.database)?;
        self.check_readable(&database, name)?;
        if is_now(name) {
            let Some(branch) = &name.branch else { return Ok(Place::Own) };
            if let Some(head) = self.branch_read(name.database, &branch.text) {
                return Ok(if head == own { Place::Own } else { Place::Head(head) });
            }
            let place = now(&database, own, &branch.text);
            return place.map_err(|error| error.at(branch.span));
        }
        let Some(as_of) = &name.as_of else { return Ok(Place::Own) };
        let branches = database.branches()?;
        let span = match (&name.branch, as_of) {
            (Some(branch), _) | (None, PointInTime::Tag(branch)) => Some(branch.span),
            _ => None,
        };
        let view = match &name.branch {
            Some(branch) => branches.view(&branch.text, &point(self, as_of)?),
            None => branches.view(&self.own_name(&database, own)?, &point(self, as_of)?),
        };
        match view {
            Ok(view) => Ok(Place::Past(Box::new(view))),
            Err(error) => {
                let error = Error::from(error);
                Err(match span {
                    Some(span) => error.at(span),
                    None => error,
                })
            }
        }
    }
}

fn is_now(name: &VersionName) -> bool {
    matches!(name.as_of, None | Some(PointInTime::Now))
}

/// The branch called `name` as it is now, or the tag.
fn now(database: &Database, own: HeadId, name: &str) -> Result<Place> {
    let head_place = |head: HeadId| if head == own { Place::Own } else { Place::Head(head) };
    if name.eq_ignore_ascii_case(MAIN_NAME) && database.manager().head_count() == 1 {
        return Ok(head_place(MAIN));
    }
    let branches = database.branches()?;
    match branches.head(name) {
        Ok(head) => Ok(head_place(head)),
        Err(error) => {
            let Ok(tag) = branches.with(|state| state.tag(name).cloned())? else {
                return Err(error.into());
            };
            Ok(Place::Past(Box::new(branches.tag_view(&tag)?)))
        }
    }
}
