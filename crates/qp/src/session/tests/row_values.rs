//! Comparisons of rows, as pages of a result ask them: `WHERE (a, b) > (?, ?) ORDER BY a, b`.
//!
//! What an index answers must be what looking at every row answers. Neighbours: `rules` does the
//! same with whole queries.

use super::{Dice, check, rows, session};
use crate::plan::Rules;
use crate::session::Session;

#[test]
fn an_order_of_rows_finds_the_same_with_and_without_an_index() {
    let session = session();
    for sql in [
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE, c INT)",
        "CREATE INDEX t_ab ON t(a, b)",
        "CREATE INDEX t_ba ON t(b DESC, a)",
        "CREATE TABLE w(a INT, b TEXT, PRIMARY KEY(a DESC, b)) WITHOUT ROWID",
    ] {
        session.execute(sql).unwrap();
    }
    let values = ["NULL", "0", "1", "2", "'1'", "'a'", "'A'", "1.5"];
    for a in values {
        for b in values {
            session.execute(&format!("INSERT INTO t(a, b, c) VALUES ({a}, {b}, {b})")).unwrap();
        }
        let keep = format!("INSERT OR IGNORE INTO w SELECT {a}, b FROM t WHERE b NOT NULL");
        session.execute(&keep).or_else(|_| session.execute("SELECT 1")).unwrap();
    }
    for operator in ["<", "<=", ">", ">=", "=", "<>"] {
        for x in values {
            for y in values {
                for (table, left) in [("t", "a, b"), ("t", "b, a"), ("t", "id, c"), ("w", "a, b")] {
                    for condition in [
                        format!("({left}) {operator} ({x}, {y})"),
                        format!("({x}, {y}) {operator} ({left})"),
                    ] {
                        // LIMIT keeps the condition outside, where no index is.
                        let scanned = format!("(SELECT * FROM {table} LIMIT 10000)");
                        let ask = |from: &str| {
                            format!("SELECT * FROM {from} WHERE {condition} ORDER BY 1, 2")
                        };
                        let found = rows(&session, &ask(table));
                        assert_eq!(found, rows(&session, &ask(&scanned)), "{}", ask(table));
                    }
                }
            }
        }
    }
}

#[test]
fn the_next_page_of_a_result_is_found_by_its_key() {
    let session = session();
    session
        .execute("CREATE TABLE p(room TEXT, n INT, PRIMARY KEY(room, n)) WITHOUT ROWID")
        .unwrap();
    session
        .execute(
            "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 500) \
             INSERT INTO p SELECT 'r' || (i % 5), i FROM s",
        )
        .unwrap();
    check(
        &session,
        "SELECT * FROM p WHERE (room, n) > ('r3', 493) ORDER BY room, n LIMIT 3",
        "r3|498 r4|4 r4|9",
    );
    let plan = rows(
        &session,
        "EXPLAIN SELECT * FROM p WHERE (room, n) > ('r3', 493) ORDER BY room, n LIMIT 3",
    );
    assert!(plan.contains("SEARCH p USING PRIMARY KEY ((room,n)>(?,?))"), "{plan}");
    assert!(!plan.contains("Sort") && !plan.contains("Filter"), "{plan}");
}

const SCHEMA: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT COLLATE NOCASE, c, d REAL);
    CREATE INDEX t_abc ON t(a, b, c); CREATE INDEX t_cba ON t(c DESC, b DESC, a DESC);
    CREATE INDEX t_bdc ON t(b, d DESC, c); CREATE INDEX t_c ON t(c); CREATE INDEX t_d ON t(d DESC);
    CREATE INDEX t_some ON t(d, a) WHERE c NOT NULL;
    CREATE TABLE w(a INT, b TEXT, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID;
    CREATE INDEX w_ca ON w(c, a)";

const VALUES: [&str; 9] = ["NULL", "0", "1", "2", "'1'", "'a'", "'A'", "1.5", "x'61'"];

fn filled(dice: &mut Dice) -> Session {
    let session = session();
    session.execute(SCHEMA).unwrap();
    for _ in 0..120 {
        let values = [0; 4].map(|_| dice.pick(&VALUES)).join(", ");
        session.execute(&format!("INSERT INTO t(a, b, c, d) VALUES ({values})")).unwrap();
        let key = [0; 2].map(|_| dice.pick(&VALUES[1..])).join(", ");
        let value = dice.pick(&VALUES);
        session.execute(&format!("INSERT OR IGNORE INTO w VALUES ({key}, {value})")).unwrap();
    }
    session
}

/// Columns of a table, each once, in an order of chance.
fn columns(dice: &mut Dice, table: &str) -> Vec<&'static str> {
    let mut all: Vec<&str> = match table {
        "t" => vec!["a", "b", "c", "d", "id"],
        _ => vec!["a", "b", "c"],
    };
    let count = 2 + dice.below(2);
    let mut chosen = Vec::new();
    while chosen.len() < count {
        chosen.push(all.remove(dice.below(all.len())));
    }
    chosen
}

fn row_condition(dice: &mut Dice, table: &str) -> String {
    let columns = columns(dice, table);
    let left = columns.join(", ");
    let values: Vec<&str> = columns.iter().map(|_| dice.pick(&VALUES)).collect();
    let values = values.join(", ");
    let operator = dice.pick(&["<", "<=", ">", ">=", "<", ">", "=", "IS", "<>", "IS NOT"]);
    let other = columns.iter().map(|_| dice.pick(&VALUES)).collect::<Vec<_>>().join(", ");
    match dice.below(9) {
        0 => format!("({values}) {operator} ({left})"),
        1 => format!("({left}) BETWEEN ({values}) AND ({other})"),
        2 => format!("({left}) IN (VALUES ({values}), ({other}))"),
        3 => format!("({left}) NOT IN (VALUES ({values}), ({other}))"),
        4 => {
            let inner = left.replace("id", "a");
            format!("({left}) IN (SELECT {inner} FROM w WHERE c > {})", dice.pick(&VALUES))
                .replace(" d", " 0.0")
        }
        5 => format!("(({left}) = ({values}) OR ({left}) {operator} ({other}))"),
        6 => format!("({left}) {operator} ({values}) AND ({left}) >= ({other})"),
        _ => format!("({left}) {operator} ({values})"),
    }
}

#[test]
fn rows_of_any_columns_are_found_as_without_the_rule() {
    let runs: u64 = if cfg!(debug_assertions) { 3 } else { 60 };
    for seed in 1..=runs {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let session = filled(&mut dice);
        for _ in 0..150 {
            let table = dice.pick(&["t", "t", "w"]);
            let mut terms = vec![row_condition(&mut dice, table)];
            if dice.below(2) == 0 {
                let column = dice.pick(&["a", "b", "c"]);
                let operator = dice.pick(&["=", ">", "<=", "IS"]);
                terms.push(format!("{column} {operator} {}", dice.pick(&VALUES)));
            }
            let filter = terms.join(" AND ");
            let key = if table == "t" { "id" } else { "b DESC, a" };
            let direction = dice.pick(&["", " DESC"]);
            let (one, two) = (dice.pick(&["a", "b", "c"]), dice.pick(&["a", "b", "c"]));
            let order = format!("{one}{direction}, {two}{direction}, {key}{direction}");
            let order = order.replace("DESC DESC", "").replace("b DESC, a DESC", "b, a DESC");
            let limit = [String::new(), format!(" LIMIT {}", dice.below(9))];
            for sql in [
                format!("SELECT * FROM {table} WHERE {filter} ORDER BY {order}{}", limit[0]),
                format!("SELECT * FROM {table} WHERE {filter} ORDER BY {order}{}", limit[1]),
                format!("SELECT count(*) FROM {table} WHERE {filter}"),
                format!("SELECT max(a), min(c) FROM {table} WHERE {filter}"),
            ] {
                session.change_settings(|settings| settings.rules = Rules::none());
                let scanned = sql.replace(
                    &format!("FROM {table} WHERE"),
                    &match table {
                        "t" => "FROM t NOT INDEXED WHERE".to_owned(),
                        _ => "FROM (SELECT * FROM w LIMIT 1000) WHERE".to_owned(),
                    },
                );
                let expected = rows(&session, &scanned);
                session.change_settings(|settings| settings.rules = Rules::default());
                assert_eq!(rows(&session, &sql), expected, "seed {seed}: {sql}");
            }
        }
    }
}

#[test]
fn the_plans_of_rows_search_by_all_columns() {
    let session = session();
    session.execute(SCHEMA).unwrap();
    for (sql, plan) in [
        ("t WHERE (a, b) > (1, 'x')", "SEARCH t USING INDEX t_abc ((a,b)>(?,?))"),
        ("t WHERE (a, b, c) <= (1, 'x', 2)", "SEARCH t USING INDEX t_abc ((a,b,c)<(?,?,?))"),
        (
            "t WHERE (c, id) > (1, 7) ORDER BY c, id LIMIT 5",
            "SEARCH t USING INDEX t_c ((c,rowid)>(?,?))",
        ),
        ("t WHERE (b, a) = ('x', 1)", "SEARCH t USING INDEX t_abc (a=? AND b=?)"),
        ("t WHERE a IN (3, 1, 2) ORDER BY a, b LIMIT 3", "SEARCH t USING INDEX t_abc (a=?)"),
    ] {
        let found = rows(&session, &format!("EXPLAIN QUERY PLAN SELECT * FROM {sql}"));
        assert!(found.contains(plan), "{sql}: {found}");
        assert!(!found.contains("TEMP B-TREE"), "{sql}: {found}");
    }
}
