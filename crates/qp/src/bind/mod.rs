//! Binding: what the names of a statement mean, and with which types.
//!
//! The binder walks the syntax tree once and gives out slots, states and memories of the frames
//! that the statement will run in. Query blocks in expressions open a frame of their own; those
//! in FROM share the frame of the block around them. A block that is bound is planned at once
//! (`plan`), because an expression holds the plans of its subqueries.
//!
//! Neighbours: `scope` (names), `from`, `select`, `expression`, `function`; `plan` takes over
//! what is bound.

mod aggregated;
mod authorize;
mod common;
mod compound;
mod exists;
mod expression;
mod from;
mod function;
mod group;
mod naming;
mod operators;
mod order;
mod recorder;
mod scope;
mod select;
mod table;

use pandodb_ds::record::Collation;
use pandodb_ds::sync::Arc;

pub(crate) use aggregated::AggregatedBlock;
pub(crate) use authorize::denied;
pub use common::CommonScope;
pub(crate) use expression::no_row;
pub(crate) use from::LaterBlock;
use from::signs::Place;
pub use from::{Group, OuterRelation, Relation, RowsRelation, SemiRelation, TableRelation};
pub(crate) use from::{slot_column, split_and};
pub(crate) use group::{Grouping, WindowGroup, use_keys};
pub(crate) use naming::{Naming, unique_names};
pub(crate) use operators::{constant_list, parts, width};
pub(crate) use recorder::Recorder;
pub(crate) use scope::{Asked, Called, is_rowid_name};
pub use scope::{NameScope, ScopeColumn, ScopeTable};
pub use select::Block;
pub(crate) use select::{english_ordinal, keys_of, unique_slots};
pub(crate) use table::{FOREIGN, Named, OF_DEFINITION, OF_STATEMENT};

use crate::catalog::build::FindCollation;
use crate::catalog::{Attachment, DatabaseIndex, IndexColumn, Schema, Table, View};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::VersionName;
use crate::function::Registry;
use crate::limits::{self, Limits};
use crate::plan::{Layout, Node, Rules, SourceId};
use crate::scalar::{ColumnPlace, Scalar, SlotId, StateId};
use crate::store::TreeId;

/// A row of a table: its rowid (0 without) and its stored bytes.
pub type SampleRow = (i64, Vec<u8>);

/// What the planner asks of the data.
pub trait Statistics {
    /// How many rows a table has.
    fn rows(&self, source: SourceId, table: &Table) -> u64;

    /// How many keys of a tree lie from `from` (included) up to `to` (not included).
    fn count(&self, source: SourceId, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Option<u64>;

    /// About how many different values the first columns of a tree's keys have; `descending`
    /// tells the direction of each.
    fn distinct(&self, source: SourceId, tree: TreeId, descending: &[bool]) -> Option<f64>;

    /// What share of an index's neighbours are neighbours in their table, too: going from one to
    /// the row of the next is then a short way.
    fn neighbours(&self, source: SourceId, tree: TreeId) -> Option<f64>;

    /// A few rows from all over a table.
    fn sample(&self, source: SourceId, table: &Table) -> Option<Arc<Vec<SampleRow>>>;

    /// Takes note of what an index could answer; only those who look for indexes want to know.
    fn note(&self, _: &dyn Fn() -> Option<Wish>) {}
}

/// What an index could answer of a way into a table.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where the table is.
    pub source: SourceId,
    /// The table.
    pub table: Arc<Table>,
    /// Columns that are held against one value, or a few.
    pub equals: Vec<IndexColumn>,
    /// Columns that are held against bounds.
    pub ranges: Vec<IndexColumn>,
    /// The order that is wanted.
    pub order: Vec<IndexColumn>,
}

/// Opens the versions that a statement names with `@branch` and `AS OF`.
pub trait FindVersion {
    /// The number that the version's tables have; the database's own for the session's branch.
    fn find(&self, name: VersionName) -> Result<DatabaseIndex>;

    /// The database that a number of a version belongs to, and the version's schema.
    fn opened(&self, database: DatabaseIndex) -> Option<(DatabaseIndex, Arc<Schema>)>;
}

/// What a statement is bound against.
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Environment<'e> {
    /// The schemas of `main`, `temp` and attached databases, by [`DatabaseIndex`].
    pub schemas: &'e [Arc<Schema>],
    /// Their names.
    pub names: &'e [Box<str>],
    /// Which databases they are of.
    pub attachments: &'e [Attachment],
    /// Functions.
    pub functions: &'e Registry,
    /// Collations by name.
    pub collations: FindCollation<'e>,
    /// The name of a collation that a schema has and nobody registered.
    pub missing_collation: &'e dyn Fn(Collation) -> Option<Box<str>>,
    /// Other branches and times.
    pub versions: &'e dyn FindVersion,
    /// Row counts.
    pub statistics: &'e dyn Statistics,
    /// Whether foreign keys are enforced.
    pub foreign_keys: bool,
    /// Whether a name in double quotes that fits nothing is a text.
    pub double_quoted_strings: bool,
    /// Whether LIKE tells small letters from capitals.
    pub case_sensitive_like: bool,
    /// What functions ask of the session.
    pub session: &'e dyn crate::function::Session,
    /// What the planner may do.
    pub rules: Rules,
    /// Whether tables are read backwards where nothing asks for an order.
    pub reverse_unordered: bool,
    /// Who is asked for what the statement would do.
    pub(crate) authorizer: Option<&'e dyn crate::authorize::Authorize>,
    /// Whether only names are looked up, as in SQLite where a definition is bound because another
    /// one changes: not which columns a change names, nor whether it could be done.
    pub is_lenient: bool,
    /// The limits of the session.
    pub limits: Limits,
}

/// Gives out the parts of a frame.
#[derive(Debug, Default)]
pub struct FrameBuilder {
    /// What was given out.
    pub layout: Layout,
    /// Columns of frames around it that were read, counted from the frame next to it.
    pub outer: Vec<ColumnPlace>,
}

/// Binds one statement.
pub struct Binder<'e> {
    /// What names are looked up in.
    pub environment: &'e Environment<'e>,
    /// The text of the statement (or of the view, or trigger) that is being bound.
    pub text: Arc<str>,
    /// The frames from the outermost to the one that is being built.
    pub frames: Vec<FrameBuilder>,
    /// Names that can be seen, the innermost last.
    pub scopes: Vec<NameScope>,
    /// Common tables that can be seen, the innermost last.
    pub(crate) common: Vec<Arc<CommonScope>>,
    /// The highest parameter.
    pub parameters: u32,
    /// Names of parameters by number, counted from 0.
    pub parameter_names: Vec<Option<Box<str>>>,
    /// How many views, subqueries and triggers are being bound inside each other.
    pub(crate) nesting: u32,
    /// How many were bound so far.
    blocks: u32,
    /// The database that unqualified names of a view or trigger are looked up in first.
    pub(crate) home: Option<DatabaseIndex>,
    /// The branch that names without `@` mean, where the statement changes another one.
    pub(crate) reads_from: Option<crate::ast::Name>,
    /// Why subqueries, aggregates or parameters are not allowed here ("CHECK constraints").
    pub(crate) restricted: Option<&'static str>,
    /// Inside a trigger: RAISE is allowed.
    pub(crate) in_trigger: bool,
    /// The rows go because their table does: as in SQLite its own triggers do not fire, and keys
    /// that lead nowhere are passed by.
    pub(crate) drops: bool,
    /// The scope of the aggregate whose arguments are being bound.
    pub(crate) aggregate_scope: Option<usize>,
    /// The innermost scope up to that one which those arguments read.
    pub(crate) aggregate_reads: Option<usize>,
    /// The alias whose expression is bound where it is named.
    alias: Option<Box<str>>,
    /// Common tables that several places read are made once.
    pub(crate) shares: bool,
    /// Those that were looked at, by their numbers: none for one that is bound at each place.
    pub(crate) shared: Vec<(u32, Option<common::SharedTable>)>,
    /// How many common tables were seen.
    pub(crate) common_seen: u32,
    /// The rows of recursive parts being bound that have their reader: frame and slot.
    pub(crate) rows_taken: Vec<(usize, SlotId)>,
    /// Subqueries of comparisons that may become joins.
    pub(crate) aggregated: Vec<AggregatedBlock>,
    /// In how many arguments of functions that read JSON what is being bound stands.
    pub(crate) json_readers: u32,
    /// Where the SELECT stands that is bound next.
    pub(crate) place: Place,
    /// How many calls were bound that never give the same result twice.
    pub(crate) volatile_calls: u32,
    /// Notes where a text names a table or a column, for ALTER TABLE.
    pub(crate) recorder: Option<Recorder>,
    /// The views that are being bound, the innermost last.
    views: Vec<Arc<View>>,
    /// The texts around the view that is being bound, the outermost first.
    texts_around: Vec<Arc<str>>,
    /// The views, triggers and common tables that are being bound, the innermost last.
    pub(crate) accessors: Vec<Box<str>>,
    /// How many definitions are being bound that the authorizer is not asked for.
    pub(crate) unasked: u32,
}

impl FrameBuilder {
    /// A new slot. Where numbers run out it is none of its own, and [`finished`](Self::finished)
    /// says so.
    pub(crate) fn slot(&mut self) -> SlotId {
        self.layout.slots = self.layout.slots.saturating_add(1);
        SlotId(u16::try_from(self.layout.slots - 1).unwrap_or(u16::MAX))
    }

    /// A new operator state, as [`slot`](Self::slot).
    pub(crate) fn state(&mut self) -> StateId {
        self.layout.states = self.layout.states.saturating_add(1);
        StateId(u16::try_from(self.layout.states - 1).unwrap_or(u16::MAX))
    }

    /// What the frame holds, if there was a number for each part.
    pub(crate) fn finished(&self) -> Result<Layout> {
        if self.layout.slots.max(self.layout.states) <= limits::FRAME_PARTS_MAX {
            return Ok(self.layout);
        }
        let message = "the statement has too many tables, subqueries and steps";
        Err(Error::new(ErrorKind::Limit, message).with_hint(format!(
            "one query block may have {}: store parts of the result in a table first",
            limits::FRAME_PARTS_MAX
        )))
    }
}

impl<'e> Binder<'e> {
    /// A binder for a statement with this text, with the outermost frame open.
    pub fn new(environment: &'e Environment<'e>, text: Arc<str>) -> Self {
        Self {
            environment,
            text,
            frames: vec![FrameBuilder::default()],
            scopes: Vec::new(),
            common: Vec::new(),
            parameters: 0,
            parameter_names: Vec::new(),
            nesting: 0,
            blocks: 0,
            home: None,
            reads_from: None,
            restricted: None,
            in_trigger: false,
            drops: false,
            views: Vec::new(),
            texts_around: Vec::new(),
            aggregate_scope: None,
            aggregate_reads: None,
            alias: None,
            shares: false,
            shared: Vec::new(),
            common_seen: 0,
            rows_taken: Vec::new(),
            aggregated: Vec::new(),
            json_readers: 0,
            place: Place::Alone,
            volatile_calls: 0,
            recorder: None,
            accessors: Vec::new(),
            unasked: 0,
        }
    }

    /// The frame that is being built.
    pub fn frame(&mut self) -> &mut FrameBuilder {
        if self.frames.is_empty() {
            self.frames.push(FrameBuilder::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    /// How deep the current frame is.
    pub fn frame_index(&self) -> usize {
        self.frames.len().saturating_sub(1)
    }

    /// A new slot of the current frame.
    pub fn slot(&mut self) -> SlotId {
        self.frame().slot()
    }

    /// A new operator state of the current frame.
    pub fn state(&mut self) -> StateId {
        self.frame().state()
    }

    /// A new call memory of the current frame.
    pub fn cache(&mut self) -> u32 {
        let layout = &mut self.frame().layout;
        layout.caches += 1;
        layout.caches - 1
    }

    /// A new subquery state of the current frame.
    pub fn subquery_state(&mut self) -> u32 {
        let layout = &mut self.frame().layout;
        layout.subqueries += 1;
        layout.subqueries - 1
    }

    /// The collation called `name`.
    pub fn collation(&self, name: &crate::ast::Name) -> Result<Collation> {
        crate::catalog::build::find_collation(self.environment.collations, name)
    }

    /// The database called `name`.
    pub fn database(&self, name: &crate::ast::Name) -> Result<DatabaseIndex> {
        let found = self.environment.names.iter().position(|known| name.is(known));
        found.map(|index| DatabaseIndex(index as u16)).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("unknown database {}", name.text)).at(name.span)
        })
    }

    /// Notes how high the expressions of a plan are that is about to be finished.
    pub(crate) fn note_height(&mut self, root: &Node, outputs: &[Scalar]) {
        fn below(node: &Node, most: &mut u32) {
            node.scalars(&mut |scalar| *most = scalar.height().max(*most));
            node.inputs(&mut |input| below(input, most));
        }
        let mut most = outputs.iter().map(Scalar::height).max().unwrap_or(0);
        below(root, &mut most);
        let layout = &mut self.frame().layout;
        layout.height = layout.height.max(most);
    }

    /// Notes that the expressions of a text, of so many bytes, are computed in the frame.
    pub(crate) fn note_text(&mut self, bytes: usize) {
        let layout = &mut self.frame().layout;
        layout.height = layout.height.max(limits::height_within(bytes));
    }

    /// Ends the planning of a statement that was interrupted or takes too long.
    pub(crate) fn check_stopped(&self) -> Result<()> {
        self.environment.session.check_stopped()
    }

    /// Counts a view, subquery or common table that is bound.
    fn count_block(&mut self) -> Result<()> {
        self.check_stopped()?;
        self.blocks += 1;
        if self.blocks <= limits::BLOCKS_MAX {
            return Ok(());
        }
        let message = "too many references to views and subqueries";
        Err(Error::new(ErrorKind::Limit, message).with_hint(format!(
            "there may be {}, each counted wherever it is read",
            limits::BLOCKS_MAX
        )))
    }

    /// Runs `work` one level deeper.
    pub(crate) fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= limits::BINDING_DEPTH_MAX {
            let message = "too many levels of views and subqueries";
            return Err(Error::new(ErrorKind::Limit, message)
                .with_hint(format!("there may be {}", limits::BINDING_DEPTH_MAX)));
        }
        self.count_block()?;
        self.nesting += 1;
        let result = limits::with_stack_for(self.text.len(), || work(self));
        self.nesting -= 1;
        result
    }
}
