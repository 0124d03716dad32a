//! `pando recover` of a damaged database: nothing false comes back, and what is missing is counted.

use std::collections::BTreeSet;

use pandodb_testkit::TemporaryFolder;

use crate::run;

const ROWS: i64 = 3000;

/// Rows with keys in a row, keys by chance, keys without a rowid, and values in pages of their own.
fn schema() -> String {
    format!(
        "CREATE TABLE plain(id INTEGER PRIMARY KEY, text TEXT, twice INT AS (id * 2));
         CREATE TABLE bare(a, b);
         CREATE TABLE pair(room TEXT, number INT, note, PRIMARY KEY(room, number)) WITHOUT ROWID;
         CREATE TABLE large(id INTEGER PRIMARY KEY, body BLOB);
         CREATE INDEX plain_text ON plain(text);
         CREATE VIEW some AS SELECT id FROM plain;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
           INSERT INTO plain SELECT i * i, hex(i * 7919 % 10007) || '-' || i FROM n;
         INSERT INTO bare SELECT text, id FROM plain;
         INSERT INTO pair SELECT 'room ' || id % 7, id, text FROM plain;
         INSERT INTO large SELECT id, CAST(printf('%.*c', 40000 + id, 'x') || id AS BLOB)
           FROM plain LIMIT 30;
         PRAGMA wal_checkpoint(TRUNCATE);"
    )
}

/// The lines that insert a row.
fn inserts(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| line.starts_with("INSERT")).collect()
}

/// The number that the losses in a text come to.
fn lost(text: &str) -> usize {
    let counts = text
        .lines()
        .filter(|line| line.starts_with("-- "))
        .filter_map(|line| line.split_once(": ")?.1.split_once(" of ")?.0.parse::<usize>().ok());
    counts.sum()
}

#[test]
fn what_is_not_damaged_comes_back_and_what_is_missing_is_counted() {
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    std::fs::write(folder.file("schema.sql"), schema()).unwrap();
    run("pando --bail whole.pando < schema.sql");
    let whole = run("pando whole.pando recover");
    assert!(whole.ends_with("COMMIT;\n") && !whole.contains("--"), "{whole:.200}");
    let all = inserts(&whole);
    assert_eq!(all.len(), 3 * usize::try_from(ROWS).unwrap() + 30);
    let bytes = std::fs::read(folder.file("whole.pando")).unwrap();

    let (mut damaged, mut readable, mut much) = (0, 0, 0);
    let places = 16;
    for place in 1..places {
        let mut bytes = bytes.clone();
        // Somewhere behind the beginning of the file, in steps that fit no page.
        let at = bytes.len() * place / places + 137;
        for byte in bytes.iter_mut().skip(at).take(64) {
            *byte ^= 0x5a;
        }
        std::fs::write(folder.file("hurt.pando"), bytes).unwrap();
        run("rm -rf hurt.pando-*");
        let printed = run("pando hurt.pando recover 2> said");
        let said = std::fs::read_to_string(folder.file("said")).unwrap();
        assert!(!said.contains("panicked"), "{said}");
        if !printed.contains("COMMIT;") {
            // The catalog itself is gone; that is said.
            assert!(printed.contains("[exit 6]") || printed.contains("[exit 5]"), "{said}");
            continue;
        }
        readable += 1;
        let found = inserts(&printed);
        assert!(found.is_subset(&all), "something was made up at {at}");
        assert_eq!(found.len() + lost(&printed), all.len(), "at {at}: {said}");
        assert_eq!(printed.contains("[exit 6]"), found.len() < all.len(), "{said}");
        if found.len() < all.len() {
            damaged += 1;
            // An inner page takes all below it along. Few pages are such; which places of the file
            // they have is not the same in every run.
            much += usize::from(lost(&printed) >= all.len() / 10);
        }
    }
    assert!(much <= damaged / 3, "{much} of {damaged} copies lost more than a tenth");
    // The last one is SQL that runs.
    assert_eq!(run("pando hurt.pando recover 2> said > back.sql").replace("[exit 6]", ""), "");
    assert_eq!(run("pando --bail back.pando < back.sql"), "");
    assert_eq!(run("pando back.pando 'PRAGMA integrity_check'"), "ok\n");
    assert!(damaged > places / 4, "only {damaged} of {readable} copies had damaged rows");
}
