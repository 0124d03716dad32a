//! An A/B test of two recommendation algorithms, each with a schema of its own on a branch.
//!
//! Run with `cargo run --example ab_test`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use pandodb::{Connection, Database, Result, params};

/// The share of users that get a product of their own category recommended.
const SCORE: &str = "SELECT avg(products.category = users.favourite)
     FROM recommendations JOIN users ON users.id = user_id
     JOIN products ON products.id = product_id";

fn by_similar_users(database: &Database) -> Result<f64> {
    let branch = database.connect_to("algo_a_collab")?;
    branch.execute_batch(
        "CREATE TABLE user_similarity(
           user_id_1 INTEGER, user_id_2 INTEGER, similarity_score REAL,
           PRIMARY KEY (user_id_1, user_id_2));
         INSERT INTO user_similarity
           SELECT a.id, b.id, a.favourite = b.favourite FROM users a JOIN users b
           ON b.id BETWEEN a.id - 3 AND a.id + 3 AND b.id <> a.id;
         CREATE TABLE recommendations AS
           SELECT user_id_1 AS user_id, bought AS product_id FROM user_similarity
           JOIN users ON users.id = user_id_2 GROUP BY user_id_1
           HAVING similarity_score = max(similarity_score)",
    )?;
    branch.query_row(SCORE, (), |row| row.get(0))
}

fn by_content(database: &Database) -> Result<f64> {
    let branch = database.connect_to("algo_b_content")?;
    branch.execute_batch(
        "CREATE TABLE user_preferences(user_id INTEGER PRIMARY KEY, preference TEXT);
         INSERT INTO user_preferences SELECT id, favourite FROM users;
         CREATE TABLE recommendations AS
           SELECT user_id, min(products.id) AS product_id FROM user_preferences
           JOIN products ON category = preference GROUP BY user_id",
    )?;
    branch.query_row(SCORE, (), |row| row.get(0))
}

fn main() -> Result<()> {
    let main = Connection::open_in_memory()?;
    main.execute_batch(
        "CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT NOT NULL, category TEXT);
         CREATE TABLE users(id INTEGER PRIMARY KEY, favourite TEXT, bought INTEGER);",
    )?;
    let categories = ["books", "music", "garden"];
    for number in 0..30_usize {
        let category = categories[number % 3];
        let name = format!("Product {number}");
        main.execute("INSERT INTO products VALUES (?1, ?2, ?3)", params![number, name, category])?;
    }
    for number in 0..100_usize {
        let (favourite, bought) = (categories[number % 3], (number * 7 + number / 10) % 30);
        main.execute("INSERT INTO users VALUES (?1, ?2, ?3)", params![number, favourite, bought])?;
    }
    main.create_branch("algo_a_collab")?;
    main.create_branch("algo_b_content")?;

    // Both run at the same time, each on its branch.
    let database = main.database();
    let (collaborative, content) = std::thread::scope(|scope| {
        let first = scope.spawn(|| by_similar_users(database));
        let second = by_content(database);
        (first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), second)
    });
    let (collaborative, content) = (collaborative?, content?);
    println!("collaborative {collaborative:.2}, content {content:.2}");

    let (winner, loser) = if collaborative > content {
        ("algo_a_collab", "algo_b_content")
    } else {
        ("algo_b_content", "algo_a_collab")
    };
    assert!(main.merge(winner).run()?.success);
    main.delete_branch(loser)?;
    let count: i64 =
        main.query_row("SELECT count(*) FROM recommendations", (), |row| row.get(0))?;
    println!("{winner} won: {count} recommendations on main");
    assert!(count > 0);
    Ok(())
}
