//! Orders over HTTP, with a branch of one database per environment.
//!
//! `/{branch}/orders` lists (GET) and takes (POST) orders of a branch; `/branches` lists and
//! makes branches; `/merge/{source}/{target}` merges, and answers with the conflicts where there
//! are any. Start it with `cargo run -p pandodb-service -- orders.pando` and try
//! `curl localhost:3000/main/orders`.

mod routes;

use pandodb::Database;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "orders.pando".to_owned());
    let database = Database::open(file)?;
    routes::prepare(&database)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, routes::router(database)).await?;
    Ok(())
}
