//! Common tables that several places read: made once for the statement.
//!
//! Where a common table makes groups, leaves out repeats, puts selects together or orders its
//! rows, and the statement seems to name it more than once, it is planned in a frame of its own,
//! and all readers get the same rows. One that only joins and chooses dissolves into each place
//! that reads it, which can use indexes then; one that is named once takes the conditions of the
//! block around it. Neighbours: `common` itself binds the others,
//! `execute::operators::materialize` keeps the rows.

use pandodb_ds::sync::Arc;

use super::{CommonScope, refers_to};
use crate::ast;
use crate::bind::from::signs::JsonWay;
use crate::bind::from::{Group, Relation, RowsRelation, signed_column};
use crate::bind::naming::{Naming, unique_names};
use crate::bind::scope::{Asked, NameScope, ScopeColumn, ScopeTable};
use crate::bind::{Binder, Block, FrameBuilder};
use crate::error::Result;
use crate::plan::{Node, SelectPlan, Shared, SharedInput, choose_gears};
use crate::scalar::{JsonSign, SlotId};

/// A table whose rows several readers share, with what tells them of JSON in it.
pub(crate) type SharedTable = (Arc<SharedInput>, Arc<Signs>);

/// What tells the readers of a common table which of its columns are JSON.
#[derive(Debug)]
pub(crate) struct Signs {
    /// How JSON comes out of it.
    way: Option<JsonWay>,
    /// What tells of each column.
    told: Vec<JsonSign>,
}

impl Binder<'_> {
    /// Which of the tables of a WITH are named by several places, as far as the words tell: a
    /// column of the same name may count for one.
    pub(super) fn popular(&self, with: &ast::With) -> Vec<bool> {
        if !self.shares {
            return vec![false; with.tables.len()];
        }
        let is_popular = |table: &ast::CommonTable| {
            // What names itself makes its rows once all the same.
            let own = mentions(&table.select.to_string(), &table.name);
            mentions(&self.text, &table.name).saturating_sub(own) > 1
        };
        with.tables.iter().map(is_popular).collect()
    }

    /// A common table in FROM whose rows several readers share; false where it is none.
    pub(super) fn shared_reference(
        &mut self,
        common: &Arc<CommonScope>,
        name: &str,
        scope: &mut NameScope,
        group: &mut Group,
    ) -> Result<bool> {
        let is_asked = self.shares
            && common.is_popular
            && common.table.materialized != Some(false)
            && self.recorder.is_none()
            && self.restricted.is_none();
        if !is_asked {
            return Ok(false);
        }
        let known = self.shared.iter().find(|(number, _)| *number == common.number);
        let plan = if let Some((_, plan)) = known {
            plan.clone()
        } else {
            let plan = self.shared_plan(common)?;
            self.shared.push((common.number, plan.clone()));
            plan
        };
        let Some((plan, signs)) = plan else { return Ok(false) };
        let names: Vec<Box<str>> =
            common.table.columns.iter().map(|column| column.text.clone()).collect();
        if !names.is_empty() && names.len() != plan.plan.columns.len() {
            return Ok(false);
        }
        let (slot, state) = (self.slot(), self.state());
        let rows = plan.rows;
        let columns = shared_columns(&plan.plan, &signs.told, &names, slot);
        scope.ways.extend(signs.way.map(|way| way.into_slot(slot)));
        let label = common.table.name.text.clone();
        let node = Node::Shared(Box::new(Shared { plan, state, slot, label }));
        group.relations.push(Relation::Rows(Box::new(RowsRelation {
            node,
            slots: vec![slot],
            needs: Vec::new(),
            rows,
            is_cheap: true,
            sorted: false,
            later: None,
        })));
        scope.tables.push(ScopeTable {
            alias: Box::from(name),
            database: None,
            table: None,
            columns,
            rowid: None,
            slots: vec![slot],
            view: None,
            function: None,
            asked: Asked::Nothing,
        });
        Ok(true)
    }

    /// The plan of a common table in a frame of its own; none where it dissolves or reads what
    /// lies around.
    fn shared_plan(&mut self, common: &Arc<CommonScope>) -> Result<Option<SharedTable>> {
        let outer = std::mem::replace(&mut self.common, common.sight());
        let text = std::mem::replace(&mut self.text, common.text.clone());
        self.frames.push(FrameBuilder::default());
        let found = self.accessing(&common.table.name.text, |binder| binder.shared_block(common));
        let frame = self.frames.pop().unwrap_or_default();
        self.common = outer;
        self.text = text;
        let Some((block, signs)) = found? else { return Ok(None) };
        if !frame.outer.is_empty() {
            return Ok(None);
        }
        let number = self.shared.iter().filter(|(_, plan)| plan.is_some()).count() as u16;
        let plan = SelectPlan {
            root: block.root,
            outputs: block.outputs,
            columns: block.columns,
            layout: frame.finished()?,
            outer: Vec::new(),
            rows: block.rows,
        };
        let shared = SharedInput { plan, number, rows: block.rows.max(1.0) };
        Ok(Some((Arc::new(shared), signs)))
    }

    fn shared_block(&mut self, common: &Arc<CommonScope>) -> Result<Option<(Block, Arc<Signs>)>> {
        let select = &common.table.select;
        let mut block = if refers_to(select, &common.table.name) {
            self.nested(|binder| binder.recursive(common))?
        } else {
            // What is to be made is made once, even if it only joins and chooses.
            let may_dissolve = common.table.materialized != Some(true);
            self.nested(|binder| binder.select_in_from(select, may_dissolve))?
        };
        if block.group.is_some() {
            return Ok(None);
        }
        if let Some(later) = block.later.take() {
            (block.root, block.outputs, block.rows) = later.finish(self)?;
        }
        block.read_reals();
        if common.table.materialized == Some(true) {
            block.way = None;
        }
        let signs = Arc::new(Signs { way: block.way, told: self.add_signs(&mut block) });
        self.note_height(&block.root, &block.outputs);
        choose_gears(self, &mut block.root, &block.outputs, true);
        Ok(Some((block, signs)))
    }
}

/// The columns of a shared table, as a reader's slot holds them.
fn shared_columns(
    plan: &SelectPlan,
    told: &[JsonSign],
    names: &[Box<str>],
    slot: SlotId,
) -> Vec<ScopeColumn> {
    let block =
        Block { outputs: plan.outputs.clone(), columns: plan.columns.clone(), ..Block::default() };
    let declared = plan.columns.iter().map(|column| column.declared_type.clone());
    unique_names(&block, names, Naming::Query)
        .into_iter()
        .zip(declared)
        .zip(plan.outputs.iter().zip(told))
        .enumerate()
        .map(|(index, ((name, declared_type), (output, sign)))| ScopeColumn {
            name,
            scalar: signed_column(slot, index, output, *sign),
            hidden: false,
            merged: false,
            common: None,
            paired: None,
            declared_type,
        })
        .collect()
}

// Neighbours: `common`, `from`.

/// How often a text seems to name a table where tables stand.
fn mentions(text: &str, name: &ast::Name) -> usize {
    let words = crate::parse::tokens(text);
    let word = |place: Option<usize>| {
        let word = place.and_then(|place| words.get(place));
        word.map_or("", |(text, is_name)| if *is_name { "" } else { text.as_str() })
    };
    let is_reference = |place: &usize| {
        let (text, is_name) = &words[*place];
        let before = word(place.checked_sub(1));
        let (after, next) = (word(Some(place + 1)), word(Some(place + 2)));
        let is_definition = after == "as" && matches!(next, "(" | "not" | "materialized");
        *is_name
            && name.is(text)
            && matches!(before, "from" | "join" | "," | "(" | "in")
            && !matches!(after, "." | "(")
            && !is_definition
    };
    (0..words.len()).filter(is_reference).count()
}
