//! The routes. A request opens a connection to its branch, which is cheap, in a thread that may
//! wait for the disk. Neighbours: `main` listens.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pandodb::{Connection, Database, ErrorKind};
use serde_json::{Value, json};

/// Makes the tables where they are missing.
pub(crate) fn prepare(database: &Database) -> pandodb::Result<()> {
    database.connect()?.execute_batch(
        "CREATE TABLE IF NOT EXISTS orders(
           id INTEGER PRIMARY KEY, customer TEXT NOT NULL, total REAL NOT NULL CHECK (total > 0))",
    )
}

pub(crate) fn router(database: Database) -> Router {
    Router::new()
        .route("/branches", get(branches))
        .route("/branches/{name}", post(create))
        .route("/{branch}/orders", get(orders).post(order))
        .route("/merge/{source}/{target}", post(merge))
        .with_state(database)
}

/// An error of the database as an answer.
struct Failure(pandodb::Error);

impl From<pandodb::Error> for Failure {
    fn from(error: pandodb::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.0.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Exists | ErrorKind::MergeConflict => StatusCode::CONFLICT,
            ErrorKind::Denied | ErrorKind::ReadOnly => StatusCode::FORBIDDEN,
            ErrorKind::Constraint(_) | ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "error": self.0.message() }))).into_response()
    }
}

type Answer = Result<Json<Value>, Failure>;

/// Works with the database in a thread of its own, so that no other request waits.
async fn work(
    database: Database,
    work: impl FnOnce(Connection) -> pandodb::Result<Value> + Send + 'static,
) -> Answer {
    let done = tokio::task::spawn_blocking(move || work(database.connect()?)).await;
    match done {
        Ok(value) => Ok(Json(value?)),
        Err(panic) => {
            let message = format!("the request failed: {panic}");
            Err(Failure(pandodb::Error::new(ErrorKind::Internal, message)))
        }
    }
}

async fn branches(State(database): State<Database>) -> Answer {
    work(database, |connection| {
        let branches = connection.branches()?.into_iter();
        Ok(branches
            .map(|branch| json!({ "name": branch.name, "commit": branch.head_commit }))
            .collect())
    })
    .await
}

async fn create(State(database): State<Database>, Path(name): Path<String>) -> Answer {
    work(database, move |connection| {
        let branch = connection.create_branch(&name)?;
        Ok(json!({ "name": branch.name, "parent": branch.parent }))
    })
    .await
}

async fn orders(State(database): State<Database>, Path(branch): Path<String>) -> Answer {
    work(database, move |connection| {
        connection.switch_branch(&branch)?;
        let mut statement = connection.prepare("SELECT id, customer, total FROM orders")?;
        let orders = statement.query_map((), |row| {
            let (id, customer): (i64, String) = (row.get(0)?, row.get(1)?);
            Ok(json!({ "id": id, "customer": customer, "total": row.get::<_, f64>(2)? }))
        })?;
        orders.collect()
    })
    .await
}

async fn order(
    State(database): State<Database>,
    Path(branch): Path<String>,
    Json(order): Json<Value>,
) -> Answer {
    work(database, move |connection| {
        connection.switch_branch(&branch)?;
        let sql = "INSERT INTO orders(customer, total) VALUES (?1, ?2)";
        let (customer, total) = (order["customer"].as_str(), order["total"].as_f64());
        connection.execute(sql, (customer, total))?;
        Ok(json!({ "id": connection.last_insert_rowid() }))
    })
    .await
}

async fn merge(
    State(database): State<Database>,
    Path((source, target)): Path<(String, String)>,
) -> Answer {
    work(database, move |connection| {
        let outcome = connection.merge(source).into_branch(target).run()?;
        let conflicts = outcome.conflicts.iter().map(|conflict| conflict.detail.clone());
        Ok(json!({
            "success": outcome.success,
            "changes": outcome.changes_applied,
            "conflicts": conflicts.collect::<Vec<_>>(),
        }))
    })
    .await
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]

    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};

    use super::*;

    /// One request over the wire, and the body of its answer.
    fn ask(address: SocketAddr, line: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    #[test]
    fn each_environment_has_its_orders_until_they_are_merged() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path().join("orders.pando")).unwrap();
        prepare(&database).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router(database)).await });
        let ask = |line: &str, body: &str| ask(address, line, body);
        let ada = r#"{"customer": "ada", "total": 10.5}"#;
        assert_eq!(
            ask("POST /branches/staging", ""),
            (200, json!({"name": "staging", "parent": "main"}))
        );
        assert_eq!(ask("POST /staging/orders", ada), (200, json!({"id": 1})));
        assert_eq!(ask("GET /main/orders", ""), (200, json!([])));
        assert_eq!(ask("POST /main/orders", r#"{"customer": "bob"}"#).0, 422);
        assert_eq!(ask("GET /nowhere/orders", "").0, 404);
        assert_eq!(ask("POST /branches/staging", "").0, 409);
        assert_eq!(ask("POST /merge/staging/main", "").1["success"], true);
        let orders = json!([{"id": 1, "customer": "ada", "total": 10.5}]);
        assert_eq!(ask("GET /main/orders", ""), (200, orders));
    }
}
