//! The rows of `json_each` and `json_tree`, every document with every path.

use pandodb_qp::function::{
    Cache, Context, Implementation, Registry, TableFunction, Value, ValueRef,
};
use rusqlite::Connection;

use super::pools::{DOCUMENTS, PATHS};
use super::{Differences, Plain, from_sqlite, listed, message};

#[test]
fn json_tables_give_what_sqlite_gives() {
    let connection = Connection::open_in_memory().unwrap();
    let mut differences = Differences::default();
    for name in ["json_each", "json_tree", "jsonb_each", "jsonb_tree"] {
        let function = Registry::new().find_table(name).unwrap();
        let Implementation::Table(table) = &function.implementation else { panic!("{name}") };
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let sql = format!("SELECT {} FROM {name}(?1, ?2)", columns.join(", "));
        let mut statement = connection.prepare(&sql).unwrap();
        for document in DOCUMENTS {
            for path in PATHS {
                let theirs: Result<Vec<Value>, String> = statement
                    .query_map([document, path], |row| {
                        (0..columns.len())
                            .map(|index| row.get_ref(index).map(from_sqlite))
                            .collect::<Result<Vec<_>, _>>()
                    })
                    .and_then(Iterator::collect::<Result<Vec<Vec<Value>>, _>>)
                    .map(|rows| rows.concat())
                    .map_err(|error| message(&error));
                let ours = rows(table, document, path);
                if ours != theirs {
                    let call = format!("{name}({document:?}, {path:?})");
                    differences.note(name, &call, &listed(ours), &listed(theirs));
                }
            }
        }
    }
    differences.finish();
}

fn rows(table: &TableFunction, document: &str, path: &str) -> Result<Vec<Value>, String> {
    let mut cache = Cache::default();
    let mut context = Context::new(&Plain, &mut cache);
    let text = |error: pandodb_qp::Error| error.message().to_owned();
    let args = [ValueRef::Text(document.as_bytes()), ValueRef::Text(path.as_bytes())];
    let mut rows = (table.open)(&mut context, &args).map_err(text)?;
    let mut values = Vec::new();
    while rows.next(&mut context).map_err(text)? {
        for index in 0..table.columns.len() {
            values.push(rows.column(&mut context, index).map_err(text)?);
        }
    }
    Ok(values)
}
