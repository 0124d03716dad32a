//! Rules about what a name means where several databases have it.
//!
//! Neighbours: `mod`, which asks here; `places` makes such scripts.

use super::Outcome;
use crate::engine::{Engine, Failure, Sqlite, execute};

/// The rule that explains a difference, if one does: the two are not the same from there on.
pub(super) fn explanation(
    outcome: &Outcome<'_>,
    oracle: &mut Sqlite,
    engine: &mut dyn Engine,
) -> Option<&'static str> {
    if looks_for_names(outcome) {
        return Some("a database in which a transaction has looked for names");
    }
    if looks_up_again(outcome, oracle) {
        return Some("a temporary trigger that SQLite looks up again");
    }
    let words: Vec<&str> = outcome.step.sql.split(' ').collect();
    let ["ALTER", "TABLE", table, kind, rest @ ..] = words.as_slice() else { return None };
    if finds_what_is_temporary(outcome, oracle) {
        return Some("a trigger that SQLite binds by a temporary table");
    }
    if let ("RENAME", ["TO", new, ..]) = (*kind, rest)
        && takes_excluded_for_the_table(outcome, oracle, engine, new)
    {
        return Some("an upsert whose excluded row SQLite renames to the table");
    }
    // The names that the table has had and has, if others have them, too.
    let mut names = vec![bare(table)];
    if let ["TO", new, ..] = rest {
        names.push(bare(new));
    }
    if *kind != "RENAME" {
        return None;
    }
    let is_shared = are_shared(oracle, &names);
    if takes_for_another(outcome, oracle, is_shared) {
        return Some("a rename that SQLite refuses for a table of the same name");
    }
    let reaches = is_shared && reaches_another_trigger(outcome, oracle, engine, table);
    reaches.then_some("a rename that reaches a trigger of a table of the same name")
}

/// "A transaction that has looked for a name in a database holds it": SQLite lets go of it.
fn looks_for_names(outcome: &Outcome<'_>) -> bool {
    let is_held = |failure: &Failure| failure.message.ends_with("is locked");
    outcome.step.sql.starts_with("DETACH")
        && outcome.in_transaction
        && outcome.expected.is_ok()
        && outcome.actual.as_ref().is_err_and(is_held)
}

/// "A temporary trigger stays with the table of the database in which it was found": SQLite looks
/// for it again whenever it reads the schema anew.
fn looks_up_again(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let sql = &outcome.step.sql;
    let is_misled = |failure: &Failure| failure.message.starts_with("error in trigger ");
    ["ALTER ", "ROLLBACK"].iter().any(|word| sql.starts_with(word))
        && match (outcome.expected, outcome.actual) {
            (Ok(_), Ok(_)) => true,
            (Err(failure), Ok(_)) => is_misled(failure),
            // An ALTER TABLE that fails has read the schema, too.
            (Err(_), Err(_)) => sql.starts_with("ALTER "),
            (Ok(_), Err(_)) => return finds_a_lost_table(outcome, oracle),
        }
        && {
            let all = everywhere(oracle);
            let several = format!(
                "SELECT 1 FROM temp.sqlite_schema AS t WHERE t.type = 'trigger' AND 1 < (SELECT \
                 count(*) FROM {all} AS s WHERE s.type IN ('table', 'view') AND s.name = \
                 t.tbl_name)"
            );
            finds(oracle, &several)
        }
}

/// "A trigger on a detached database is in the way of ALTER TABLE": SQLite looks its table up
/// again, where another database has one of that name.
fn finds_a_lost_table(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let Err(failure) = outcome.actual else { return false };
    let refused = failure.message.strip_prefix("error in trigger ");
    let Some((name, table)) = refused.and_then(|it| it.split_once(": no such table: ")) else {
        return false;
    };
    let (all, table) = (everywhere(oracle), bare(table));
    let found = format!(
        "SELECT 1 FROM temp.sqlite_schema AS t JOIN {all} AS s ON s.name = t.tbl_name WHERE t.type \
         = 'trigger' AND t.name = '{name}' AND t.tbl_name = '{table}' AND s.type = 'table'"
    );
    outcome.step.sql.starts_with("ALTER ") && finds(oracle, &found)
}

/// "ALTER TABLE is refused where a trigger is broken": SQLite overlooks it where a temporary table
/// has the name of the trigger's.
fn finds_what_is_temporary(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let is_broken = |failure: &Failure| failure.message.starts_with("error in trigger ");
    outcome.expected.is_ok() && outcome.actual.as_ref().is_err_and(is_broken) && {
        let all = everywhere(oracle);
        let shadowed = format!(
            "SELECT 1 FROM temp.sqlite_schema AS t WHERE t.type = 'table' AND t.name IN (SELECT \
             s.tbl_name FROM {all} AS s WHERE s.type = 'trigger' AND s.place <> 'temp')"
        );
        finds(oracle, &shadowed)
    }
}

/// "Renaming goes through where SQLite refuses it": for a table whose old or new name another
/// database's table has, too, or for an index or a trigger of another table of which that is true.
fn takes_for_another(outcome: &Outcome<'_>, oracle: &mut Sqlite, is_shared: bool) -> bool {
    let (Err(failure), Ok(_)) = (outcome.expected, outcome.actual) else { return false };
    let Some(("index" | "trigger" | "view", refused)) =
        failure.message.strip_prefix("error in ").and_then(|rest| rest.split_once(' '))
    else {
        return false;
    };
    let name = refused.split([' ', ':']).next().unwrap_or(refused);
    let all = everywhere(oracle);
    let namesakes = format!(
        "SELECT 1 FROM {all} AS o JOIN {all} AS t ON t.name = o.tbl_name WHERE o.name = '{name}' \
         AND o.type IN ('index', 'trigger') AND t.type IN ('table', 'view') GROUP BY o.place, \
         o.type HAVING count(DISTINCT t.place) > 1"
    );
    is_shared || is_temporary(oracle, outcome) || finds(oracle, &namesakes)
}

/// Whether an ALTER TABLE names a table that a temporary one is called like.
fn is_temporary(oracle: &mut Sqlite, outcome: &Outcome<'_>) -> bool {
    let table = outcome.step.sql.split(' ').nth(2).map_or("", bare);
    finds(oracle, &format!("SELECT 1 FROM temp.sqlite_schema WHERE name = '{table}'"))
}

/// "Renaming leaves alone what triggers say of another database's table of its name"; SQLite takes
/// the one for the other. Nothing but texts of triggers may differ.
fn reaches_another_trigger(
    outcome: &Outcome<'_>,
    oracle: &mut Sqlite,
    engine: &mut dyn Engine,
    table: &str,
) -> bool {
    if outcome.expected.is_err() || outcome.actual.is_err() || table.starts_with("temp.") {
        return false;
    }
    let all = everywhere(oracle);
    let mut agree = |kind: &str, columns: &str| {
        let asked =
            format!("SELECT {columns} FROM {all} WHERE type {kind} 'trigger' ORDER BY 1, 2, 3, 4");
        match (oracle.execute(&asked), execute(engine, &asked)) {
            (Ok(theirs), Ok(own)) => theirs.rows == own.rows,
            _ => false,
        }
    };
    agree("<>", "place, name, tbl_name, sql")
        && agree("=", "place, name, NULL, NULL")
        && !agree("=", "place, name, tbl_name, sql")
}

/// "Renaming a table leaves `excluded` in upserts of triggers": the texts are SQLite's once it is
/// called as the table is now.
fn takes_excluded_for_the_table(
    outcome: &Outcome<'_>,
    oracle: &mut Sqlite,
    engine: &mut dyn Engine,
    new: &str,
) -> bool {
    if outcome.expected.is_err() || outcome.actual.is_err() {
        return false;
    }
    let all = everywhere(oracle);
    let new = bare(new).trim_matches('"');
    let asked = |text: &str| format!("SELECT place, name, {text} FROM {all} ORDER BY 1, 2, 3");
    let renamed = format!("replace(sql, 'excluded.', '\"{new}\".')");
    let of = |engine: &mut dyn Engine, text| execute(engine, &asked(text)).map(|it| it.rows).ok();
    let (theirs, own) = (of(oracle, "sql"), of(engine, "sql"));
    theirs.is_some() && theirs != own && theirs == of(engine, &renamed)
}

/// What all databases have, as a table for FROM.
fn everywhere(oracle: &mut Sqlite) -> String {
    let is_attached = finds(oracle, "SELECT 1 FROM pragma_database_list WHERE name = 'other'");
    let places = ["main", "temp", "other"];
    let parts: Vec<String> = places
        .iter()
        .filter(|place| **place != "other" || is_attached)
        .map(|place| {
            format!(
                "SELECT '{place}' AS place, type, name, tbl_name, sql FROM {place}.sqlite_schema \
                 WHERE name NOT LIKE 'sqlite_%'"
            )
        })
        .collect();
    format!("({})", parts.join(" UNION ALL "))
}

/// Whether there is more than one table or view of these names.
fn are_shared(oracle: &mut Sqlite, names: &[&str]) -> bool {
    let (all, names) = (everywhere(oracle), names.join("', '"));
    let several = format!(
        "SELECT 1 FROM {all} WHERE type IN ('table', 'view') AND name IN ('{names}') LIMIT 1 \
         OFFSET 1"
    );
    finds(oracle, &several)
}

fn finds(oracle: &mut Sqlite, sql: &str) -> bool {
    oracle.execute(sql).is_ok_and(|found| !found.rows.is_empty())
}

/// A name without its database.
fn bare(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::engine::Rows;
    use crate::random::script::{Check, Step};

    fn sqlite(script: &str) -> Sqlite {
        let mut engine = Sqlite::open().unwrap();
        engine.execute("ATTACH ':memory:' AS other").unwrap();
        engine.execute(script).unwrap();
        engine
    }

    /// What explains `sql`, which SQLite refused with a message and the engine did.
    fn of_refused(script: &str, sql: &str, message: &str) -> Option<&'static str> {
        let expected = Err(Failure { code: 1, message: message.to_owned() });
        let step = Step { sql: sql.to_owned(), check: Check::Change };
        let (actual, in_transaction) = (Ok(Rows::default()), false);
        let outcome = Outcome { step: &step, expected: &expected, actual: &actual, in_transaction };
        explanation(&outcome, &mut sqlite(script), &mut sqlite(script))
    }

    #[test]
    fn an_upsert_is_explained_only_where_nothing_but_its_excluded_row_was_renamed() {
        let sql = "ALTER TABLE t RENAME TO u";
        let script = |value: &str| {
            format!(
                "CREATE TABLE t(a PRIMARY KEY, b); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT \
                 INTO t VALUES (1, 2) ON CONFLICT DO UPDATE SET b = {value}; END;"
            )
        };
        let after =
            |value: &str| sqlite(&script(value).replace(" t(", " u(").replace(" t ", " u "));
        let explained = |own: &mut Sqlite| {
            let mut oracle = sqlite(&format!("{}{sql}", script("excluded.b")));
            let step = Step { sql: sql.to_owned(), check: Check::Change };
            let done = Ok(Rows::default());
            let (expected, actual, in_transaction) = (&done, &done, false);
            let outcome = Outcome { step: &step, expected, actual, in_transaction };
            explanation(&outcome, &mut oracle, own)
        };
        let mut own = after("excluded.b");
        own.execute("PRAGMA writable_schema = ON").unwrap();
        own.execute("UPDATE sqlite_schema SET sql = replace(sql, ' u', ' \"u\"')").unwrap();
        assert!(explained(&mut own).is_some());
        own.execute("UPDATE sqlite_schema SET sql = replace(sql, 'excluded.b', 'b')").unwrap();
        assert_eq!(explained(&mut own), None);
    }

    #[test]
    fn a_rename_is_refused_only_beside_a_table_of_one_of_its_names() {
        let (sql, said) = ("ALTER TABLE main.b RENAME TO a", "error in index j after rename: x");
        let table = "CREATE TABLE b(x, y)";
        assert!(of_refused(&format!("{table}; CREATE TEMP TABLE a(x)"), sql, said).is_some());
        assert!(of_refused(&format!("{table}; CREATE TABLE other.b(x)"), sql, said).is_some());
        assert_eq!(of_refused(&format!("{table}; CREATE TABLE other.c(x)"), sql, said), None);
        let indexed = "CREATE TABLE c(x); CREATE INDEX j ON c(x); CREATE TABLE other";
        assert!(of_refused(&format!("{table}; {indexed}.c(y)"), sql, said).is_some());
        assert_eq!(of_refused(&format!("{table}; {indexed}.d(y)"), sql, said), None);
        let temporary = "ALTER TABLE temp.t RENAME x TO u";
        assert!(of_refused("CREATE TEMP TABLE t(x)", temporary, said).is_some());
        let namesake = format!("{table}; CREATE TABLE other.a(x)");
        assert!(of_refused(&namesake, sql, said).is_some());
        assert_eq!(of_refused(&namesake, sql, "no such column: x"), None);
        assert_eq!(of_refused(&namesake, "ALTER TABLE main.b DROP COLUMN x", said), None);
    }

    #[test]
    fn a_trigger_may_find_another_table_where_its_own_was_detached() {
        let step = Step { sql: "ALTER TABLE b RENAME TO d".to_owned(), check: Check::Change };
        let of = |script: &str, message: &str| {
            let actual = Err(Failure { code: 1, message: message.to_owned() });
            let done = Ok(Rows::default());
            let outcome =
                Outcome { step: &step, expected: &done, actual: &actual, in_transaction: false };
            let script = format!(
                "CREATE TABLE other.c(x); CREATE TEMP TRIGGER k DELETE ON c BEGIN SELECT 1; END; \
                 DETACH other; {script}"
            );
            explanation(&outcome, &mut sqlite(&script), &mut sqlite(&script))
        };
        let said = "error in trigger k: no such table: c";
        assert!(of("CREATE TABLE c(x)", said).is_some());
        assert_eq!(of("CREATE TABLE d(x)", said), None, "SQLite finds none");
        assert_eq!(of("CREATE TABLE c(x)", "error in trigger k: no such table: d"), None);
        assert_eq!(of("CREATE TABLE c(x)", "no such table: c"), None);
    }

    #[test]
    fn a_rename_reaches_triggers_of_a_namesake_and_nothing_else() {
        let step = Step { sql: "ALTER TABLE other.b RENAME TO c".to_owned(), check: Check::Change };
        let done = Ok(Rows::default());
        let outcome =
            Outcome { step: &step, expected: &done, actual: &done, in_transaction: false };
        let found =
            |theirs: &str, own: &str| explanation(&outcome, &mut sqlite(theirs), &mut sqlite(own));
        let tables = "CREATE TABLE b(x); CREATE TABLE other.c(x)";
        let trigger =
            |name: &str| format!("CREATE TEMP TRIGGER g DELETE ON b BEGIN DELETE FROM {name}; END");
        let with = |tables: &str, name: &str| format!("{tables}; {}", trigger(name));
        assert!(found(&with(tables, "c"), &with(tables, "b")).is_some());
        assert_eq!(found(&with(tables, "b"), &with(tables, "b")), None, "nothing differs");
        let alone = "CREATE TABLE a(x); CREATE TABLE other.c(x)";
        let on_a = |name: &str| with(alone, name).replace("ON b", "ON a");
        assert_eq!(found(&on_a("c"), &on_a("b")), None, "no other table has one of the names");
        let more = format!("{tables}; CREATE VIEW v AS SELECT 1");
        assert_eq!(found(&with(&more, "c"), &with(tables, "b")), None, "a view differs, too");
    }

    #[test]
    fn a_trigger_may_be_looked_up_again_where_its_name_means_several() {
        let of = |script: &str, sql: &str| {
            let step = Step { sql: sql.to_owned(), check: Check::Change };
            let done = Ok(Rows::default());
            let outcome =
                Outcome { step: &step, expected: &done, actual: &done, in_transaction: false };
            let script = format!(
                "CREATE TABLE a(x); CREATE TEMP TRIGGER g DELETE ON main.a BEGIN SELECT 1; END; \
                 {script}"
            );
            explanation(&outcome, &mut sqlite(&script), &mut sqlite(&script))
        };
        let alter = "ALTER TABLE c RENAME TO b";
        assert!(of("CREATE TEMP TABLE a(x)", alter).is_some());
        assert!(of("CREATE TABLE other.a(x)", "ROLLBACK").is_some());
        assert!(of("DETACH other; CREATE TEMP TABLE a(x)", alter).is_some());
        assert_eq!(of("CREATE TABLE other.b(x)", alter), None);
        assert_eq!(of("CREATE TABLE other.b(x)", "ALTER TABLE nowhere RENAME TO b"), None);
        assert_eq!(of("CREATE TEMP TABLE a(x)", "DELETE FROM a"), None);
    }
}
