//! Each rule of the planner against its own absence: the same query must have the same rows with
//! all rules, with none, and with each of them left out.
//!
//! Queries are made at random over tables that were made for the rules: keys and indexes of one
//! and two columns, descending, NOCASE, partial, on expressions, a table without rowid, typeless
//! columns whose values differ in kind, and NULLs everywhere.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::many_single_char_names,
    reason = "tests fail by panicking"
)]

use pandodb_ds::record::Value;

use super::Dice;
use crate::plan::Rules;
use crate::session::Session;
use crate::store::Database;

const SCHEMA: &str = "
    CREATE TABLE a(id INTEGER PRIMARY KEY, k INTEGER, s TEXT COLLATE NOCASE, x, f REAL);
    CREATE INDEX a_k ON a(k); CREATE INDEX a_s ON a(s, k DESC); CREATE INDEX a_x ON a(x);
    CREATE INDEX a_some ON a(f) WHERE k > 2; CREATE INDEX a_there ON a(f, k) WHERE x IS NOT NULL;
    CREATE INDEX a_len ON a(length(s));
    CREATE TABLE b(p TEXT, q INTEGER, r, PRIMARY KEY(p, q)) WITHOUT ROWID;
    CREATE INDEX b_q ON b(q, r);
    CREATE TABLE c(i INTEGER, j VARCHAR, t TEXT);
    CREATE INDEX c_t ON c(t); CREATE INDEX c_j ON c(j DESC);";

const VALUES: [&str; 14] = [
    "NULL", "0", "1", "2", "3", "5", "2.0", "2.5", "'a'", "'B'", "'ab'", "'Abc'", "'2'", "x'6162'",
];

fn filled(dice: &mut Dice) -> Session {
    let session = Session::new(Database::in_memory().unwrap());
    session.execute(SCHEMA).unwrap();
    for _ in 0..40 {
        let (k, x) = (dice.pick(&["NULL", "1", "2", "3", "4", "5"]), dice.pick(&VALUES));
        let (s, f) =
            (dice.pick(&["NULL", "'a'", "'A'", "'ab'", "'aB'", "'b'", "''"]), dice.below(9));
        session
            .execute(&format!("INSERT INTO a(k, s, x, f) VALUES({k}, {s}, {x}, {f}.5)"))
            .unwrap();
        let (p, q) = (dice.pick(&["'a'", "'b'", "'ab'", "'2'", "x'6162'"]), dice.below(6));
        session
            .execute(&format!("INSERT OR IGNORE INTO b VALUES({p}, {q}, {})", dice.pick(&VALUES)))
            .unwrap();
        let (i, j, t) = (dice.below(6), dice.pick(&VALUES), dice.pick(&VALUES));
        session.execute(&format!("INSERT INTO c VALUES({i}, {j}, {t})")).unwrap();
    }
    if dice.below(2) == 0 {
        session.execute("ANALYZE").unwrap();
    }
    session
}

const COLUMNS: [(&str, &[&str]); 3] = [
    ("a", &["a.id", "a.k", "a.s", "a.x", "a.f", "a.id"]),
    ("b", &["b.p", "b.q", "b.r"]),
    ("c", &["c.i", "c.j", "c.t", "c.rowid"]),
];

fn column(dice: &mut Dice, tables: &[usize]) -> &'static str {
    let table = tables[dice.below(tables.len())];
    dice.pick(COLUMNS[table].1)
}

fn condition(dice: &mut Dice, tables: &[usize], depth: usize) -> String {
    let one = column(dice, tables);
    let value = dice.pick(&VALUES);
    match dice.below(if depth == 0 { 9 } else { 20 }) {
        0 | 1 => format!("{one} = {value}"),
        2 => format!("{one} {} {value}", dice.pick(&["<", "<=", ">", ">=", "IS", "<>"])),
        3 => format!("{one} BETWEEN {value} AND {}", dice.pick(&VALUES)),
        4 => format!("{one} IN ({value}, {}, 3)", dice.pick(&VALUES)),
        5 => format!("{one} IS {}NULL", dice.pick(&["", "NOT "])),
        6 => format!("{one} LIKE '{}'", dice.pick(&["a%", "A%", "ab", "%b", "2%", "_b%", "a^%"])),
        7 => format!("{one} GLOB '{}'", dice.pick(&["a*", "A*", "*b", "2*", "[a]b"])),
        8 => format!("{one} = {}", column(dice, tables)),
        9 | 10 => {
            let (left, right) =
                (condition(dice, tables, depth - 1), condition(dice, tables, depth - 1));
            format!("({left} OR {right})")
        }
        11 => {
            let common = condition(dice, tables, 0);
            let (left, right) = (condition(dice, tables, 0), condition(dice, tables, 0));
            format!("(({common} AND {left}) OR ({common} AND {right}))")
        }
        12 => {
            let not = dice.pick(&["", "NOT "]);
            let other = dice.pick(&["i", "rowid"]);
            format!(
                "{not}EXISTS (SELECT * FROM c z WHERE z.{other} = {one} AND z.t IS NOT {value})"
            )
        }
        13 => format!(
            "{one} >= (SELECT {}(y.j) FROM c y WHERE y.i = {})",
            dice.pick(&["min", "max", "count"]),
            column(dice, tables)
        ),
        14 | 15 => rows_compared(dice, tables, value),
        _ => aggregate(dice, tables),
    }
}

/// A comparison of rows of values.
fn rows_compared(dice: &mut Dice, tables: &[usize], value: &str) -> String {
    let (one, two) = match dice.below(3) {
        0 => {
            let pairs = ["a.s, a.k", "a.k, a.id", "b.p, b.q", "b.q, b.r", "c.t, c.rowid"];
            let names: Vec<&str> = tables.iter().map(|table| COLUMNS[*table].0).collect();
            let pair = dice.pick(&pairs);
            match pair.split_once(", ").filter(|_| names.contains(&&pair[..1])) {
                Some(pair) => pair,
                None => (column(dice, tables), column(dice, tables)),
            }
        }
        _ => (column(dice, tables), column(dice, tables)),
    };
    let other = dice.pick(&VALUES);
    let operator = dice.pick(&["<", "<=", ">", ">=", "=", "IS", "<>"]);
    match dice.below(4) {
        0 => format!("({one}, {two}) IN (SELECT y.i, y.j FROM c y WHERE y.t IS NOT {value})"),
        1 => format!("({one}, {two}) IN (VALUES ({value}, {other}), ({other}, 1))"),
        2 => format!("({}, {value}) {operator} ({one}, {two})", column(dice, tables)),
        _ => format!("({one}, {two}) {operator} ({value}, {other})"),
    }
}

/// A comparison with an aggregate of what belongs to the row.
fn aggregate(dice: &mut Dice, tables: &[usize]) -> String {
    let value = dice.pick(&[
        "min(y.j)",
        "max(y.t)",
        "avg(y.i)",
        "avg(DISTINCT y.j)",
        "0.5 * avg(y.i)",
        "max(y.i) + count(*)",
        "sum(z.f)",
        "max(z.s)",
        "min(z.k) FILTER (WHERE z.id > 9)",
        "total(z.f) + min(z.f)",
    ]);
    let (one, two) = (column(dice, tables), column(dice, tables));
    let operator = dice.pick(&["=", "<", "<=", ">", ">=", "<>"]);
    let (left, right) = (column(dice, tables), dice.pick(&VALUES));
    let and = match dice.below(3) {
        0 => String::new(),
        1 => format!(" AND {left} = {right}"),
        _ => format!(" AND {left} > {right}"),
    };
    if value.contains("z.") {
        let from = dice.pick(&[
            "a z WHERE z.k = ",
            "a z WHERE z.s = ",
            "a z WHERE z.id = ",
            "a z WHERE z.x > ",
            "b y, a z WHERE z.k = y.q AND y.p = ",
            "a z JOIN c y ON y.i = z.k WHERE y.j = ",
        ]);
        return format!("{one} {operator} (SELECT {value} FROM {from}{two}{and})");
    }
    let from = dice.pick(&[
        "c y WHERE y.i = ",
        "c y WHERE y.j = ",
        "c y WHERE y.t = ",
        "c y JOIN b x ON x.q = y.i WHERE x.r = ",
        "c y WHERE 'x' || y.t = 'x' || ",
    ]);
    format!("(SELECT {value} FROM {from}{two}{and}) {operator} {one}")
}

/// Selects that are put together, in an order, with a limit; of some parts an index has the order.
fn compound(dice: &mut Dice) -> String {
    const PARTS: [&str; 9] = [
        "SELECT k, id FROM a",
        "SELECT f, k FROM a WHERE k > 1",
        "SELECT DISTINCT k, 1 FROM a",
        "SELECT q, length(p) FROM b",
        "SELECT q, count(*) FROM b GROUP BY q",
        "SELECT j, i FROM c",
        "SELECT i, j FROM c WHERE i IN (1, 3)",
        "SELECT t, i FROM c",
        "SELECT * FROM (VALUES (2, 1), (1.5, 3), (NULL, 'a'))",
    ];
    let mut sql = dice.pick(&PARTS).to_owned();
    for _ in 0..=dice.below(3) {
        let operator = dice.pick(&["UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
        sql = format!("{sql} {operator} {}", dice.pick(&PARTS));
    }
    let order = dice.pick(&["1, 2", "1 DESC, 2 DESC", "2, 1", "1 NULLS LAST, 2 DESC"]);
    let (limit, skip) = (dice.below(30), dice.below(4));
    match dice.below(4) {
        0 => format!("{sql} ORDER BY {order}"),
        1 => format!("SELECT * FROM ({sql}) ORDER BY {order} LIMIT {limit}"),
        _ => format!("{sql} ORDER BY {order} LIMIT {limit} OFFSET {skip}"),
    }
}

/// Conditions on groups and on distinct rows, joined to a table or not.
fn of_subquery(dice: &mut Dice) -> String {
    let inner = dice.pick(&[
        "SELECT k AS id, x AS k, max(s) AS s, count(*) AS x, 1 AS f FROM a GROUP BY k, x",
        "SELECT DISTINCT k AS id, s AS k, x AS s, x, f FROM a",
        "SELECT q AS id, r AS k, p AS s, min(r) AS x, 0 AS f FROM b GROUP BY 1, 2, 3",
        "SELECT k AS id, x AS k, s, id AS x, f FROM a UNION ALL SELECT i, j, t, 1, 2 FROM c",
        "SELECT id, k, upper(s) AS s, 1 AS x, f FROM a UNION SELECT i, 2, 'A', 1, 1.5 FROM c",
        "SELECT k AS id, id AS k, 'x' AS s, 1 AS x, 2 AS f FROM a EXCEPT
            SELECT q, i, 'x', count(*) - 1, 2 FROM b, c GROUP BY q, i",
        "SELECT k AS id, k, 'x' AS s, f AS x, f FROM a INTERSECT SELECT i, i, 'x', 1.5, 1.5
            FROM c UNION ALL SELECT DISTINCT q, 1, p, r, 0.5 FROM b",
        "SELECT k AS id, f AS k, s, row_number() OVER (PARTITION BY k, f ORDER BY id) AS x, \
            count(*) OVER (PARTITION BY k) AS f FROM a",
    ]);
    let joined = if dice.below(2) == 0 { " JOIN c ON c.i = a.id" } else { "" };
    let filter = condition(dice, &[0], 2);
    if dice.below(2) == 0 {
        // A common table that several places read.
        return format!(
            "WITH g AS ({inner}), h AS (SELECT id, count(*) AS n FROM g GROUP BY id)
             SELECT a.*, (SELECT max(id) FROM g), (SELECT n FROM h WHERE h.id IS a.id)
             FROM g AS a{joined} WHERE {filter} AND a.id IN (SELECT id FROM g WHERE k > 1)
               AND a.id <> (SELECT count(*) FROM h)"
        );
    }
    format!("SELECT a.* FROM ({inner}) a{joined} WHERE {filter}")
}

fn query(dice: &mut Dice) -> String {
    if dice.below(6) == 0 {
        return compound(dice);
    }
    let mut tables = vec![dice.below(3)];
    for _ in 0..dice.below(3) {
        let next = dice.below(3);
        if !tables.contains(&next) {
            tables.push(next);
        }
    }
    let mut from = COLUMNS[tables[0]].0.to_owned();
    for place in 1..tables.len() {
        let kind = dice.pick(&["JOIN", "JOIN", "LEFT JOIN"]);
        let on = condition(dice, &tables[..=place], 1);
        from = format!("{from} {kind} {} ON {on}", COLUMNS[tables[place]].0);
    }
    let mut terms = vec![condition(dice, &tables, 2)];
    for _ in 0..dice.below(3) {
        terms.push(condition(dice, &tables, 2));
    }
    let filter = terms.join(" AND ");
    let one = column(dice, &tables);
    if dice.below(5) == 0 {
        return of_subquery(dice);
    }
    let (first, second) = (column(dice, &tables), column(dice, &tables));
    match dice.below(10) {
        8 => format!(
            "SELECT {first}, {second} FROM {from} \
             ORDER BY {first}, {second}, quote({first}), quote({second}) LIMIT 9"
        ),
        9 => format!(
            "SELECT {first}, {second} FROM {from} WHERE {filter} \
             ORDER BY {first} DESC, {second}, quote({first}), quote({second}) LIMIT 7 OFFSET 2"
        ),
        0 => format!("SELECT count(*) FROM {from} WHERE {filter}"),
        1 => format!("SELECT min({one}) FROM {from} WHERE {filter}"),
        2 => format!("SELECT max({one}) FROM {from} WHERE {}", condition(dice, &tables, 0)),
        3 => format!("SELECT count(*) FROM {from} WHERE {}", condition(dice, &tables, 0)),
        4 => format!("SELECT {one}, count(*) FROM {from} WHERE {filter} GROUP BY 1"),
        // Which of equal values stands for them is not told.
        5 => format!(
            "SELECT CASE WHEN typeof(v) IN ('integer', 'real') THEN v * 1.0 ELSE lower(v) END \
             FROM (SELECT DISTINCT {one} AS v FROM {from} WHERE {filter} ORDER BY {one} DESC)"
        ),
        _ => format!("SELECT *, typeof({one}) FROM {from} WHERE {filter} ORDER BY {one}"),
    }
}

/// The rows of a query, in an order of their own.
fn rows(session: &Session, sql: &str) -> Vec<String> {
    let found = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let show = |row: &Vec<Value>| format!("{row:?}");
    let mut rows: Vec<String> = found.rows.iter().map(show).collect();
    rows.sort();
    rows
}

#[test]
fn a_rule_changes_no_result() {
    let runs: u64 = if cfg!(debug_assertions) { 4 } else { 40 };
    for seed in 1..=runs {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let session = filled(&mut dice);
        for _ in 0..60 {
            let sql = query(&mut dice);
            session.change_settings(|settings| settings.rules = Rules::none());
            let expected = rows(&session, &sql);
            session.change_settings(|settings| settings.rules = Rules::default());
            assert_eq!(rows(&session, &sql), expected, "seed {seed}, all rules: {sql}");
            let before = session.settings();
            session.change_settings(|settings| settings.batch_rows_min = u64::MAX);
            session.set_memory_limits(0, u64::MAX);
            assert_eq!(rows(&session, &sql), expected, "seed {seed}, from files: {sql}");
            session.change_settings(|settings| *settings = before);
            let eager = Rules::default().with(Rules::EAGER);
            session.change_settings(|settings| settings.rules = eager);
            assert_eq!(rows(&session, &sql), expected, "seed {seed}, eagerly: {sql}");
            for (name, rule) in Rules::EACH {
                session.change_settings(|settings| settings.rules = Rules::default().without(rule));
                assert_eq!(rows(&session, &sql), expected, "seed {seed}, without {name}: {sql}");
            }
        }
    }
}

#[test]
fn conditions_on_compounds_compare_as_they_were_bound() {
    let session = Session::new(Database::in_memory().unwrap());
    session
        .execute(
            "CREATE TABLE p(b TEXT, n INT); CREATE TABLE q(b TEXT); CREATE INDEX q_b ON q(b);
             INSERT INTO p VALUES ('4', 4), ('5', 5); INSERT INTO q VALUES ('4'), ('5')",
        )
        .unwrap();
    // A text is greater than every number where neither side is converted.
    let mixed = "SELECT p.b AS x FROM p JOIN q ON p.b = q.b UNION ALL SELECT 1";
    let ask =
        |filter: &str| super::rows(&session, &format!("SELECT x FROM ({mixed}) WHERE {filter}"));
    assert_eq!(ask("x > 4"), "4 5");
    assert_eq!(ask("x = 4"), "");
    assert_eq!(ask("x = '4'"), "4");
    assert_eq!(ask("x < 4"), "1");
    let union = "SELECT x FROM (SELECT n AS x FROM p UNION SELECT 4.0 EXCEPT SELECT 5) WHERE x < 9";
    assert_eq!(super::rows(&session, union), "4.0");
    // What stands for equal rows is whole again behind a condition that tells them apart.
    let typed = "SELECT typeof(x) FROM (SELECT 4.0 AS x UNION SELECT 4) WHERE typeof(x) = 'real'";
    assert_eq!(super::rows(&session, typed), "");
    let plan = super::rows(&session, &format!("EXPLAIN SELECT x FROM ({mixed}) WHERE x = '4'"));
    assert!(plan.contains("Filter: p.b = '4'"), "{plan}");
}
