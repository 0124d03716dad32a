//! Branches on a simulated disk: a model of maps, crashes at every operation, each refusal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod crash;
mod model;
mod told;
mod verbs;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use pandodb_ds::forest::Forest;
use pandodb_ds::format::TreeKind;
use pandodb_ds::store::StoreOptions;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Diff;
use pandodb_ds::vfs::{SimVfs, Vfs};
use pandodb_tm::wal::WalOptions;
use pandodb_tm::{
    BeginOptions, HeadId, Manager, Options, Retention, Synchronous, Transaction, TreeId,
};

use super::*;
use crate::registry::merging::MergePlan;

/// The tree of data that tests write to.
const DATA: TreeId = TreeId(16);

type Content = BTreeMap<Vec<u8>, Vec<u8>>;

fn options(synchronous: Synchronous) -> Options {
    Options {
        store: StoreOptions { page_bytes: 1024, ..StoreOptions::default() },
        wal: WalOptions { segment_len: 16 << 10, ..WalOptions::default() },
        synchronous,
        has_checkpoint_thread: false,
        checkpoints: None,
        busy_timeout: Duration::ZERO,
        history: Retention { time: None, log_bytes: None },
        ..Options::default()
    }
}

fn open(disk: &SimVfs, synchronous: Synchronous) -> Result<Branches> {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let manager = Manager::open(&vfs, Path::new("base.pando"), &options(synchronous))?;
    Branches::open(Arc::new(manager))
}

fn contents(manager: &Manager, forest: &Forest) -> Result<Content> {
    let mut content = Content::new();
    if forest.tree(DATA).is_none() {
        return Ok(content);
    }
    let mut cursor = forest.cursor(manager.pager(), DATA)?;
    let mut more = cursor.first()?;
    while more {
        content.insert(cursor.key(), cursor.value()?.unwrap_or_default());
        more = cursor.next()?;
    }
    Ok(content)
}

fn read(branches: &Branches, name: &str) -> Result<Content> {
    read_at(branches, name, &Point::Now)
}

fn read_at(branches: &Branches, name: &str, at: &Point) -> Result<Content> {
    let view = branches.view(name, at)?;
    contents(branches.manager(), &view.forest())
}

fn write(branches: &Branches, name: &str, rows: &[(&str, Option<&str>)]) -> Result<u64> {
    let head = branches.head(name)?;
    let options = BeginOptions { message: format!("write {name}"), ..BeginOptions::default() };
    let mut transaction = branches.manager().begin(head, options)?;
    change(&mut transaction, rows)?;
    Ok(transaction.commit()?.0)
}

fn change(transaction: &mut Transaction, rows: &[(&str, Option<&str>)]) -> Result<()> {
    if transaction.tree_kind(DATA).is_none() {
        transaction.create_tree(DATA, TreeKind::Slotted)?;
    }
    for (key, value) in rows {
        match value {
            Some(value) => drop(transaction.put(DATA, key.as_bytes(), value.as_bytes())?),
            None => drop(transaction.delete(DATA, key.as_bytes())?),
        }
    }
    Ok(())
}

fn create(branches: &Branches, name: &str, parent: &str, at: Point) -> Result<Branch> {
    branches.create(&CreateBranch {
        name: name.into(),
        parent: parent.into(),
        at,
        options: BranchOptions::default(),
    })
}

/// What the source changed since the base, put on the target: as a merge of keys in which the
/// source wins. Returns what it came down to.
fn merge(branches: &Branches, source: &str, target: &str, deletes: bool) -> Result<MergeKind> {
    let plan = branches.begin_merge(source, target)?;
    if plan.kind == MergeKind::UpToDate {
        branches.abandon_merge(plan)?;
        return Ok(MergeKind::UpToDate);
    }
    let head = HeadId(plan.target.head);
    let mut transaction = branches.manager().begin(head, BeginOptions::default())?;
    if plan.kind == MergeKind::FastForward {
        branches.fast_forward(&plan, &mut transaction)?;
    } else {
        apply(branches, &plan, &mut transaction)?;
    }
    branches.record_merge(&plan, &mut transaction)?;
    if plan.kind == MergeKind::FastForward {
        branches.note_level(&plan, &mut transaction)?;
    }
    if deletes {
        branches.drop_merged(&plan, &mut transaction)?;
    }
    transaction.commit()?;
    let kind = plan.kind;
    branches.settle_merge(plan)?;
    check_records(branches);
    branches.maintain()?;
    Ok(kind)
}

fn apply(branches: &Branches, plan: &MergePlan, transaction: &mut Transaction) -> Result<()> {
    transaction.prepare_write()?;
    if transaction.tree_kind(DATA).is_none() {
        transaction.create_tree(DATA, TreeKind::Slotted)?;
    }
    let (base, theirs) = (plan.base(), plan.theirs());
    let empty = pandodb_ds::tree::Tree::new(TreeKind::Slotted);
    let (base, theirs) = (base.tree(DATA).unwrap_or(&empty), theirs.tree(DATA).unwrap_or(&empty));
    let mut diff = Diff::new(branches.manager().pager(), base, theirs);
    while let Some(found) = diff.next_change()? {
        match found.new {
            Some(value) => drop(transaction.put(DATA, &found.key, &value)?),
            None => drop(transaction.delete(DATA, &found.key)?),
        }
    }
    Ok(())
}

fn content_of(rows: &[(&str, &str)]) -> Content {
    let rows = rows.iter();
    rows.map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

/// What is kept in memory is what the rows say, and the index what it would be made of them now.
fn check_records(branches: &Branches) {
    let manager = branches.manager();
    loop {
        let kept = branches.indexed().unwrap().clone();
        let mut read = branches.load().unwrap();
        read.make_index();
        read.resolve_anchors(|head| manager.head(HeadId(head)).ok().map(|it| it.commit.0));
        // Another thread may have dropped heads in between.
        if manager.head(branches.system).unwrap().commit.0 == kept.commit {
            assert_eq!(kept, read);
            return;
        }
    }
}

fn check_file(branches: &Branches) {
    let report = pandodb_ds::check::check(branches.manager().store(), &mut |_| true).unwrap();
    assert!(report.is_clean(), "{:#?}", report.problems);
}
