//! Calls: scalar functions, aggregates, window functions.
//!
//! Neighbours: `group` gathers aggregates and windows, `crate::function` knows the functions.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::Binder;
use super::expression::no_row;
use super::group::{WindowGroup, computed_column};
use crate::ast::{self, FrameUnit, FunctionArguments, Over};
use crate::authorize::AuthAction;
use crate::error::{Error, Result};
use crate::function::{Function, FunctionKind};
use crate::limits::Limit;
use crate::plan::{AggregateCall, GroupKey, WindowBound, WindowCall, WindowFrame};
use crate::scalar::{Case, CompareRule, Scalar, Unary};
use crate::types::Affinity;

impl Binder<'_> {
    pub(crate) fn function_call(&mut self, call: &ast::FunctionCall) -> Result<Scalar> {
        let empty = Vec::new();
        let arguments = match &call.arguments {
            FunctionArguments::Star => &empty,
            FunctionArguments::List(arguments) => arguments,
        };
        let name = &call.name.text;
        let function = self.environment.functions.find(name, arguments.len())?;
        let most = self.environment.limits.get(Limit::FunctionArgument) as usize;
        if arguments.len() > most {
            let message = format!("too many arguments on function {name}");
            return Err(Error::invalid(message).with_hint(format!("there may be {most}")));
        }
        if !self.may(AuthAction::Function { function_name: &function.name }, None)? {
            return Ok(Scalar::NULL);
        }
        if let Some(over) = &call.over {
            return self.window_call(call, &function, arguments, over);
        }
        match function.kind() {
            FunctionKind::Aggregate => self.aggregate_call(call, &function, arguments),
            FunctionKind::Window => Err(self.misuse_of_window(call)),
            _ => {
                // DISTINCT says nothing of one row.
                if call.filter.is_some() || !call.order_by.is_empty() {
                    return Err(not_an_aggregate(call));
                }
                self.scalar_call(&function, arguments)
            }
        }
    }

    fn scalar_call(
        &mut self,
        function: &Arc<Function>,
        arguments: &[ast::Expression],
    ) -> Result<Scalar> {
        let reads_json = u32::from(function.traits.reads_json);
        self.json_readers += reads_json;
        let bound = self.expressions(arguments);
        self.json_readers -= reads_json;
        let mut arguments = bound?;
        for argument in &arguments {
            no_row(argument)?;
        }
        match &*function.name {
            // Hints say nothing to this planner.
            "likelihood" if !arguments.get(1).is_some_and(is_probability) => Err(Error::invalid(
                "second argument to likelihood() must be a constant between 0.0 and 1.0",
            )),
            "likely" | "unlikely" | "likelihood" => Ok(hinted(arguments.swap_remove(0))),
            "coalesce" | "ifnull" if function.traits.is_lazy => Ok(first_not_null(arguments)),
            "iif" | "if" if function.traits.is_lazy => Ok(conditional(arguments)),
            _ => {
                if let Some(place) = self.prohibits()
                    && !may_be_stored(function)
                {
                    return Err(super::expression::not_deterministic(place));
                }
                Ok(self.call(Arc::clone(function), arguments))
            }
        }
    }

    /// Binds the arguments of an aggregate, in which no aggregate may stand.
    fn aggregate_arguments(
        &mut self,
        call: &ast::FunctionCall,
        function: &Arc<Function>,
        arguments: &[ast::Expression],
    ) -> Result<AggregateCall> {
        if call.distinct && arguments.len() != 1 {
            let message = "DISTINCT aggregates must have exactly one argument";
            return Err(Error::invalid(message));
        }
        let arguments = self.expressions(arguments)?;
        for argument in &arguments {
            no_row(argument)?;
        }
        let filter = match &call.filter {
            Some(filter) => Some(self.expression(filter)?),
            None => None,
        };
        let order_by = self.sort_keys(&call.order_by)?;
        let collation = arguments.iter().find_map(Scalar::collation).unwrap_or_default();
        Ok(AggregateCall {
            function: Arc::clone(function),
            arguments,
            distinct: call.distinct,
            collation,
            order_by,
            filter,
        })
    }

    #[cold]
    fn misuse(&self, call: &ast::FunctionCall) -> Error {
        if self.scopes.last().is_some_and(|scope| scope.grouping.binds_keys) {
            return Error::invalid("aggregate functions are not allowed in the GROUP BY clause");
        }
        let name = &call.name.text;
        let is_order = self.scopes.last().is_some_and(|scope| scope.grouping.windows_allowed);
        Error::invalid(match &self.alias {
            Some(alias) if self.aggregate_scope.is_some() => {
                format!("misuse of aliased aggregate {alias}")
            }
            None if !is_order => format!("misuse of aggregate function {name}()"),
            _ => format!("misuse of aggregate: {name}()"),
        })
    }

    #[cold]
    fn misuse_of_window(&self, call: &ast::FunctionCall) -> Error {
        Error::invalid(match &self.alias {
            Some(alias) => format!("misuse of aliased window function {alias}"),
            None => format!("misuse of window function {}()", call.name.text),
        })
    }

    fn aggregate_call(
        &mut self,
        call: &ast::FunctionCall,
        function: &Arc<Function>,
        arguments: &[ast::Expression],
    ) -> Result<Scalar> {
        if self.scopes.is_empty() {
            return Err(self.misuse(call));
        }
        let current = self.scopes.len() - 1;
        // Inside of the arguments neither aggregates nor windows of this block may stand.
        let allowed = {
            let grouping = &mut self.scopes[current].grouping;
            let before = (grouping.aggregates_allowed, grouping.windows_allowed);
            (grouping.aggregates_allowed, grouping.windows_allowed) = (false, false);
            before
        };
        // It belongs to the innermost block whose columns it reads.
        let around = (self.aggregate_scope.replace(current), self.aggregate_reads.take());
        let bound = self.aggregate_arguments(call, function, arguments);
        let owner = self.aggregate_reads.unwrap_or(current);
        self.aggregate_scope = around.0;
        // Columns of a subquery inside of the arguments around are nothing to those.
        let reads =
            self.aggregate_reads.filter(|index| around.0.is_none_or(|scope| *index <= scope));
        self.aggregate_reads = around.1.max(reads);
        let grouping = &mut self.scopes[current].grouping;
        (grouping.aggregates_allowed, grouping.windows_allowed) = allowed;
        let bound = bound?;
        if !self.scopes[owner].grouping.aggregates_allowed {
            return Err(self.misuse(call));
        }
        let frame = self.scopes[owner].frame;
        if frame == self.frame_index() {
            let said = bound.arguments.iter().find_map(Scalar::explicit_collation);
            return Ok(as_said(self.add_aggregate(owner, bound), said));
        }
        let bound = self.outer_aggregate(owner, call, function, arguments)?;
        let said = bound.arguments.iter().find_map(Scalar::explicit_collation);
        let column = self.add_aggregate(owner, bound);
        Ok(as_said(self.lift(column, frame), said))
    }

    /// The arguments of an aggregate of a block further out, bound as they are computed: in that
    /// block's frame, which has other calls and subqueries than the one they stand in.
    fn outer_aggregate(
        &mut self,
        owner: usize,
        call: &ast::FunctionCall,
        function: &Arc<Function>,
        arguments: &[ast::Expression],
    ) -> Result<AggregateCall> {
        let around = (self.aggregate_scope.replace(owner), self.aggregate_reads);
        let allowed = std::mem::take(&mut self.scopes[owner].grouping.aggregates_allowed);
        let bound = self.in_block(owner, |binder| {
            binder.unasked(|binder| binder.aggregate_arguments(call, function, arguments))
        });
        self.scopes[owner].grouping.aggregates_allowed = allowed;
        (self.aggregate_scope, self.aggregate_reads) = around;
        bound
    }

    fn window_call(
        &mut self,
        call: &ast::FunctionCall,
        function: &Arc<Function>,
        arguments: &[ast::Expression],
        over: &Over,
    ) -> Result<Scalar> {
        if function.kind() == FunctionKind::Scalar {
            let message = format!("{}() may not be used as a window function", call.name.text);
            return Err(Error::invalid(message));
        }
        let Some(current) = self.scopes.len().checked_sub(1) else {
            return Err(self.misuse(call));
        };
        if self.scopes[current].frame != self.frame_index() {
            let error = self.misuse_of_window(call);
            return Err(error.with_hint("name the alias outside of subqueries"));
        }
        if !self.scopes[current].grouping.windows_allowed {
            return Err(self.misuse_of_window(call));
        }
        if call.distinct {
            let message = "DISTINCT is not supported for window functions";
            return Err(Error::invalid(message));
        }
        if call.filter.is_some() && function.kind() == FunctionKind::Window {
            let message = "FILTER clause may only be used with aggregate window functions";
            return Err(Error::invalid(message));
        }
        if !call.order_by.is_empty() {
            let name = &call.name.text;
            let message = format!("ORDER BY may not be used with non-aggregate {name}()");
            return Err(Error::invalid(message));
        }
        let window = self.resolve_window(over)?;
        self.scopes[current].grouping.windows_allowed = false;
        let bound = self.window_parts(call, function, arguments, &window);
        self.scopes[current].grouping.windows_allowed = true;
        let (partition_by, order_by, bound) = bound?;
        let returns_json = function.traits.may_return_json;
        let known = self.scopes[current]
            .grouping
            .windows
            .iter()
            .position(|known| known.same(&partition_by, &order_by));
        let place = if let Some(place) = known {
            place
        } else {
            let slot = self.slot();
            let windows = &mut self.scopes[current].grouping.windows;
            windows.push(WindowGroup { partition_by, order_by, calls: Vec::new(), slot });
            windows.len() - 1
        };
        let said = bound.call.arguments.iter().find_map(Scalar::explicit_collation);
        let group = &mut self.scopes[current].grouping.windows[place];
        group.calls.push(bound);
        let column = computed_column(group.slot, group.calls.len() - 1);
        // Other windows than the first are those of subqueries in SQLite.
        let is_json = returns_json && place == 0;
        let column = if is_json { Scalar::Json(Box::new(column)) } else { column };
        Ok(as_said(column, said))
    }

    /// The window that OVER means, with what a named base gives it.
    fn resolve_window(&self, over: &Over) -> Result<ast::Window> {
        let named = self.scopes.last().map_or(&[][..], |scope| &scope.grouping.named);
        match over {
            Over::Named(name) => find_window(named, name).cloned(),
            Over::Window(window) => extended(window, named),
        }
    }

    #[allow(clippy::type_complexity, reason = "the three parts go straight to one caller")]
    fn window_parts(
        &mut self,
        call: &ast::FunctionCall,
        function: &Arc<Function>,
        arguments: &[ast::Expression],
        window: &ast::Window,
    ) -> Result<(Vec<GroupKey>, Vec<crate::plan::SortKey>, WindowCall)> {
        let bound = self.aggregate_arguments(call, function, arguments)?;
        let mut partition_by = Vec::with_capacity(window.partition_by.len());
        for expression in &window.partition_by {
            let value = self.expression(expression)?;
            let collation = value.collation().unwrap_or_default();
            partition_by.push(GroupKey { value, collation });
        }
        let order_by = self.sort_keys(&window.order_by)?;
        let frame = self.window_frame(window.frame.as_ref(), order_by.len())?;
        Ok((partition_by, order_by, WindowCall { call: bound, frame }))
    }

    fn window_frame(
        &mut self,
        frame: Option<&ast::Frame>,
        order_terms: usize,
    ) -> Result<WindowFrame> {
        let Some(frame) = frame else {
            return Ok(WindowFrame {
                unit: FrameUnit::Range,
                start: WindowBound::Unbounded,
                end: WindowBound::CurrentRow,
                exclude: ast::FrameExclude::NoOthers,
            });
        };
        let end = frame.end.clone().unwrap_or(ast::FrameBound::CurrentRow);
        let rank = |bound: &ast::FrameBound| match bound {
            ast::FrameBound::UnboundedPreceding => 0,
            ast::FrameBound::Preceding(_) => 1,
            ast::FrameBound::CurrentRow => 2,
            ast::FrameBound::Following(_) => 3,
            ast::FrameBound::UnboundedFollowing => 4,
        };
        if rank(&frame.start) == 4 || rank(&end) == 0 || rank(&frame.start) > rank(&end) {
            return Err(Error::invalid("unsupported frame specification"));
        }
        let has_offset = |bound: &ast::FrameBound| rank(bound) % 2 == 1;
        if frame.unit == FrameUnit::Range
            && order_terms != 1
            && (has_offset(&frame.start) || has_offset(&end))
        {
            let message = "RANGE with offset PRECEDING/FOLLOWING requires one ORDER BY expression";
            return Err(Error::invalid(message));
        }
        Ok(WindowFrame {
            unit: frame.unit,
            start: self.window_bound(&frame.start)?,
            end: self.window_bound(&end)?,
            exclude: frame.exclude,
        })
    }

    fn window_bound(&mut self, bound: &ast::FrameBound) -> Result<WindowBound> {
        Ok(match bound {
            ast::FrameBound::UnboundedPreceding | ast::FrameBound::UnboundedFollowing => {
                WindowBound::Unbounded
            }
            ast::FrameBound::CurrentRow => WindowBound::CurrentRow,
            ast::FrameBound::Preceding(offset) => {
                WindowBound::Preceding(self.frame_offset(offset)?)
            }
            ast::FrameBound::Following(offset) => {
                WindowBound::Following(self.frame_offset(offset)?)
            }
        })
    }

    fn frame_offset(&mut self, offset: &ast::Expression) -> Result<Scalar> {
        let bound = self.expression(offset)?;
        // As in SQLite an offset that is not constant is none: it is refused when it is used.
        Ok(if is_written_constant(offset) { bound } else { Scalar::NULL })
    }
}

/// The windows that a block names. Each may extend those before it alone, and is refused even if
/// nothing uses it; but for the first, as in SQLite.
pub(super) fn named_windows(
    windows: &[(ast::Name, ast::Window)],
) -> Result<Vec<(ast::Name, ast::Window)>> {
    let mut named: Vec<(ast::Name, ast::Window)> = Vec::with_capacity(windows.len());
    for (name, window) in windows {
        let window = if named.is_empty() { window.clone() } else { extended(window, &named)? };
        named.push((name.clone(), window));
    }
    Ok(named)
}

/// The window called `name`: of several the last one.
fn find_window<'w>(
    named: &'w [(ast::Name, ast::Window)],
    name: &ast::Name,
) -> Result<&'w ast::Window> {
    let no_window = |name: &ast::Name| Error::not_found("window", &name.text).at(name.span);
    let found = named.iter().rev().find(|(known, _)| known == name);
    let (_, window) = found.ok_or_else(|| no_window(name))?;
    match &window.base {
        Some(base) => Err(no_window(base)),
        None => Ok(window),
    }
}

/// A window with what the named one that it extends gives it.
fn extended(window: &ast::Window, named: &[(ast::Name, ast::Window)]) -> Result<ast::Window> {
    let mut window = window.clone();
    let Some(name) = window.base.take() else { return Ok(window) };
    let base = find_window(named, &name)?;
    let problem = if !window.partition_by.is_empty() {
        Some("PARTITION clause")
    } else if !window.order_by.is_empty() && !base.order_by.is_empty() {
        Some("ORDER BY clause")
    } else if base.frame.is_some() {
        Some("frame specification")
    } else {
        None
    };
    if let Some(problem) = problem {
        let message = format!("cannot override {problem} of window: {}", name.text);
        return Err(Error::invalid(message).at(name.span));
    }
    window.partition_by.clone_from(&base.partition_by);
    if window.order_by.is_empty() {
        window.order_by.clone_from(&base.order_by);
    }
    Ok(window)
}

/// Whether an expression is constant as it is written: no function, column or subquery in it.
fn is_written_constant(expression: &ast::Expression) -> bool {
    use ast::ExpressionKind as Kind;
    let all = |list: &[ast::Expression]| list.iter().all(is_written_constant);
    match &expression.kind {
        Kind::Literal(
            ast::Literal::CurrentDate | ast::Literal::CurrentTime | ast::Literal::CurrentTimestamp,
        ) => false,
        Kind::Literal(_) | Kind::Parameter(_) => true,
        Kind::Column(column) => {
            column.table.is_none() && (column.column.is("true") || column.column.is("false"))
        }
        Kind::Unary(_, operand) | Kind::IsNull(operand, _) => is_written_constant(operand),
        Kind::Chain(chain) => {
            is_written_constant(&chain.first)
                && chain.rest.iter().all(|(operator, operand)| {
                    // These are functions in SQLite.
                    !matches!(
                        operator,
                        ast::BinaryOperator::Extract | ast::BinaryOperator::ExtractText
                    ) && is_written_constant(operand)
                })
        }
        Kind::Collate(collate) => is_written_constant(&collate.operand),
        Kind::Cast(cast) => is_written_constant(&cast.operand),
        Kind::Between(between) => {
            is_written_constant(&between.operand)
                && is_written_constant(&between.low)
                && is_written_constant(&between.high)
        }
        Kind::In(condition) => match &condition.set {
            ast::InSet::List(list) => is_written_constant(&condition.operand) && all(list),
            _ => false,
        },
        Kind::Case(case) => {
            case.operand.iter().chain(&case.otherwise).all(is_written_constant)
                && case
                    .branches
                    .iter()
                    .all(|(when, then)| is_written_constant(when) && is_written_constant(then))
        }
        Kind::Row(parts) => all(parts),
        Kind::Like(_) | Kind::Quantified(_) | Kind::Function(_) => false,
        Kind::Exists(_) | Kind::Subquery(_) | Kind::Raise(..) => false,
    }
}

/// Whether a function may stand in the schema: its results never change, or it is one of time
/// and date, of which each call is looked at.
fn may_be_stored(function: &Function) -> bool {
    const TIMES: [&str; 7] =
        ["date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"];
    function.is_deterministic() || TIMES.contains(&&*function.name)
}

/// `coalesce(a, b, ..)`: CASE WHEN a IS NOT NULL THEN a ..
///
/// Operands that are cheap to compute twice are; others would be, too, so they stay a call's
/// arguments by way of nested CASE with the operand compared to nothing.
fn first_not_null(mut arguments: Vec<Scalar>) -> Scalar {
    let otherwise = arguments.pop();
    let branches = arguments
        .into_iter()
        .map(|argument| {
            let when = Scalar::IsNull(Box::new(argument.clone()), true);
            (when, CompareRule::default(), argument)
        })
        .collect();
    Scalar::Case(Box::new(Case { operand: None, branches, otherwise, merges: false }))
}

/// `iif(a, b, .., z)`: CASE WHEN a THEN b .. ELSE z
fn conditional(arguments: Vec<Scalar>) -> Scalar {
    let mut branches = Vec::new();
    let mut rest = arguments.into_iter();
    let mut otherwise = None;
    while let Some(when) = rest.next() {
        match rest.next() {
            Some(then) => branches.push((when, CompareRule::default(), then)),
            None => otherwise = Some(when),
        }
    }
    Scalar::Case(Box::new(Case { operand: None, branches, otherwise, merges: false }))
}

/// The call as a block `depth` frames further out reads it.
/// The result of an aggregate as it compares: a COLLATE in an argument holds for the call, as it
/// does for calls of other functions.
fn as_said(result: Scalar, said: Option<pandodb_ds::record::Collation>) -> Scalar {
    match said {
        Some(collation) => Scalar::Collate(Box::new(result), collation),
        None => result,
    }
}

#[cold]
fn not_an_aggregate(call: &ast::FunctionCall) -> Error {
    let name = &call.name.text;
    let message = if call.filter.is_some() {
        format!("FILTER may not be used with non-aggregate {name}()")
    } else {
        format!("ORDER BY may not be used with non-aggregate {name}()")
    };
    Error::invalid(message)
}

/// Whether it is written as a number with a point, from 0.0 to 1.0.
fn is_probability(scalar: &Scalar) -> bool {
    matches!(scalar, Scalar::Literal(Value::Real(share)) if (0.0..=1.0).contains(share))
}

/// What a hint is about: a condition stays one, but a column has no affinity inside of a call.
fn hinted(argument: Scalar) -> Scalar {
    if argument.collation().is_some() && argument.explicit_collation().is_none() {
        // A column's collation is the column's alone.
        Scalar::Convert(Box::new(argument), Affinity::None, None, true)
    } else if argument.affinity() == Affinity::None {
        argument
    } else {
        Scalar::Unary(Unary::Plus, Box::new(argument))
    }
}
