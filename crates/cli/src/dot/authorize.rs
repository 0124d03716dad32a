//! `.auth`: what statements ask the authorizer for, line by line, as sqlite3 shows it.
//!
//! Everything is allowed; it is there to see what a statement would do. Neighbours: `watch` has
//! the other commands that tell of statements.

use std::io::Write;

use pandodb::{AuthAction, AuthContext, Authorization};

use super::{switch, usage};
use crate::failure::Outcome;
use crate::shell::Shell;

/// Switches the lines on or off.
pub(super) fn auth(shell: &mut Shell, words: &[String]) -> Outcome {
    let [word] = words else { return Err(usage("auth")) };
    if !switch("auth", word)? {
        shell.connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
        return Ok(());
    }
    shell.connection.authorizer(Some(|context: AuthContext<'_>| {
        // A screen that is gone stops the statement by itself.
        let _ = writeln!(std::io::stdout(), "{}", line(&context));
        Authorization::Allow
    }));
    Ok(())
}

/// The action's name, its two operands, the database and who does it.
fn line(context: &AuthContext<'_>) -> String {
    let (name, first, second) = action(&context.action);
    let mut line = format!("authorizer: {name}");
    for operand in [first, second, context.database_name, context.accessor] {
        match operand {
            Some(text) => line.push_str(&format!(" {text:?}")),
            None => line.push_str(" NULL"),
        }
    }
    line
}

/// The name and the operands that SQLite gives an action.
fn action<'a>(action: &AuthAction<'a>) -> (&'static str, Option<&'a str>, Option<&'a str>) {
    use AuthAction as Action;
    match *action {
        Action::CreateIndex { index_name, table_name } => {
            ("CREATE_INDEX", Some(index_name), Some(table_name))
        }
        Action::CreateTable { table_name } => ("CREATE_TABLE", Some(table_name), None),
        Action::CreateTempIndex { index_name, table_name } => {
            ("CREATE_TEMP_INDEX", Some(index_name), Some(table_name))
        }
        Action::CreateTempTable { table_name } => ("CREATE_TEMP_TABLE", Some(table_name), None),
        Action::CreateTempTrigger { trigger_name, table_name } => {
            ("CREATE_TEMP_TRIGGER", Some(trigger_name), Some(table_name))
        }
        Action::CreateTempView { view_name } => ("CREATE_TEMP_VIEW", Some(view_name), None),
        Action::CreateTrigger { trigger_name, table_name } => {
            ("CREATE_TRIGGER", Some(trigger_name), Some(table_name))
        }
        Action::CreateView { view_name } => ("CREATE_VIEW", Some(view_name), None),
        Action::Delete { table_name } => ("DELETE", Some(table_name), None),
        Action::DropIndex { index_name, table_name } => {
            ("DROP_INDEX", Some(index_name), Some(table_name))
        }
        Action::DropTable { table_name } => ("DROP_TABLE", Some(table_name), None),
        Action::DropTempIndex { index_name, table_name } => {
            ("DROP_TEMP_INDEX", Some(index_name), Some(table_name))
        }
        Action::DropTempTable { table_name } => ("DROP_TEMP_TABLE", Some(table_name), None),
        Action::DropTempTrigger { trigger_name, table_name } => {
            ("DROP_TEMP_TRIGGER", Some(trigger_name), Some(table_name))
        }
        Action::DropTempView { view_name } => ("DROP_TEMP_VIEW", Some(view_name), None),
        Action::DropTrigger { trigger_name, table_name } => {
            ("DROP_TRIGGER", Some(trigger_name), Some(table_name))
        }
        Action::DropView { view_name } => ("DROP_VIEW", Some(view_name), None),
        Action::Insert { table_name } => ("INSERT", Some(table_name), None),
        Action::Pragma { pragma_name, pragma_value } => ("PRAGMA", Some(pragma_name), pragma_value),
        Action::Read { table_name, column_name } => ("READ", Some(table_name), Some(column_name)),
        Action::Select => ("SELECT", None, None),
        Action::Transaction { operation } => ("TRANSACTION", Some(operation), None),
        Action::Update { table_name, column_name } => {
            ("UPDATE", Some(table_name), Some(column_name))
        }
        Action::Attach { filename } => ("ATTACH", Some(filename), None),
        Action::Detach { database_name } => ("DETACH", Some(database_name), None),
        Action::AlterTable { database_name, table_name } => {
            ("ALTER_TABLE", Some(database_name), Some(table_name))
        }
        Action::Reindex { name } => ("REINDEX", Some(name), None),
        Action::Analyze { name } => ("ANALYZE", Some(name), None),
        Action::Function { function_name } => ("FUNCTION", None, Some(function_name)),
        Action::Savepoint { operation, savepoint_name } => {
            ("SAVEPOINT", Some(operation), Some(savepoint_name))
        }
        Action::Recursive => ("RECURSIVE", None, None),
        Action::Vacuum => ("VACUUM", None, None),
        Action::Branch { statement } => ("BRANCH", Some(statement), None),
        // The library may learn of actions that this program does not know.
        _ => ("OTHER", None, None),
    }
}
