//! Random calls of scalar functions.
//!
//! Neighbour: `pools` has the arguments.

use std::collections::BTreeSet;

use fastrand::Rng;
use pandodb_qp::function::{Function, FunctionKind, Registry, Value};
use rusqlite::Connection;

use super::pools::{draw, pools};
use super::{
    Differences, Outcome, as_text, from_sqlite, literal, message, ours, same, setting, to_sqlite,
};

/// Functions whose results cannot be compared.
const INCOMPARABLE: &[&str] = &[
    "random",
    "randomblob",
    "sqlite_version",
    "sqlite_source_id",
    "sqlite_compileoption_get",
    "sqlite_compileoption_used",
    "pando_version",
    "changes",
    "total_changes",
    "last_insert_rowid",
    "current_date",
    "current_time",
    "current_timestamp",
    "likelihood",
    "match",
    "regexp",
    "subtype",
];

/// Modifiers that apply a time zone, as literals.
const ZONES: &[&str] = &["\"utc\"", "\"localtime\""];

/// One call: the arguments as drawn, as they reach the function, and how SQL writes it.
struct Call {
    given: Vec<Value>,
    args: Vec<Value>,
    /// Which arguments come from `json()` and are JSON therefore.
    json: BTreeSet<usize>,
    sql: String,
}

impl Call {
    fn draw(rng: &mut Rng, function: &Function, json: &Function) -> Option<Self> {
        let name = &*function.name;
        let most = function.arity.max.unwrap_or(function.arity.min.max(1) + 4);
        let count = usize::from(rng.u16(function.arity.min..=most));
        let needed = if name == "strftime" { 2 } else { 1 };
        if count < needed && function.arity.max.is_none() {
            // Without arguments it is the clock that shows.
            return None;
        }
        let given: Vec<Value> = (0..count).map(|index| draw(rng, pools(name, index))).collect();
        let mut args = given.clone();
        let mut flags = BTreeSet::new();
        let mut parameters: Vec<String> = (1..=count).map(|index| format!("?{index}")).collect();
        for index in 0..count {
            if !function.traits.reads_json || rng.u8(..5) != 0 {
                continue;
            }
            let document = ours(json, &given[index..=index], &BTreeSet::new());
            if let Ok(document @ Value::Text(_)) = document {
                parameters[index] = format!("json(?{})", index + 1);
                args[index] = document;
                flags.insert(index);
            }
        }
        let sql = if name.starts_with('-') {
            format!("{} {name} {}", parameters[0], parameters[1])
        } else {
            format!("{name}({})", parameters.join(", "))
        };
        Some(Self { given, args, json: flags, sql })
    }

    fn theirs(&self, connection: &Connection) -> Outcome {
        connection
            .prepare_cached(&format!("SELECT {}", self.sql))
            .and_then(|mut statement| {
                let parameters = rusqlite::params_from_iter(self.given.iter().map(to_sqlite));
                statement.query_row(parameters, |row| Ok(from_sqlite(row.get_ref(0)?)))
            })
            .map_err(|error| message(&error))
    }
}

/// Whether a blob is JSONB by its header only.
fn is_damaged(arg: &Value, valid: &Function) -> bool {
    let is = |flags: i64| {
        ours(valid, &[arg.clone(), Value::Integer(flags)], &BTreeSet::new())
            == Ok(Value::Integer(1))
    };
    matches!(arg, Value::Blob(_)) && is(4) && !is(8)
}

#[test]
fn scalar_functions_give_what_sqlite_gives() {
    let connection = Connection::open_in_memory().unwrap();
    let known: BTreeSet<String> = connection
        .prepare("SELECT DISTINCT name FROM pragma_function_list")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut rng = Rng::with_seed(setting("SEED", 1));
    let mut differences = Differences::default();
    let json = Registry::new().find("json", 1).unwrap();
    let valid = Registry::new().find("json_valid", 2).unwrap();
    for function in Registry::new().functions() {
        let name = &*function.name;
        if function.kind() != FunctionKind::Scalar
            || INCOMPARABLE.contains(&name)
            || !(name.starts_with('-') || known.contains(name))
        {
            continue;
        }
        for _ in 0..setting("FUNCTION_CALLS", 400) {
            let Some(call) = Call::draw(&mut rng, &function, &json) else { continue };
            let mut theirs = call.theirs(&connection);
            let mut ours = ours(&function, &call.args, &call.json);
            if name.starts_with("jsonb") {
                // How long the headers of changed nodes are is not a promise.
                (ours, theirs) = (as_text(&json, ours), as_text(&json, theirs));
            }
            let has_zone = call.given.iter().any(|arg| ZONES.contains(&literal(arg).as_str()));
            if has_zone && ours == Ok(Value::Null) {
                // SQLite makes times out of impossible ones where a zone is applied to them.
                continue;
            }
            if name.starts_with("json") && call.given.iter().any(|arg| is_damaged(arg, &valid)) {
                // SQLite finds damage in one place, PandoDB in another.
                continue;
            }
            if !same(name, &ours, &theirs) {
                let given: Vec<String> = call.given.iter().map(literal).collect();
                let shown = format!("{} with {}", call.sql, given.join(", "));
                differences.note(name, &shown, &ours, &theirs);
            }
        }
    }
    differences.finish();
}
