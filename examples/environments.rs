//! Development, staging and production as branches of one database; `service` is the same with
//! HTTP in front.
//!
//! Run with `cargo run --example environments`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use pandodb::{Connection, CreateBranch, MergeStatus, Resolution, Result};

fn main() -> Result<()> {
    let production = Connection::open_in_memory()?;
    production.execute_batch(
        "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, total REAL, state TEXT);
         INSERT INTO orders VALUES (1, 'ada', 10, 'new'), (2, 'grace', 20, 'new')",
    )?;
    CreateBranch::new("staging").description("Integration tests").create(&production)?;
    let developers = ["alice", "bob"];
    for developer in developers {
        let name = format!("dev/{developer}");
        CreateBranch::new(name).from("staging").option("owner", developer).create(&production)?;
    }

    // Everybody works alone.
    let database = production.database();
    let alice = database.connect_to("dev/alice")?;
    alice.execute_batch(
        "ALTER TABLE orders ADD COLUMN priority INTEGER DEFAULT 0;
         UPDATE orders SET total = 11, priority = 1 WHERE id = 1",
    )?;
    let bob = database.connect_to("dev/bob")?;
    bob.execute_batch(
        "CREATE INDEX orders_by_customer ON orders(customer);
         UPDATE orders SET total = 12 WHERE id = 1",
    )?;

    // The first one in has no conflict, the second one meets the first.
    let staging = database.connect_to("staging")?;
    assert_eq!(staging.merge("dev/alice").run()?.status, MergeStatus::FastForward);
    let mut seen = staging.merge("dev/bob").dry_run(true).run()?;
    for conflict in &mut seen.conflicts {
        println!("conflict in {}: {}", conflict.object, conflict.detail);
        conflict.resolve(Resolution::Value(12.5.into()));
    }
    let merged = staging.merge("dev/bob").resolutions(&seen.conflicts).run()?;
    assert!(merged.success && seen.conflicts.len() == 1);

    // What production is going to get.
    let comparison = production.compare_branches("main", "staging")?;
    for change in &comparison.schema {
        let column = change.column.as_deref().unwrap_or("");
        println!("{} {} {column}: {:?}", change.object, change.name, change.change);
    }
    for table in &comparison.tables {
        println!("{}: {} rows", table.name, table.rows.len());
    }
    production.merge_branch("staging")?;
    let is_agreed: bool =
        production
            .query_row("SELECT total = 12.5 FROM orders WHERE id = 1", (), |row| row.get(0))?;
    assert!(is_agreed);
    Ok(())
}
