//! Pages that are copied while a checkpoint runs, and what the next one writes of them.
//!
//! The model in `mod` does the same at random, the threads in `long` at any moment.

use super::*;
use crate::format::PageRef;
use crate::vfs::Fault;

/// A store whose head 1 has one page in the file.
fn one_page() -> (Arc<dyn Vfs>, Owner) {
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(7));
    let mut owner = Owner::open(&vfs).unwrap();
    put(&mut owner, &vfs, 50, 40);
    owner.checkpoint(true, None).unwrap();
    (vfs, owner)
}

/// Changes the first keys of head 1.
fn put(owner: &mut Owner, vfs: &Arc<dyn Vfs>, count: u8, size: u16) {
    owner.apply(vfs, &Step::Change { head: 1, tree: 0, first: 0, count, size }).unwrap();
}

/// Where the page of a head is.
fn page(owner: &Owner, head: u64) -> PageRef {
    let root = owner.heads[&head].tree(TreeId(0)).unwrap().root().unwrap();
    *root.stored_ref().unwrap()
}

#[test]
fn what_is_copied_beside_a_checkpoint_becomes_a_delta() {
    let (vfs, mut owner) = one_page();
    let first = page(&owner, 1);
    owner.checkpoint(true, Some((1, 0, 5..6, 40))).unwrap();
    owner.checkpoint(true, None).unwrap();
    owner.check();
    let second = page(&owner, 1);
    assert_eq!(second.base, first.base);
    assert!(second.delta.is_some());
    // So does what is copied from a page that a delta was written of meanwhile, and what changes
    // without anything beside it.
    put(&mut owner, &vfs, 1, 20);
    owner.checkpoint(true, Some((1, 0, 7..8, 40))).unwrap();
    owner.checkpoint(true, None).unwrap();
    owner.check();
    let third = page(&owner, 1);
    assert_eq!(third.base, first.base);
    assert!(third.delta.is_some() && third.delta != second.delta);
}

#[test]
fn nothing_stands_against_a_page_that_the_checkpoint_beside_released() {
    let (vfs, mut owner) = one_page();
    let first = page(&owner, 1);
    // Who reads has the page still; nothing that is captured does.
    let _pin = owner.store.pin();
    owner.heads.insert(3, owner.heads[&1].clone());
    owner.model.insert(3, owner.model[&1].clone());
    put(&mut owner, &vfs, 60, 44);
    owner.checkpoint(true, Some((3, 0, 5..6, 40))).unwrap();
    assert_ne!(page(&owner, 1).base, first.base);
    owner.checkpoint(true, None).unwrap();
    let second = page(&owner, 3);
    assert!(second.base != first.base && second.delta.is_none());
    owner.check();
}

#[test]
fn what_is_copied_beside_a_checkpoint_that_fails_may_wait_for_the_next() {
    let disk = SimVfs::new(7);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let mut owner = Owner::open(&vfs).unwrap();
    put(&mut owner, &vfs, 50, 40);
    owner.checkpoint(true, None).unwrap();
    let first = page(&owner, 1);
    let mut failures = 0;
    for later in 1..20 {
        put(&mut owner, &vfs, 2, 30 + later as u16 % 2);
        disk.inject(disk.operations() + later, Fault::NoSpace);
        failures += u32::from(owner.checkpoint(true, Some((1, 0, 9..10, 40))).is_err());
        disk.clear_faults();
        if owner.store.is_poisoned() {
            break;
        }
        put(&mut owner, &vfs, 3, 35 + later as u16 % 2);
        owner.checkpoint(true, None).unwrap();
        owner.check();
        assert_eq!(page(&owner, 1).base, first.base);
    }
    assert!(failures > 0);
}
