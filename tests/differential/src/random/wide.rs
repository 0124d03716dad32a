//! Random queries of what few queries use: JSON, dates, frames of all kinds.
//!
//! Nothing here depends on the clock or on the order of equal rows. Neighbours: `query`, which
//! has the common forms and asks for these; `ways` has JSON on its way through queries.

use super::expression::{Expressions, Source};
use super::query::Queries;
use super::schema::{chance, pick};
use super::script::{Check, Order, Step};

const FORMATS: &[&str] = &["%Y-%m-%d", "%H:%M:%f", "%j %w %W", "%s", "%J", "%G-%V %u", "%e %k %p"];
const MODIFIERS: &[&str] = &[
    "'+1 day'",
    "'-1 month'",
    "'+13 months'",
    "'start of month'",
    "'start of year'",
    "'weekday 3'",
    "'+1.5 hours'",
    "'-0001-02-03 04:05:06'",
    "'ceiling'",
    "'floor'",
    "'unixepoch'",
    "'auto'",
    "'subsec'",
    "'nonsense'",
];
const MOMENTS: &[&str] = &[
    "'2024-02-29'",
    "'2023-01-31 23:59:59.999'",
    "'12:34'",
    "'2000-01-01T00:00:00Z'",
    "'2024-03-10 01:02:03+02:30'",
    "2460000.5",
    "1700000000",
];
const PATHS: &[&str] = &["'$'", "'$[0]'", "'$[#-1]'", "'$[2].a'", "'$.a'", "'$[9]'", "'$[1'"];

/// JSON of a row's values, and calls on it.
fn json(scope: &mut Expressions<'_>) -> String {
    let (first, second, third) = (scope.value(1), scope.value(1), scope.value(0));
    let array = format!("json_array({first}, {second}, json_object('a', {third}, 'b', {first}))");
    let path = pick(scope.rng, PATHS);
    match scope.rng.u8(..14) {
        0 => array,
        1 => format!("json_extract({array}, {path})"),
        2 => format!("{array} -> {path}"),
        3 => format!("{array} ->> {path}"),
        4 => format!("json_type({array}, {path})"),
        5 => format!("json_set({array}, {path}, {third})"),
        6 => format!("json_insert({array}, '$[#]', {second})"),
        7 => format!("json_replace({array}, {path}, json('[1,2]'))"),
        8 => format!("json_remove({array}, {path})"),
        9 => {
            format!("json_patch('{{\"a\":1,\"b\":[2]}}', json_object('b', {first}, 'c', {second}))")
        }
        10 => format!("json_array_length({array}, {path})"),
        11 => format!("json(jsonb({array}))"),
        12 => format!("json_valid({first}) + json_error_position({second})"),
        _ => format!("json_quote({first})"),
    }
}

/// A moment that is computed from a value.
fn moment(scope: &mut Expressions<'_>) -> String {
    let start =
        if chance(scope.rng, 50) { pick(scope.rng, MOMENTS).to_owned() } else { scope.value(0) };
    let mut arguments = start;
    for _ in 0..scope.rng.usize(..3) {
        let modifier = if chance(scope.rng, 25) {
            format!("(CAST({} AS INTEGER) % 500) || ' days'", scope.value(0))
        } else {
            pick(scope.rng, MODIFIERS).to_owned()
        };
        arguments.push_str(&format!(", {modifier}"));
    }
    match scope.rng.u8(..7) {
        0 => format!("date({arguments})"),
        1 => format!("time({arguments})"),
        2 => format!("datetime({arguments})"),
        3 => format!("julianday({arguments})"),
        4 => format!("unixepoch({arguments})"),
        5 => format!("timediff({}, {})", pick(scope.rng, MOMENTS), pick(scope.rng, MOMENTS)),
        _ => format!("strftime('{}', {arguments})", pick(scope.rng, FORMATS)),
    }
}

impl Queries<'_> {
    /// JSON, dates, or a window of any frame.
    pub(super) fn wide_step(&mut self) -> Step {
        match self.rng.u8(..10) {
            0..=1 => self.computed_step(json),
            2 => self.each_step(),
            3..=4 => self.computed_step(moment),
            5..=6 => self.way_step(),
            _ => self.frames_step(),
        }
    }

    fn computed_step(&mut self, make: fn(&mut Expressions<'_>) -> String) -> Step {
        let (from, sources) = self.from();
        let filter = self.filter(&sources);
        let count = self.rng.usize(1..=2);
        let values: Vec<String> =
            (0..count).map(|_| make(&mut self.scope(sources.clone(), 0))).collect();
        self.ordered(format!("SELECT {} FROM {from}{filter}", values.join(", ")), count)
    }

    /// The rows of a document of each row.
    fn each_step(&mut self) -> Step {
        let (from, sources) = self.from();
        let mut scope = self.scope(sources, 0);
        let (first, second) = (scope.value(1), scope.value(0));
        let function = pick(scope.rng, &["json_each", "json_tree"]);
        let sql = format!(
            "SELECT j.key, j.value, j.type, j.atom, j.fullkey FROM (SELECT json_array({first}, \
             json_object('k', {second})) AS d FROM {from}) AS s, {function}(s.d) AS j"
        );
        Step { sql, check: Check::Query(Order::Any) }
    }

    /// An aggregate or a function of the position over any frame.
    fn frames_step(&mut self) -> Step {
        let Some((from, sources)) = self.few() else { return self.select_step() };
        let filter = self.filter(&sources);
        let mut scope = self.scope(sources.clone(), 0);
        let (value, key, partition) = (scope.value(1), scope.column(), scope.column());
        let condition = scope.condition(0);
        let unit = pick(scope.rng, &["ROWS", "ROWS", "GROUPS", "RANGE"]);
        let filtered = if chance(scope.rng, 20) {
            format!(" FILTER (WHERE {condition})")
        } else {
            String::new()
        };
        // What does not depend on the order of equal keys.
        let sets = [
            format!("count({value}){filtered}"),
            format!("total(length({value})){filtered}"),
            format!("min(quote({value})){filtered}"),
            format!("max(length({value})){filtered}"),
        ];
        let lists = [
            format!("group_concat(quote({value})){filtered}"),
            format!("group_concat(quote({value}), {value}){filtered}"),
            format!("json_group_array(quote({value})){filtered}"),
            format!("sum(length({value})){filtered}"),
            format!("avg(length({value})){filtered}"),
            format!("first_value({value})"),
            format!("nth_value({value}, 3)"),
            format!("lag({value}, -1, 'none')"),
            format!("lead({value}, 1 + length({value}) % 3)"),
            "percent_rank()".to_owned(),
            "cume_dist()".to_owned(),
        ];
        let is_set = unit == "RANGE" || scope.rng.bool();
        let function = if is_set {
            sets[scope.rng.usize(..sets.len())].clone()
        } else {
            lists[scope.rng.usize(..lists.len())].clone()
        };
        let direction = pick(scope.rng, &["", " DESC", " NULLS LAST", " DESC NULLS FIRST"]);
        let order = if unit == "RANGE" {
            format!("{key}{direction}")
        } else {
            format!("{key}{direction}, {}", decided_by(&sources))
        };
        let partition = if chance(scope.rng, 40) {
            format!("PARTITION BY {partition} ")
        } else {
            String::new()
        };
        let (start, end) = (bound(&mut scope, true), bound(&mut scope, false));
        let exclude = pick(
            scope.rng,
            &["", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE TIES", " EXCLUDE GROUP"],
        );
        let sql = format!(
            "SELECT quote({key}), {function} OVER ({partition}ORDER BY {order} {unit} BETWEEN \
             {start} AND {end}{exclude}) FROM {from}{filter}"
        );
        Step { sql, check: Check::Query(Order::Any) }
    }
}

/// What decides the order of rows, to the last bit: the columns, and behind them how they are
/// written, for values of two kinds may be equal.
pub(super) fn decided_by(sources: &[Source]) -> String {
    let columns = |source: &Source| -> Vec<String> {
        source.columns.iter().map(|column| format!("{}.{column}", source.alias)).collect()
    };
    let columns: Vec<String> = sources.iter().flat_map(columns).collect();
    format!("{}, quote({})", columns.join(", "), columns.join("), quote("))
}

fn bound(scope: &mut Expressions<'_>, is_start: bool) -> String {
    let distance = pick(scope.rng, &["0", "1", "2", "3", "1 + 1"]);
    match (scope.rng.u8(..5), is_start) {
        (0, true) => "UNBOUNDED PRECEDING".to_owned(),
        (0, false) => "UNBOUNDED FOLLOWING".to_owned(),
        (1..=2, _) => format!("{distance} PRECEDING"),
        (3, _) => "CURRENT ROW".to_owned(),
        _ => format!("{distance} FOLLOWING"),
    }
}
