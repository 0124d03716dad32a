//! The tables of built-in functions.
//!
//! One line says all that is known of a function: how it is called, how many arguments it
//! takes, what implements it. The reference manual is made from the same lines. Neighbours:
//! `registry` reads them, the modules named here implement them.

use std::borrow::Cow;

use super::aggregate::{
    Concatenation, Count, Extreme, Percentile, Shape, SlidingExtreme, Sum, SumResult, window,
};
use super::descriptor::{
    Accumulator, AccumulatorFactory, Aggregate, Arity, Determinism, Function, Implementation,
    ScalarFunction, TableFunction, Traits, WindowFunction,
};
use super::json::aggregate::Group;
use super::json::functions as json;
use super::json::table;
use super::{core, date_time, math, pattern, series, text};

/// One line of a table: usage (the name is what stands before the bracket), the fewest and
/// the most arguments, the implementation.
type Row = (&'static str, u16, u16, ScalarFunction);

/// In a [`Row`]: any number of arguments.
const ANY: u16 = u16::MAX;

const PURE: &[Row] = &[
    // Choice and type.
    ("sign(x)", 1, 1, core::sign),
    ("abs(x)", 1, 1, core::abs),
    ("round(x [, digits])", 1, 2, core::round),
    ("likely(x)", 1, 1, core::first_argument),
    ("unlikely(x)", 1, 1, core::first_argument),
    ("likelihood(x, probability)", 2, 2, core::first_argument),
    ("typeof(x)", 1, 1, core::type_of),
    ("zeroblob(length)", 1, 1, core::zero_blob),
    // Text.
    ("length(x)", 1, 1, text::length),
    ("octet_length(x)", 1, 1, text::octet_length),
    ("lower(x)", 1, 1, text::lower),
    ("upper(x)", 1, 1, text::upper),
    ("substr(x, start [, count])", 2, 3, text::substr),
    ("substring(x, start [, count])", 2, 3, text::substr),
    ("instr(x, y)", 2, 2, text::instr),
    ("replace(x, pattern, replacement)", 3, 3, text::replace),
    ("trim(x [, characters])", 1, 2, text::trim),
    ("ltrim(x [, characters])", 1, 2, text::ltrim),
    ("rtrim(x [, characters])", 1, 2, text::rtrim),
    ("concat(x, ...)", 1, ANY, text::concat),
    ("concat_ws(separator, x, ...)", 2, ANY, text::concat_ws),
    ("hex(x)", 1, 1, text::hex),
    ("unhex(x [, ignored])", 1, 2, text::unhex),
    ("char(code, ...)", 0, ANY, text::char),
    ("unicode(x)", 1, 1, text::unicode),
    ("soundex(x)", 1, 1, text::soundex),
    ("quote(x)", 1, 1, text::quote),
    ("unistr(x)", 1, 1, text::unistr),
    ("unistr_quote(x)", 1, 1, text::unistr_quote),
    ("printf(format, ...)", 0, ANY, super::print::printf),
    ("format(format, ...)", 0, ANY, super::print::printf),
    ("like(pattern, x [, escape])", 2, 3, pattern::like_function),
    ("glob(pattern, x)", 2, 2, pattern::glob_function),
    ("regexp(pattern, x)", 2, 2, pattern::regexp_function),
    ("match(pattern, x)", 2, 2, core::match_function),
    // Mathematics.
    ("acos(x)", 1, 1, math::acos),
    ("acosh(x)", 1, 1, math::acosh),
    ("asin(x)", 1, 1, math::asin),
    ("asinh(x)", 1, 1, math::asinh),
    ("atan(x)", 1, 1, math::atan),
    ("atan2(y, x)", 2, 2, math::atan2),
    ("atanh(x)", 1, 1, math::atanh),
    ("ceil(x)", 1, 1, math::ceil),
    ("ceiling(x)", 1, 1, math::ceil),
    ("cos(x)", 1, 1, math::cos),
    ("cosh(x)", 1, 1, math::cosh),
    ("degrees(x)", 1, 1, math::degrees),
    ("exp(x)", 1, 1, math::exp),
    ("floor(x)", 1, 1, math::floor),
    ("ln(x)", 1, 1, math::ln),
    ("log([base,] x)", 1, 2, math::log),
    ("log10(x)", 1, 1, math::log10),
    ("log2(x)", 1, 1, math::log2),
    ("mod(x, y)", 2, 2, math::modulo),
    ("pi()", 0, 0, math::pi),
    ("pow(x, y)", 2, 2, math::pow),
    ("power(x, y)", 2, 2, math::pow),
    ("radians(x)", 1, 1, math::radians),
    ("sin(x)", 1, 1, math::sin),
    ("sinh(x)", 1, 1, math::sinh),
    ("sqrt(x)", 1, 1, math::sqrt),
    ("tan(x)", 1, 1, math::tan),
    ("tanh(x)", 1, 1, math::tanh),
    ("trunc(x)", 1, 1, math::trunc),
];

/// Arguments that are not needed are not evaluated.
const LAZY: &[Row] = &[
    ("coalesce(x, y, ...)", 2, ANY, core::coalesce),
    ("ifnull(x, y)", 2, 2, core::coalesce),
    ("iif(condition, then, ... [, else])", 2, ANY, core::iif),
    ("if(condition, then, ... [, else])", 2, ANY, core::iif),
];

/// Texts are compared by the collation of the arguments.
const COLLATED: &[Row] = &[
    ("nullif(x, y)", 2, 2, core::nullif),
    ("min(x, y, ...)", 2, ANY, core::min),
    ("max(x, y, ...)", 2, ANY, core::max),
];

/// The same during a statement.
const STATEMENT: &[Row] = &[
    ("date(time, modifier, ...)", 0, ANY, date_time::date),
    ("time(time, modifier, ...)", 0, ANY, date_time::time),
    ("datetime(time, modifier, ...)", 0, ANY, date_time::date_time),
    ("julianday(time, modifier, ...)", 0, ANY, date_time::julian_day),
    ("unixepoch(time, modifier, ...)", 0, ANY, date_time::unix_epoch),
    ("strftime(format, time, modifier, ...)", 0, ANY, date_time::strftime),
    ("timediff(after, before)", 2, 2, date_time::time_diff),
    ("current_date()", 0, 0, date_time::date),
    ("current_time()", 0, 0, date_time::time),
    ("current_timestamp()", 0, 0, date_time::date_time),
    ("sqlite_version()", 0, 0, core::sqlite_version),
    ("sqlite_source_id()", 0, 0, core::sqlite_source_id),
    ("sqlite_compileoption_get(n)", 1, 1, core::compile_option),
    ("sqlite_compileoption_used(name)", 1, 1, core::has_compile_option),
    ("pando_version()", 0, 0, core::pando_version),
];

/// New at each call.
const VOLATILE: &[Row] = &[
    ("random()", 0, 0, core::random),
    ("randomblob(length)", 1, 1, core::random_blob),
    ("last_insert_rowid()", 0, 0, core::last_insert_rowid),
    ("changes()", 0, 0, core::changes),
    ("total_changes()", 0, 0, core::total_changes),
];

/// Look at whether an argument is JSON.
const READS_JSON: &[Row] = &[
    ("subtype(x)", 1, 1, core::subtype),
    ("jsonb_array(x, ...)", 0, ANY, json::jsonb_array),
    ("jsonb_object(label, value, ...)", 0, ANY, json::jsonb_object),
    ("jsonb_insert(json, path, value, ...)", 0, ANY, json::jsonb_insert),
    ("jsonb_set(json, path, value, ...)", 0, ANY, json::jsonb_set),
    ("jsonb_replace(json, path, value, ...)", 0, ANY, json::jsonb_replace),
    ("jsonb_array_insert(json, path, value, ...)", 0, ANY, json::jsonb_array_insert),
];

/// Look at whether an argument is JSON, and give JSON.
const READS_AND_RETURNS_JSON: &[Row] = &[
    ("json_array(x, ...)", 0, ANY, json::json_array),
    ("json_object(label, value, ...)", 0, ANY, json::json_object),
    ("json_quote(x)", 1, 1, json::json_quote),
    ("json_insert(json, path, value, ...)", 0, ANY, json::json_insert),
    ("json_set(json, path, value, ...)", 0, ANY, json::json_set),
    ("json_replace(json, path, value, ...)", 0, ANY, json::json_replace),
    ("json_array_insert(json, path, value, ...)", 0, ANY, json::json_array_insert),
];

/// Give JSON.
const RETURNS_JSON: &[Row] = &[
    ("json(x)", 1, 1, json::json_remove),
    ("json_remove(json, path, ...)", 0, ANY, json::json_remove),
    ("json_extract(json, path, ...)", 0, ANY, json::json_extract),
    ("json_patch(json, patch)", 2, 2, json::json_patch),
    ("->(json, path)", 2, 2, json::arrow),
];

/// Take JSON, and give something else.
const TAKES_JSON: &[Row] = &[
    ("jsonb(x)", 1, 1, json::jsonb_remove),
    ("jsonb_remove(json, path, ...)", 0, ANY, json::jsonb_remove),
    ("jsonb_extract(json, path, ...)", 0, ANY, json::jsonb_extract),
    ("jsonb_patch(json, patch)", 2, 2, json::jsonb_patch),
    ("->>(json, path)", 2, 2, json::double_arrow),
    ("json_array_length(json [, path])", 1, 2, json::json_array_length),
    ("json_type(json [, path])", 1, 2, json::json_type),
    ("json_pretty(json [, indent])", 1, 2, json::json_pretty),
    ("json_valid(x [, flags])", 1, 2, json::json_valid),
    ("json_error_position(x)", 1, 1, json::json_error_position),
];

/// Makes a state of an aggregate.
type New = fn() -> Box<dyn Accumulator>;

/// Aggregates: usage, arguments, the state for groups, the state for sliding windows.
const AGGREGATES: &[(&str, u16, u16, New, New)] = &[
    ("count(*)", 0, 0, || Box::new(Count::default()), || Box::new(Count::default())),
    ("count(x)", 1, 1, || Box::new(Count::default()), || Box::new(Count::default())),
    ("sum(x)", 1, 1, sum, sum),
    ("total(x)", 1, 1, total, total),
    ("avg(x)", 1, 1, average, average),
    ("group_concat(x [, separator])", 1, 2, concatenation, sliding_concatenation),
    ("string_agg(x, separator)", 2, 2, concatenation, sliding_concatenation),
    (
        "median(x)",
        1,
        1,
        || Box::new(Percentile::new(Shape::Median, false)),
        || Box::new(Percentile::new(Shape::Median, true)),
    ),
    (
        "percentile(x, percent)",
        2,
        2,
        || Box::new(Percentile::new(Shape::Percent, false)),
        || Box::new(Percentile::new(Shape::Percent, true)),
    ),
    (
        "percentile_cont(x, fraction)",
        2,
        2,
        || Box::new(Percentile::new(Shape::Continuous, false)),
        || Box::new(Percentile::new(Shape::Continuous, true)),
    ),
    (
        "percentile_disc(x, fraction)",
        2,
        2,
        || Box::new(Percentile::new(Shape::Discrete, false)),
        || Box::new(Percentile::new(Shape::Discrete, true)),
    ),
];

/// Aggregates that compare by the collation of their argument.
const COLLATED_AGGREGATES: &[(&str, u16, u16, New, New)] = &[
    ("min(x)", 1, 1, || Box::new(Extreme::least()), || Box::new(SlidingExtreme::least())),
    ("max(x)", 1, 1, || Box::new(Extreme::greatest()), || Box::new(SlidingExtreme::greatest())),
];

/// Aggregates that look at whether their argument is JSON; those of text give JSON.
const JSON_AGGREGATES: &[(&str, u16, u16, New, New)] = &[
    (
        "json_group_array(x)",
        1,
        1,
        || Box::new(Group::array(false, false)),
        || Box::new(Group::array(false, true)),
    ),
    (
        "jsonb_group_array(x)",
        1,
        1,
        || Box::new(Group::array(true, false)),
        || Box::new(Group::array(true, true)),
    ),
    (
        "json_group_object(label, value)",
        2,
        2,
        || Box::new(Group::object(false, false)),
        || Box::new(Group::object(false, true)),
    ),
    (
        "jsonb_group_object(label, value)",
        2,
        2,
        || Box::new(Group::object(true, false)),
        || Box::new(Group::object(true, true)),
    ),
];

fn sum() -> Box<dyn Accumulator> {
    Box::new(Sum::new(SumResult::Sum))
}

fn total() -> Box<dyn Accumulator> {
    Box::new(Sum::new(SumResult::Total))
}

fn average() -> Box<dyn Accumulator> {
    Box::new(Sum::new(SumResult::Average))
}

fn concatenation() -> Box<dyn Accumulator> {
    Box::new(Concatenation::default())
}

fn sliding_concatenation() -> Box<dyn Accumulator> {
    Box::new(Concatenation::sliding())
}

/// Window functions proper.
const WINDOWS: &[(&str, u16, u16, WindowFunction)] = &[
    ("row_number()", 0, 0, window::ROW_NUMBER),
    ("rank()", 0, 0, window::RANK),
    ("dense_rank()", 0, 0, window::DENSE_RANK),
    ("percent_rank()", 0, 0, window::PERCENT_RANK),
    ("cume_dist()", 0, 0, window::CUME_DIST),
    ("ntile(parts)", 1, 1, window::NTILE),
    ("lag(x [, offset [, default]])", 1, 3, window::LAG),
    ("lead(x [, offset [, default]])", 1, 3, window::LEAD),
    ("first_value(x)", 1, 1, window::FIRST_VALUE),
    ("last_value(x)", 1, 1, window::LAST_VALUE),
    ("nth_value(x, n)", 2, 2, window::NTH_VALUE),
];

/// Table-valued functions.
const TABLES: &[(&str, u16, u16, TableFunction)] = &[
    ("json_each(json [, path])", 1, 2, table::JSON_EACH),
    ("json_tree(json [, path])", 1, 2, table::JSON_TREE),
    ("jsonb_each(json [, path])", 1, 2, table::JSONB_EACH),
    ("jsonb_tree(json [, path])", 1, 2, table::JSONB_TREE),
    ("generate_series(start [, stop [, step]])", 1, 3, series::GENERATE_SERIES),
];

/// All built-in functions.
pub(super) fn functions() -> Vec<Function> {
    use Determinism::{Pure, Statement, Volatile};
    let plain = Traits::default();
    let lazy = Traits { is_lazy: true, ..plain };
    let reads = Traits { reads_json: true, ..plain };
    let returns = Traits { may_return_json: true, ..plain };
    let both = Traits { reads_json: true, may_return_json: true, ..plain };
    let tables: [(&[Row], Determinism, Traits); 9] = [
        (PURE, Pure, plain),
        (LAZY, Pure, lazy),
        (COLLATED, Pure, Traits { uses_collation: true, ..plain }),
        (STATEMENT, Statement, plain),
        (VOLATILE, Volatile, plain),
        (READS_JSON, Pure, reads),
        (READS_AND_RETURNS_JSON, Pure, both),
        (RETURNS_JSON, Pure, returns),
        (TAKES_JSON, Pure, plain),
    ];
    let scalar = tables.into_iter().flat_map(|(rows, determinism, traits)| {
        rows.iter().map(move |&(usage, min, max, implementation)| {
            let implementation = Implementation::Scalar(implementation);
            function(usage, min, max, determinism, traits, implementation)
        })
    });
    let collated = Traits { uses_collation: true, ..plain };
    let tables = [(AGGREGATES, plain), (COLLATED_AGGREGATES, collated), (JSON_AGGREGATES, both)];
    let aggregates = tables.into_iter().flat_map(|(rows, traits)| {
        rows.iter().map(move |&(usage, min, max, new, sliding)| {
            let implementation = Implementation::Aggregate(Aggregate {
                plain: AccumulatorFactory::Native(new),
                sliding: Some(AccumulatorFactory::Native(sliding)),
            });
            function(usage, min, max, Pure, traits, implementation)
        })
    });
    let windows = WINDOWS.iter().map(|&(usage, min, max, implementation)| {
        let implementation = Implementation::Window(implementation);
        function(usage, min, max, Pure, plain, implementation)
    });
    let tables = TABLES.iter().map(|&(usage, min, max, implementation)| {
        let implementation = Implementation::Table(implementation);
        function(usage, min, max, Pure, returns, implementation)
    });
    scalar.chain(aggregates).chain(windows).chain(tables).collect()
}

fn function(
    usage: &'static str,
    min: u16,
    max: u16,
    determinism: Determinism,
    traits: Traits,
    implementation: Implementation,
) -> Function {
    let name = usage.split_once('(').map_or(usage, |(name, _)| name);
    let arity = if max == ANY { Arity::at_least(min) } else { Arity::between(min, max) };
    Function { name: Cow::Borrowed(name), arity, determinism, traits, usage, implementation }
}
