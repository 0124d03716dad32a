//! Query blocks: SELECT and VALUES.
//!
//! The clauses are bound in the order in which they can refer to each other: FROM, WHERE, GROUP
//! BY, the result, HAVING, ORDER BY. Neighbours: `compound` (UNION and its kin), `order` (ORDER
//! BY and LIMIT), `plan::select` makes the plan.

use super::from::signs::{self, JsonWay, Place, Reader};
use super::from::{Group, slot_column};
use super::scope::NameScope;
use super::{Binder, ScopeTable};
use crate::ast::{self, ExpressionKind, ResultColumn, SelectCore, UnaryOperator};
use crate::authorize::AuthAction;
use crate::error::{Error, Result};
use crate::limits::{self, Limit};
use crate::plan::{GroupKey, Later, Node, OutputColumn, QueryParts, Rules, Values, finish_select};
use crate::scalar::{Scalar, SlotId};
use crate::span::Span;
use crate::types::Affinity;

/// A query block that is bound and, unless it dissolves into the block around it, planned.
#[derive(Debug, Default)]
pub struct Block {
    /// What makes the rows.
    pub root: Node,
    /// What is read of each.
    pub outputs: Vec<Scalar>,
    /// What the results are called.
    pub columns: Vec<OutputColumn>,
    /// Set where the block only chooses and computes: then there is no plan, but these relations
    /// and predicates.
    pub group: Option<Group>,
    /// About how many rows.
    pub rows: f64,
    /// Set where the block is planned later, with conditions of the block around it: then there
    /// is no plan, but this.
    pub(crate) later: Option<Later>,
    /// Columns that hold reals for who reads the block in FROM, whatever its parts make whole.
    pub(crate) reals: Vec<usize>,
    /// How JSON comes out of it; none where it does not.
    pub(crate) way: Option<JsonWay>,
    /// Those out of the blocks that it reads, where it dissolves.
    pub(crate) ways: Vec<JsonWay>,
    /// It has a RIGHT or FULL JOIN.
    pub(crate) has_right_join: bool,
}

impl Block {
    /// Makes reals of the whole numbers in the columns that hold reals.
    pub(crate) fn read_reals(&mut self) {
        let outputs = match &mut self.later {
            Some(Later::Compound(compound)) => &mut compound.outputs,
            _ => &mut self.outputs,
        };
        for column in std::mem::take(&mut self.reals) {
            if let Some(output) = outputs.get_mut(column) {
                *output = as_real(std::mem::replace(output, Scalar::NULL));
            }
        }
    }
}

/// A column with reals in the place of its whole numbers.
pub(crate) fn as_real(column: Scalar) -> Scalar {
    let collation = column.collation().unwrap_or_default();
    Scalar::Convert(Box::new(column), Affinity::Real, Some(collation), false)
}

/// A column of the result before it is bound.
#[derive(Clone)]
pub(crate) enum Item {
    /// An expression with its alias.
    Expression(ast::Expression, Option<ast::Name>),
    /// A column that a star stands for.
    Column(Scalar, OutputColumn),
}

impl Binder<'_> {
    /// A SELECT with everything that belongs to it.
    pub fn select(&mut self, select: &ast::Select, may_dissolve: bool) -> Result<Block> {
        if !self.may(AuthAction::Select, None)? {
            return self.without_rows(select);
        }
        self.select_unasked(select, may_dissolve)
    }

    /// A SELECT in FROM.
    pub(super) fn select_in_from(
        &mut self,
        select: &ast::Select,
        may_dissolve: bool,
    ) -> Result<Block> {
        self.place = Place::From;
        self.select(select, may_dissolve)
    }

    /// A SELECT that the application is not asked for; what it reads it is.
    pub(crate) fn select_unasked(
        &mut self,
        select: &ast::Select,
        may_dissolve: bool,
    ) -> Result<Block> {
        let place = std::mem::take(&mut self.place);
        let before = self.with(select.with.as_ref())?;
        let block = match (&select.first, select.compounds.is_empty()) {
            (SelectCore::Query(query), true) => {
                self.query((query, place), &select.order_by, select.limit.as_ref(), may_dissolve)
            }
            (SelectCore::Values(rows), true) if select.order_by.is_empty() => {
                self.values(rows).and_then(|block| self.limited(block, select.limit.as_ref()))
            }
            _ => self.compound(select, may_dissolve),
        };
        self.common.truncate(before);
        let most = self.environment.limits.get(Limit::Column) as usize;
        match block {
            Ok(block) if block.outputs.len() > most => {
                Err(Error::invalid("too many columns in result set")
                    .with_hint(format!("there may be {most}")))
            }
            block => block,
        }
    }

    /// A SELECT that is left out: bound as any other, and cut to no row.
    fn without_rows(&mut self, select: &ast::Select) -> Result<Block> {
        let none = ast::Expression {
            kind: ExpressionKind::Literal(ast::Literal::Integer(0)),
            span: select.span,
        };
        let limit = Some(ast::Limit { count: none, offset: None });
        let cut = ast::Select { limit, ..select.clone() };
        self.unasked(|binder| binder.select(&cut, false))
    }

    /// One part of a compound.
    pub(crate) fn core_block(
        &mut self,
        core: &SelectCore,
        order_by: &[ast::OrderTerm],
    ) -> Result<Block> {
        match core {
            SelectCore::Query(query) => self.query((query, Place::Part), order_by, None, false),
            SelectCore::Values(rows) => self.values(rows),
        }
    }

    /// One part of a compound that waits for what is asked of its rows.
    pub(crate) fn core_parts(&mut self, core: &SelectCore) -> Result<Block> {
        let SelectCore::Query(query) = core else { return self.core_block(core, &[]) };
        let (mut parts, columns, mut scope) = self.bound_query(query, &[], None)?;
        let way = signs::settle(&mut parts, &mut scope, Reader::of(query, Place::Part));
        let outputs = parts.outputs.clone();
        let later = Some(Later::Query(Box::new(parts)));
        Ok(Block { outputs, columns, later, way, ..Block::default() })
    }

    fn limited(&mut self, block: Block, limit: Option<&ast::Limit>) -> Result<Block> {
        let Some(limit) = limit else { return Ok(block) };
        let (count, offset) = self.limit(limit)?;
        let state = self.state();
        let limit = crate::plan::Limit { input: block.root, state, count, offset };
        Ok(Block { root: Node::Limit(Box::new(limit)), ..block })
    }

    fn values(&mut self, rows: &[Vec<ast::Expression>]) -> Result<Block> {
        let frame = self.frame_index();
        self.scopes.push(NameScope { frame, ..NameScope::default() });
        let bound: Result<Vec<Vec<Scalar>>> =
            rows.iter().map(|row| self.expressions(row)).collect();
        self.scopes.pop();
        let bound = bound?;
        let width = bound.first().map_or(0, Vec::len);
        if let Some(place) = bound.iter().position(|row| row.len() != width) {
            let odd = rows[place].iter().map(|expression| expression.span).reduce(Span::to);
            let message = "all VALUES must have the same number of terms";
            return Err(Error::invalid(message).at(odd.unwrap_or_default()));
        }
        for value in bound.iter().flatten() {
            super::expression::no_row(value)?;
        }
        let columns = (1..=width)
            .map(|number| OutputColumn {
                name: format!("column{number}").into(),
                ..OutputColumn::default()
            })
            .collect();
        let (slot, state) = (self.slot(), self.state());
        let rows = bound.len() as f64;
        let outputs = match bound.first() {
            Some(first) => first
                .iter()
                .enumerate()
                .map(|(index, value)| slot_column(slot, index, value))
                .collect(),
            None => Vec::new(),
        };
        if let [row] = bound.as_slice() {
            let once = Node::Once(state);
            return Ok(Block {
                root: once,
                outputs: row.clone(),
                columns,
                rows,
                ..Block::default()
            });
        }
        let root = Node::Values(Box::new(Values { slot, state, rows: bound }));
        Ok(Block { root, outputs, columns, rows, ..Block::default() })
    }

    /// A SELECT without compounds, or a part of one.
    fn query(
        &mut self,
        (query, place): (&ast::Query, Place),
        order_by: &[ast::OrderTerm],
        limit: Option<&ast::Limit>,
        may_dissolve: bool,
    ) -> Result<Block> {
        let (mut parts, columns, mut scope) = self.bound_query(query, order_by, limit)?;
        let way = signs::settle(&mut parts, &mut scope, Reader::of(query, place));
        if may_dissolve && parts.can_dissolve() {
            return Ok(Block {
                root: Node::Empty,
                outputs: parts.outputs,
                columns,
                group: Some(parts.group),
                has_right_join: scope.has_right_join,
                way,
                ways: scope.ways,
                ..Block::default()
            });
        }
        if may_dissolve && parts.can_wait() && self.environment.rules.has(Rules::PUSH_DOWN) {
            let outputs = parts.outputs.clone();
            let later = Some(Later::Query(Box::new(parts)));
            return Ok(Block { outputs, columns, later, ..Block::default() });
        }
        let (root, outputs, rows) = finish_select(self, parts)?;
        let has_right_join = scope.has_right_join;
        Ok(Block { root, outputs, columns, rows, way, has_right_join, ..Block::default() })
    }

    /// The clauses of a query that nobody plans for itself.
    pub(super) fn query_parts(&mut self, query: &ast::Query) -> Result<QueryParts> {
        let (mut parts, _, mut scope) = self.bound_query(query, &[], None)?;
        signs::settle(&mut parts, &mut scope, Reader::of(query, Place::Alone));
        Ok(parts)
    }

    /// The clauses of a SELECT without compounds, its columns and the names that it knew.
    fn bound_query(
        &mut self,
        query: &ast::Query,
        order_by: &[ast::OrderTerm],
        limit: Option<&ast::Limit>,
    ) -> Result<(QueryParts, Vec<OutputColumn>, NameScope)> {
        let frame = self.frame_index();
        let common = Some(self.common.len());
        let mut scope = NameScope { frame, common, ..NameScope::default() };
        for column in &query.columns {
            if let ResultColumn::Expression(expression, Some(alias)) = column {
                scope.aliases.push((alias.clone(), expression.clone()));
            }
        }
        // ON and the arguments of functions see the aliases, too.
        let group = match &query.from {
            Some(from) => self.from(from, &mut scope)?,
            None => Group::default(),
        };
        scope.grouping.named = super::function::named_windows(&query.windows)?;
        self.scopes.push(scope);
        let parts = self.clauses(query, order_by, group);
        let parts = parts.and_then(|parts| self.may_name_tables().map(|()| parts));
        let mut scope = self.scopes.pop().unwrap_or_default();
        let (mut parts, columns) = parts?;
        parts.grouping = std::mem::take(&mut scope.grouping);
        parts.limit = match limit {
            Some(limit) => Some(self.limit(limit)?),
            None => None,
        };
        Ok((parts, columns, scope))
    }

    /// Everything behind FROM, in the scope that FROM made.
    fn clauses(
        &mut self,
        query: &ast::Query,
        order_by: &[ast::OrderTerm],
        mut group: Group,
    ) -> Result<(QueryParts, Vec<OutputColumn>)> {
        if let Some(filter) = &query.filter {
            self.filter(filter, &mut group)?;
        }
        let items = self.items(&query.columns)?;
        let mut keys = Vec::with_capacity(query.group_by.len());
        self.grouping().binds_keys = true;
        for expression in &query.group_by {
            let value = match ordinal(expression) {
                Some(number) => {
                    let clause = ("GROUP", expression.span);
                    let item = numbered(&items, number, clause, keys.len())?;
                    let value = self.item(&item)?.0;
                    self.with_collation(value, expression)?
                }
                None => self.expression(expression)?,
            };
            super::expression::no_row(&value).map_err(|error| error.at(expression.span))?;
            let collation = value.collation().unwrap_or_default();
            keys.push(GroupKey { value, collation });
        }
        if !keys.is_empty() {
            let slot = self.slot();
            self.grouping().slot = Some(slot);
            self.grouping().keys = keys;
        }
        self.grouping().binds_keys = false;
        self.grouping().aggregates_allowed = true;
        self.grouping().windows_allowed = true;
        let (mut outputs, mut columns) = (Vec::new(), Vec::new());
        for item in &items {
            let (scalar, column) = self.item(item)?;
            super::expression::no_row(&scalar).map_err(|error| match item {
                Item::Expression(expression, _) => error.at(expression.span),
                Item::Column(..) => error,
            })?;
            outputs.push(scalar);
            columns.push(column);
        }
        self.grouping().windows_allowed = false;
        if query.having.is_some()
            && self.grouping().keys.is_empty()
            && self.grouping().calls.is_empty()
        {
            return Err(Error::invalid("HAVING clause on a non-aggregate query"));
        }
        let having = match &query.having {
            Some(having) => Some(self.expression(having)?),
            None => None,
        };
        self.grouping().windows_allowed = true;
        // An aggregate in ORDER BY alone does not make groups.
        let is_grouped = !self.grouping().keys.is_empty() || !self.grouping().calls.is_empty();
        self.grouping().aggregates_allowed = is_grouped;
        let order_by = self.order_terms(order_by, &items, &outputs)?;
        let parts = QueryParts {
            group,
            grouping: super::group::Grouping::default(),
            having,
            outputs,
            distinct: query.distinct,
            order_by,
            limit: None,
            ends_early: false,
        };
        Ok((parts, columns))
    }

    /// What the innermost block gathers.
    pub(crate) fn grouping(&mut self) -> &mut super::group::Grouping {
        if self.scopes.is_empty() {
            self.scopes.push(NameScope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last].grouping
    }

    /// The columns of a result, stars written out.
    pub(crate) fn items(&mut self, columns: &[ResultColumn]) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(columns.len());
        for column in columns {
            match column {
                ResultColumn::Expression(expression, alias) => {
                    items.push(Item::Expression(expression.clone(), alias.clone()));
                }
                ResultColumn::Star(span) => {
                    let scope = self.scopes.last();
                    let tables = scope.map_or(&[][..], |scope| &scope.tables);
                    if tables.is_empty() {
                        return Err(Error::invalid("no tables specified").at(*span));
                    }
                    let first = scope.map_or(&[][..], |scope| &scope.shown_first);
                    let places = 0..tables.len();
                    let stars = places.map(|place| star(tables, place, Some(first))).collect();
                    self.allowed(stars, &mut items)?;
                }
                ResultColumn::TableStar(name) => {
                    let scope = self.scopes.last();
                    let tables = scope.map_or(&[][..], |scope| &scope.tables);
                    let places = 0..tables.len();
                    let stars: Vec<_> = places
                        .filter(|place| {
                            name.is(&tables[*place].alias)
                                || self.answers_to(&tables[*place], None, &name.text)
                        })
                        .map(|place| star(tables, place, None))
                        .collect();
                    if stars.is_empty() {
                        return Err(Error::not_found("table", &name.text).at(name.span));
                    }
                    self.allowed(stars, &mut items)?;
                }
            }
        }
        Ok(items)
    }

    /// Asks for the columns that stars stand for.
    fn allowed(&mut self, stars: Vec<Star>, items: &mut Vec<Item>) -> Result<()> {
        let scope = self.scopes.len() - 1;
        for (table, columns) in stars {
            for (column, scalar, output) in columns {
                let is_seen = self.may_read((scope, table, Some(column)))?;
                items.push(Item::Column(if is_seen { scalar } else { Scalar::NULL }, output));
            }
        }
        Ok(())
    }

    /// Binds a column of a result, which does not see the aliases of others.
    pub(crate) fn item(&mut self, item: &Item) -> Result<(Scalar, OutputColumn)> {
        match item {
            Item::Column(scalar, column) => {
                let frame = self.frame_index();
                Ok((self.lift(scalar.clone(), frame), column.clone()))
            }
            Item::Expression(expression, alias) => {
                let own = self.scopes.len().saturating_sub(1);
                let bound = self.without_aliases(own, |binder| binder.expression(expression));
                let scalar = bound?;
                let column = self.output_column(expression, alias.as_ref(), &scalar);
                Ok((scalar, column))
            }
        }
    }

    pub(super) fn declared_type_of(
        &self,
        expression: &ast::Expression,
        scalar: &Scalar,
    ) -> Option<Box<str>> {
        match &expression.kind {
            ExpressionKind::Column(_) if matches!(scalar, Scalar::Column(_)) => {
                self.visible_column(scalar).and_then(|(_, declared)| declared)
            }
            // A column that is computed where it is read.
            ExpressionKind::Column(reference) => {
                let tables = self.scopes.last().map_or(&[][..], |scope| &scope.tables);
                let mut columns = tables.iter().flat_map(|table| &table.columns);
                let found = columns
                    .find(|column| reference.column.is(&column.name) && column.scalar.same(scalar));
                found.and_then(|column| column.declared_type.clone())
            }
            _ => None,
        }
    }

    /// Name and declared type of the column in sight that is read by `scalar`.
    pub(super) fn visible_column(&self, scalar: &Scalar) -> Option<(Box<str>, Option<Box<str>>)> {
        let Scalar::Column(place) = scalar else { return None };
        let scope = self.scopes.last()?;
        if place.depth != 0 {
            return None;
        }
        let columns = scope.tables.iter().flat_map(|table| &table.columns);
        let found = columns.into_iter().find(|column| match &column.scalar {
            Scalar::Column(known) => (known.slot, known.column) == (place.slot, place.column),
            _ => false,
        });
        found.map(|column| (column.name.clone(), column.declared_type.clone()))
    }
}

/// What a star stands for of one table: the table's place, and for each column its own.
type Star = (usize, Vec<(usize, Scalar, OutputColumn)>);

/// The columns that a star stands for; one without a table's name has those in front that are
/// shown `first`.
fn star(tables: &[ScopeTable], place: usize, first: Option<&[(usize, usize)]>) -> Star {
    let is_bare = first.is_some();
    let mut shown: Vec<_> = tables[place].columns.iter().enumerate().collect();
    if let Some(first) = first.filter(|first| !first.is_empty()) {
        let rank = |column: usize| first.iter().position(|it| *it == (place, column));
        shown.sort_by_key(|(column, _)| rank(*column).unwrap_or(usize::MAX));
    }
    let shown = shown.into_iter();
    let shown = shown.filter(|(_, column)| !(column.hidden || is_bare && column.merged));
    let columns = shown.map(|(index, column)| {
        let scalar = match &column.common {
            Some(common) if is_bare => common.clone(),
            _ => column.scalar.clone(),
        };
        let output = OutputColumn {
            name: column.name.clone(),
            declared_type: column.declared_type.clone(),
            ..OutputColumn::default()
        };
        (index, scalar, output)
    });
    (place, columns.collect())
}

/// The number that an ORDER BY or GROUP BY term is, COLLATE aside.
pub(crate) fn ordinal(expression: &ast::Expression) -> Option<i64> {
    match &expression.kind {
        ExpressionKind::Collate(collate) => ordinal(&collate.operand),
        _ => signed(expression),
    }
}

/// The integer that is written with any signs; one of more than 32 bits is a constant like any
/// other, as in SQLite.
fn signed(expression: &ast::Expression) -> Option<i64> {
    match &expression.kind {
        ExpressionKind::Literal(ast::Literal::Integer(number)) => {
            Some(*number).filter(|number| i32::try_from(*number).is_ok())
        }
        ExpressionKind::Unary(UnaryOperator::Plus, operand) => signed(operand),
        ExpressionKind::Unary(UnaryOperator::Negate, operand) => signed(operand).map(|it| -it),
        _ => None,
    }
}

/// Column `number` of the result, which term `index` of a clause asks for.
pub(crate) fn numbered(
    items: &[Item],
    number: i64,
    (clause, span): (&str, Span),
    index: usize,
) -> Result<Item> {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    place.and_then(|place| items.get(place)).cloned().ok_or_else(|| {
        let ordinal = english_ordinal(index + 1);
        let count = items.len();
        Error::invalid(format!(
            "{ordinal} {clause} BY term out of range - should be between 1 and {count}"
        ))
        .at(span)
    })
}

/// 1st, 2nd, 3rd, 4th, ...
pub(crate) fn english_ordinal(number: usize) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

impl QueryParts {
    /// Whether the block can be planned when it is known what is asked of its rows: it makes
    /// groups, divides rows for windows or leaves out repeats, and conditions on what it does that
    /// by can go before.
    fn can_wait(&self) -> bool {
        let is_sure = |scalar: &Scalar| {
            !scalar.has_subquery()
                && !scalar.any(&mut |node| match node {
                    Scalar::Call(call) => !call.function.is_deterministic(),
                    _ => false,
                })
        };
        (!self.grouping.keys.is_empty() || self.distinct || !self.grouping.windows.is_empty())
            && self.order_by.is_empty()
            && self.limit.is_none()
            && !self.group.relations.is_empty()
            && self.outputs.iter().all(is_sure)
    }

    /// Whether the block only chooses and computes, so that the block around it can do both.
    fn can_dissolve(&self) -> bool {
        self.grouping.keys.is_empty()
            && self.grouping.calls.is_empty()
            && self.grouping.windows.is_empty()
            && self.having.is_none()
            && !self.distinct
            && self.order_by.is_empty()
            && self.limit.is_none()
            && !self.group.relations.is_empty()
            && self.group.slots().len() <= limits::DISSOLVED_TABLES_MAX
            && self.outputs.iter().all(|output| {
                output.is_small()
                    && !output.has_subquery()
                    && !output.any(&mut |node| match node {
                        Scalar::Call(call) => !call.function.is_deterministic(),
                        _ => false,
                    })
            })
    }
}

/// Keys that order rows by all of `outputs`.
pub(crate) fn keys_of(outputs: &[Scalar]) -> Vec<GroupKey> {
    outputs
        .iter()
        .map(|output| GroupKey {
            value: output.clone(),
            collation: output.collation().unwrap_or_default(),
        })
        .collect()
}

/// Slots of a frame, each once.
pub(crate) fn unique_slots(slots: impl IntoIterator<Item = SlotId>) -> Vec<SlotId> {
    let mut unique: Vec<SlotId> = Vec::new();
    for slot in slots {
        if !unique.contains(&slot) {
            unique.push(slot);
        }
    }
    unique
}
