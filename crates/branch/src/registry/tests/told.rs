//! What is said of moments that cannot be shown.

use pandodb_tm::CheckpointMode;

use super::*;

fn told<T: std::fmt::Debug>(outcome: Result<T>, message: &str) -> String {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRetained);
    assert_eq!(error.message(), message);
    error.hint().unwrap_or_default().to_owned()
}

#[test]
fn what_was_before_a_commit_is_told_by_the_number_of_the_commit() {
    let disk = SimVfs::new(5);
    let branches = open(&disk, Synchronous::Normal).unwrap();
    write(&branches, "main", &[("a", Some("1"))]).unwrap();
    write(&branches, "main", &[("a", Some("2"))]).unwrap();
    let third = write(&branches, "main", &[("a", Some("3"))]).unwrap();
    branches.collect().unwrap();
    branches.manager().set_retention(Retention::NOTHING);
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    branches.manager().set_retention(Retention { time: None, log_bytes: None });
    branches.manager().checkpoint(CheckpointMode::Full).unwrap();
    let hint = told(
        branches.commit_views(third, None).map(|(commit, ..)| commit),
        &format!("what was there before transaction {third} is not kept"),
    );
    assert!(hint.starts_with("the oldest is transaction "), "{hint}");
}
