//! A new billing schema for some tenants: those work on a branch, all others on main.
//!
//! Run with `cargo run --example feature_flags`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use pandodb::{Connection, Database, Result, params};

/// The branch that a tenant works on: one in ten is in the experiment.
fn branch_of(tenant: i64) -> &'static str {
    if tenant % 10 == 0 { "tiered_pricing" } else { "main" }
}

fn connect(database: &Database, tenant: i64) -> Result<Connection> {
    database.connect_to(branch_of(tenant))
}

fn main() -> Result<()> {
    let main = Connection::open_in_memory()?;
    main.execute_batch(
        "CREATE TABLE tenants(id INTEGER PRIMARY KEY, name TEXT, fee INTEGER NOT NULL);
         CREATE TABLE invoices(tenant INTEGER, month TEXT, amount INTEGER,
                               PRIMARY KEY (tenant, month)) WITHOUT ROWID",
    )?;
    for tenant in 1..=50 {
        let name = format!("tenant {tenant}");
        main.execute("INSERT INTO tenants VALUES (?1, ?2, 100)", params![tenant, name])?;
    }

    // The experiment: tiers, on a branch.
    main.create_branch("tiered_pricing")?;
    let database = main.database();
    let beta = database.connect_to("tiered_pricing")?;
    beta.execute_batch(
        "ALTER TABLE tenants ADD COLUMN tier TEXT DEFAULT 'starter';
         UPDATE tenants SET tier = 'pro', fee = 150 WHERE id % 10 = 0",
    )?;

    // Before it goes on: what would a discount do?
    let preview = beta.preview("UPDATE tenants SET fee = fee - 10 WHERE tier = 'pro'")?;
    println!("the discount would change {} cells", preview.rows().count());
    assert_eq!(preview.rows().count(), 5);
    assert!(preview.holds());
    preview.apply()?;

    // Every tenant is billed where it works.
    for tenant in 1..=50 {
        let connection = connect(database, tenant)?;
        connection.execute(
            "INSERT INTO invoices SELECT id, '2026-01', fee FROM tenants WHERE id = ?1",
            [tenant],
        )?;
    }
    let sum = |connection: &Connection| -> Result<i64> {
        connection.query_row("SELECT sum(amount) FROM invoices", (), |row| row.get(0))
    };
    println!("main {}, experiment {}", sum(&main)?, sum(&beta)?);

    // It went well: everybody gets it, and the invoices of both sides are kept.
    assert!(main.merge("tiered_pricing").delete_branch_after(true).run()?.success);
    assert_eq!(sum(&main)?, 45 * 100 + 5 * 140);
    Ok(())
}
