//! Leaves, inner pages and deltas against plain sorted maps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::delta;
use super::origin::Origin;
use super::*;
use crate::format::{Granule, PageKind, PageRef, Stored, TreeKind};
use crate::sync::Arc;

const PAGE: usize = 2048;

fn whole_page() -> PageRef {
    let base = Stored { granule: Granule(100), stored: 60_000, raw: 60_000, checksum: 1, codec: 0 };
    PageRef {
        kind: PageKind::Leaf,
        level: 0,
        has_edges: false,
        base,
        delta: None,
        birth: 1,
        rows: 0,
    }
}

fn contents(leaf: &Leaf) -> BTreeMap<Vec<u8>, Vec<u8>> {
    (0..leaf.len()).map(|index| (leaf.key(index), leaf.cell(index).payload.to_vec())).collect()
}

fn round_trip(leaf: &Leaf) -> Leaf {
    let mut bytes = Vec::new();
    leaf.encode(&mut bytes);
    Leaf::decode(&bytes).unwrap()
}

#[derive(Clone, Debug)]
enum Change {
    Put(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    RemoveRange(u8, u8),
}

fn changes(kind: TreeKind) -> impl Strategy<Value = Vec<Change>> {
    let key = match kind {
        TreeKind::Fixed => (0u64..60).prop_map(|key| key.to_be_bytes().to_vec()).boxed(),
        TreeKind::Slotted => {
            let tail = prop::collection::vec(0u8..3, 0..6);
            (prop::bool::weighted(0.9), tail)
                .prop_map(|(shares, tail)| {
                    let mut key = if shares { b"common-prefix/".to_vec() } else { Vec::new() };
                    key.extend(tail);
                    key
                })
                .boxed()
        }
    };
    let change = prop_oneof![
        6 => (key.clone(), prop::collection::vec(any::<u8>(), 0..80))
            .prop_map(|(key, value)| Change::Put(key, value)),
        2 => key.prop_map(Change::Remove),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(from, to)| Change::RemoveRange(from, to)),
    ];
    prop::collection::vec(change, 0..200)
}

/// What some small transactions change, one after the other.
fn few_changes(kind: TreeKind) -> impl Strategy<Value = Vec<Vec<Change>>> {
    let few = (changes(kind), 0..6_usize).prop_map(|(mut changes, most)| {
        changes.truncate(most);
        changes
    });
    prop::collection::vec(few, 1..8)
}

/// Applies `changes` to the leaf and to the model; a change that finds no room is left out.
fn apply(leaf: &mut Leaf, model: &mut BTreeMap<Vec<u8>, Vec<u8>>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Put(key, value) => {
                let position = leaf.search(key).unwrap();
                assert_eq!(position.is_ok(), model.contains_key(key));
                if leaf.put(position, key, Cell::inline(value), PAGE).unwrap() == Room::Enough {
                    leaf.touch(key, value.len());
                    model.insert(key.clone(), value.clone());
                } else {
                    assert!(leaf.used_bytes() + value.len() + key.len() + 20 > PAGE);
                }
            }
            Change::Remove(key) => {
                if let Ok(index) = leaf.search(key).unwrap() {
                    leaf.remove(index);
                    leaf.touch(key, 0);
                }
                model.remove(key);
            }
            Change::RemoveRange(from, to) if !leaf.is_empty() => {
                let from = usize::from(*from) % leaf.len();
                let to = (from + usize::from(*to) % 4).min(leaf.len());
                let keys: Vec<_> = (from..to).map(|index| leaf.key(index)).collect();
                for key in keys {
                    leaf.touch(&key, 0);
                    model.remove(&key);
                }
                leaf.remove_range(from..to);
            }
            Change::RemoveRange(..) => {}
        }
    }
}

fn check_against_model(kind: TreeKind, changes: &[Change]) {
    let mut leaf = Leaf::new(kind, 64);
    let mut model = BTreeMap::new();
    apply(&mut leaf, &mut model, changes);
    assert_eq!(contents(&leaf), model);
    let read = round_trip(&leaf);
    assert_eq!(contents(&read), model);
    assert_eq!(contents(&read.copy_for_change(PAGE)), model);

    if leaf.len() >= 2 {
        let mut left = read.copy_for_change(PAGE);
        let middle = left.middle();
        let right = left.split_off(middle, PAGE);
        assert!(!left.is_empty() && !right.is_empty());
        let mut both = contents(&left);
        both.extend(contents(&right));
        assert_eq!(both, model);
        left.append(&right).unwrap();
        assert_eq!(contents(&left), model);
    }
}

/// Every payload as scans find it, which take what stands in the page some at a time.
fn walked(leaf: &Leaf) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while found.len() < leaf.len() {
        let from = found.len();
        let taken = leaf.each_inline(from, leaf.len(), Around::default(), |rows| {
            for row in rows {
                let place = row.start as usize..row.end as usize;
                found.push(leaf.page_bytes()[place].to_vec());
            }
            Ok::<(), ()>(())
        });
        assert_eq!(taken, Ok(found.len()));
        if found.len() < leaf.len() {
            found.push(leaf.cell(found.len()).payload.to_vec());
        }
    }
    found
}

#[test]
fn a_full_page_is_shared_when_a_value_of_the_same_length_comes() {
    let mut base = Leaf::new(TreeKind::Fixed, PAGE);
    let put = |leaf: &mut Leaf, key: u64, value: &[u8]| {
        let key = key.to_be_bytes();
        let position = leaf.search(&key).unwrap();
        leaf.put(position, &key, Cell::inline(value), PAGE).unwrap()
    };
    let mut count = 0;
    while base.used_bytes() + 300 < PAGE {
        assert_eq!(put(&mut base, count, &[1; 100]), Room::Enough);
        count += 1;
    }
    let left = PAGE - base.used_bytes() - super::leaf::stride(TreeKind::Fixed) - 2;
    assert_eq!(put(&mut base, count, &vec![2; left]), Room::Enough);
    assert_eq!(base.used_bytes(), PAGE);
    let node = Arc::new(Node::new(Body::Leaf(base)));
    let mut copy = Node::copy_sharing(&node, PAGE, 1, || 7);
    let Some(Body::Leaf(leaf)) = copy.body_mut() else { panic!("a copy is to be changed") };
    assert_eq!(put(leaf, 3, &[5; 100]), Room::Enough);
    assert_eq!(put(leaf, 3, &[6; 99]), Room::Enough);
    assert!(leaf.is_sharing());
    assert_eq!(leaf.cell(3).payload, [6; 99]);
    assert_eq!(leaf.cell(4).payload, [1; 100]);
    // One byte more than there is room for.
    assert_eq!(put(leaf, 4, &[7; 102]), Room::Full);
}

/// A leaf that shares rows of a page knows of it whether there are references among them.
#[test]
fn references_are_found_among_shared_and_own_cells() {
    let put = |leaf: &mut Leaf, key: u64, kind: CellKind| {
        let key = key.to_be_bytes();
        let position = leaf.search(&key).unwrap();
        let cell = Cell { kind, payload: &[1; 40] };
        assert_eq!(leaf.put(position, &key, cell, PAGE).unwrap(), Room::Enough);
    };
    for (shared, own) in [
        (CellKind::Inline, CellKind::Inline),
        (CellKind::Inline, CellKind::Overflow),
        (CellKind::Overflow, CellKind::Inline),
    ] {
        let mut base = Leaf::new(TreeKind::Fixed, PAGE);
        (0..20).for_each(|key| put(&mut base, key, CellKind::Inline));
        put(&mut base, 5, shared);
        let is_reference = base.has_edges();
        assert_eq!(is_reference, shared == CellKind::Overflow);
        let page = PageRef { has_edges: is_reference, ..whole_page() };
        for is_stored in [true, false] {
            let body = Body::Leaf(base.clone());
            let node = if is_stored { Node::read(body, page) } else { Node::new(body) };
            let mut copy = Node::copy_sharing(&Arc::new(node), PAGE, 1, || 7);
            let Some(Body::Leaf(leaf)) = copy.body_mut() else { panic!("a copy is to be changed") };
            assert!(leaf.is_sharing());
            assert_eq!(leaf.has_edges(), is_reference);
            put(leaf, 7, own);
            assert!(leaf.is_sharing());
            assert_eq!(leaf.has_edges(), is_reference || own == CellKind::Overflow);
        }
    }
}

#[test]
fn full_leaves_are_not_written_anew_for_each_row_that_comes_and_goes() {
    for kind in [TreeKind::Fixed, TreeKind::Slotted] {
        let mut leaf = Leaf::new(kind, PAGE);
        let mut count = 0_u64;
        let put = |leaf: &mut Leaf, number: u64| {
            let key = number.to_be_bytes();
            let position = leaf.search(&key).unwrap();
            leaf.put(position, &key, Cell::inline(&[1; 20]), PAGE).unwrap()
        };
        while put(&mut leaf, 1000 + count) == Room::Enough {
            count += 1;
        }
        let mut written = 0;
        for round in 0..count {
            leaf.remove(0);
            let before = leaf.memory_place();
            assert_eq!(put(&mut leaf, 1000 + count + round), Room::Enough);
            written += u64::from(leaf.memory_place() != before);
        }
        assert!(written * 8 < count, "{kind:?}: {written} times for {count} rows");
        assert!(leaf.used_bytes() <= PAGE);
        assert_eq!(contents(&round_trip(&leaf)), contents(&leaf));
    }
}

/// Leaves that share the bytes of another: they say what whole ones say, and change nobody else.
fn check_sharing(kind: TreeKind, before: &[Change], rounds: &[Vec<Change>]) {
    let mut model = BTreeMap::new();
    let mut base = Leaf::new(kind, PAGE);
    apply(&mut base, &mut model, before);
    let mut versions = vec![(Arc::new(Node::new(Body::Leaf(base))), model)];
    for changes in rounds {
        let (node, model) = versions.last().unwrap();
        let mut model = model.clone();
        let mut copy = Node::copy_sharing(node, PAGE, 1, || 7);
        let Some(Body::Leaf(leaf)) = copy.body_mut() else { panic!("a copy is to be changed") };
        apply(leaf, &mut model, changes);
        let whole = leaf.to_whole();
        assert!(!whole.is_sharing());
        assert_eq!(leaf.used_bytes(), whole.used_bytes());
        // A slotted leaf that was found full may have given up its prefix on the way.
        assert!(kind == TreeKind::Slotted || leaf.used_bytes() <= PAGE || leaf.len() < 2);
        versions.push((Arc::new(copy), model));
    }
    for (node, model) in &versions {
        let Body::Leaf(leaf) = node.body() else { panic!("a leaf stays one") };
        assert_eq!(contents(leaf), *model);
    }
    let (node, model) = versions.last().unwrap();
    let Body::Leaf(leaf) = node.body() else { panic!("a leaf stays one") };
    assert_eq!(contents(&leaf.to_whole()), *model);
    assert_eq!(contents(&leaf.copy_for_change(PAGE)), *model);
    assert_eq!(contents(&round_trip(leaf)), *model);
    assert_eq!(walked(leaf), model.values().cloned().collect::<Vec<_>>());
    for index in 0..leaf.len() {
        assert_eq!(leaf.search(&leaf.key(index)).unwrap(), Ok(index));
    }
    let cells: usize = (0..leaf.len()).map(|index| leaf.existing_cell_bytes(index)).sum();
    assert_eq!(cells, (leaf.heap - leaf.garbage) as usize);
    if leaf.len() >= 2 {
        let mut left = leaf.clone();
        let middle = left.middle();
        let right = left.split_off(middle, PAGE);
        left.append(&right).unwrap();
        assert_eq!(contents(&left), *model);
    }
}

#[test]
fn few_changes_copy_no_page() {
    let mut base = Leaf::new(TreeKind::Fixed, PAGE);
    for key in 0..20_u64 {
        let _ = base.push(&(2 * key).to_be_bytes(), Cell::inline(&[1; 60]), PAGE).unwrap();
    }
    let base = Arc::new(Node::new(Body::Leaf(base)));
    let mut copy = Node::copy_sharing(&base, PAGE, 1, || 7);
    let Some(Body::Leaf(leaf)) = copy.body_mut() else { panic!("a copy is to be changed") };
    let put = |leaf: &mut Leaf, key: u64, value: &[u8]| {
        let key = key.to_be_bytes();
        let position = leaf.search(&key).unwrap();
        assert!(leaf.put(position, &key, Cell::inline(value), PAGE).unwrap() == Room::Enough);
    };
    for value in [[2; 60], [3; 60]] {
        put(leaf, 8, &value);
    }
    put(leaf, 10, b"short");
    put(leaf, 11, b"new");
    leaf.remove(1);
    assert!(leaf.is_sharing(), "four entries differ");
    assert_eq!(leaf.len(), 20);
    let of = |leaf: &Leaf, key: u64| {
        let index = leaf.search(&key.to_be_bytes()).unwrap();
        index.ok().map(|index| leaf.cell(index).payload.to_vec())
    };
    let all = |leaf: &Leaf| [2, 8, 10, 11, 12].map(|key| of(leaf, key));
    let new = [None, Some(vec![3; 60]), Some(b"short".to_vec()), Some(b"new".to_vec())];
    assert_eq!(all(leaf)[..4], new);
    // Cells of its own up to a part of the page: then it is copied after all.
    for key in 100..104 {
        put(leaf, key, &[7; 60]);
    }
    assert!(!leaf.is_sharing(), "many cells differ");
    assert_eq!(all(leaf)[..4], new);
    let Body::Leaf(base) = base.body() else { panic!("a leaf stays one") };
    let (one, none) = (Some(vec![1; 60]), None);
    assert_eq!(all(base), [one.clone(), one.clone(), one.clone(), none, one]);
}

fn check_delta(kind: TreeKind, before: &[Change], after: &[Change]) {
    let page = whole_page();
    let mut model = BTreeMap::new();
    let mut base = Leaf::new(kind, PAGE);
    apply(&mut base, &mut model, before);
    let base = round_trip(&base);

    let node = Arc::new(Node::read(Body::Leaf(base.clone()), page));
    let mut sharing = Node::copy_sharing(&node, PAGE, 1, || 7);
    let Some(Body::Leaf(sharing)) = sharing.body_mut() else { panic!("a copy is to be changed") };
    apply(sharing, &mut model.clone(), after);
    let mut changed = base.copy_for_change(PAGE);
    changed.set_origin(Some(Origin::of_leaf(&page)));
    apply(&mut changed, &mut model, after);
    let of_sharing = delta::encode_leaf(sharing).unwrap();
    let of_whole = delta::encode_leaf(&changed).unwrap();
    assert_eq!(of_sharing, of_whole);
    let Some(bytes) = of_whole else { return };
    let applied = delta::apply_leaf(&base, &bytes, &page, PAGE).unwrap();
    assert_eq!(contents(&applied), model);
    assert_eq!(delta::encode_leaf(&applied).unwrap().unwrap(), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn fixed_leaves_behave_like_a_sorted_map(changes in changes(TreeKind::Fixed)) {
        check_against_model(TreeKind::Fixed, &changes);
    }

    #[test]
    fn slotted_leaves_behave_like_a_sorted_map(changes in changes(TreeKind::Slotted)) {
        check_against_model(TreeKind::Slotted, &changes);
    }

    #[test]
    fn deltas_lead_from_the_old_page_to_the_new(
        before in changes(TreeKind::Slotted), after in changes(TreeKind::Slotted)
    ) {
        check_delta(TreeKind::Slotted, &before, &after);
    }

    #[test]
    fn sharing_leaves_of_fixed_keys_are_as_whole_ones(
        before in changes(TreeKind::Fixed), rounds in few_changes(TreeKind::Fixed)
    ) {
        check_sharing(TreeKind::Fixed, &before, &rounds);
    }

    #[test]
    fn sharing_slotted_leaves_are_as_whole_ones(
        before in changes(TreeKind::Slotted), rounds in few_changes(TreeKind::Slotted)
    ) {
        check_sharing(TreeKind::Slotted, &before, &rounds);
    }

    #[test]
    fn damaged_leaves_are_errors_not_panics(
        changes in changes(TreeKind::Slotted), at in any::<prop::sample::Index>(), flip in 1u8..
    ) {
        let mut leaf = Leaf::new(TreeKind::Slotted, 64);
        apply(&mut leaf, &mut BTreeMap::new(), &changes);
        let mut bytes = Vec::new();
        leaf.encode(&mut bytes);
        let position = at.index(bytes.len());
        bytes[position] ^= flip;
        if let Ok(leaf) = Leaf::decode(&bytes) {
            contents(&leaf);
            // A flip may turn the layout into the other one, which refuses the key.
            let _ = leaf.search(b"common-prefix/a");
        }
    }
}

#[test]
fn inner_pages_read_back_and_find_children() {
    let mut separators = Separators::new(TreeKind::Slotted);
    let mut children = vec![Child::clean(whole_page())];
    for index in 0..100u64 {
        let key = format!("shared/{:03}", index * 2 + 1);
        separators.insert(index as usize, key.as_bytes()).unwrap();
        let mut page = whole_page();
        page.base.granule = Granule(1000 + index);
        page.rows = index;
        children.push(Child::clean(page));
    }
    let inner = Inner::new(1, separators, children);
    let mut bytes = Vec::new();
    inner.encode(&|child| child.stored_ref().copied(), &mut bytes).unwrap();
    let read = Inner::decode(&bytes).unwrap();
    assert_eq!(read.rows(), (0..100).sum::<u64>());
    for key in 0..201_usize {
        let name = format!("shared/{key:03}");
        let expected = key.div_ceil(2);
        assert_eq!(read.separators().child_of(name.as_bytes()).unwrap(), expected, "{name}");
    }
    assert_eq!(read.separators().child_of(b"shared").unwrap(), 0);
    assert_eq!(read.separators().child_of(b"z").unwrap(), 100);
    for length in 0..bytes.len() {
        assert!(Inner::decode(&bytes[..length]).is_err());
    }
}

#[test]
fn copies_of_inner_pages_share_and_differ_as_they_should() {
    let mut separators = Separators::new(TreeKind::Fixed);
    let mut children = vec![Child::clean(whole_page())];
    for index in 1..200u64 {
        separators.insert(index as usize - 1, &(index * 10).to_be_bytes()).unwrap();
        children.push(Child::clean(PageRef { rows: 1, ..whole_page() }));
    }
    let original = Inner::new(1, separators, children);
    let mut copy = original.clone();
    for index in 0..100 {
        copy.replace(index, Child::clean(PageRef { rows: 5, ..whole_page() }));
    }
    assert_eq!(original.rows(), 199);
    assert_eq!(copy.rows(), 100 + 500);
    let (between, right) = copy.split_off(150);
    assert_eq!(between, 1500u64.to_be_bytes());
    assert_eq!((copy.len(), right.len()), (150, 50));
    copy.append(&between, &right).unwrap();
    assert_eq!((copy.len(), copy.rows()), (200, 600));
    copy.remove_range(0..10);
    assert_eq!(copy.separators().key(0), 110u64.to_be_bytes());
    copy.remove_range(185..190);
    assert_eq!((copy.len(), copy.separators().len()), (185, 184));
}

#[derive(Clone, Debug)]
enum InnerChange {
    /// Another version of a child.
    Replace(usize),
    /// The same the way that a change goes: taken out, changed, put back.
    Take(usize),
    /// A child gets a neighbour.
    Split(usize),
    Remove(usize),
    /// A version that is kept, and shared from then on.
    Keep,
    Clean,
}

fn inner_changes() -> impl Strategy<Value = Vec<InnerChange>> {
    let change = prop_oneof![
        30 => any::<usize>().prop_map(InnerChange::Replace),
        30 => any::<usize>().prop_map(InnerChange::Take),
        1 => any::<usize>().prop_map(InnerChange::Split),
        1 => any::<usize>().prop_map(InnerChange::Remove),
        20 => Just(InnerChange::Keep),
        1 => Just(InnerChange::Clean),
    ];
    prop::collection::vec(change, 1..600)
}

/// The child of a number: a leaf with one entry, so that it is clear which one is where.
fn numbered(number: u64) -> Child {
    let mut leaf = Leaf::new(TreeKind::Fixed, 64);
    let _ = leaf.push(&number.to_be_bytes(), Cell::inline(b""), 64).unwrap();
    Child::dirty(Node::new(Body::Leaf(leaf)))
}

fn number_of(child: &Child) -> u64 {
    match &child.link {
        Link::Clean { page, .. } => page.base.granule.0,
        Link::Dirty(node) => match node.body() {
            Body::Leaf(leaf) => leaf.fixed(0),
            Body::Inner(_) => panic!("a leaf stays one"),
        },
    }
}

fn numbers_of(inner: &Inner) -> Vec<u64> {
    inner.children().map(number_of).collect()
}

proptest! {
    #[test]
    fn versions_of_inner_pages_are_as_lists_of_children(
        is_dirty in any::<bool>(), changes in inner_changes()
    ) {
        let page = |number| PageRef {
            base: Stored { granule: Granule(number), ..whole_page().base }, rows: 1, ..whole_page()
        };
        let child = |number| if is_dirty { numbered(number) } else { Child::clean(page(number)) };
        let mut separators = Separators::new(TreeKind::Fixed);
        for index in 1..150u64 {
            separators.insert(index as usize - 1, &(index << 32).to_be_bytes()).unwrap();
        }
        let mut inner = Inner::new(1, separators, (0..150).map(child).collect());
        let mut model: Vec<u64> = (0..150).collect();
        let mut kept = Vec::new();
        for (change, number) in changes.into_iter().zip(1000..) {
            match change {
                InnerChange::Replace(at) => {
                    inner.replace(at % model.len(), numbered(number));
                    let at = at % model.len();
                    model[at] = number;
                }
                InnerChange::Take(at) => {
                    let at = at % model.len();
                    prop_assert_eq!(number_of(&inner.take(at)), model[at]);
                    inner.replace(at, numbered(number));
                    model[at] = number;
                }
                InnerChange::Split(at) => {
                    let at = at % model.len();
                    let from = inner.separators().key(at.saturating_sub(1).min(model.len() - 2));
                    let from = u64::from_be_bytes(from.try_into().unwrap());
                    let between = (from + u64::from(at > 0)).to_be_bytes();
                    if at > 0 && at + 1 < model.len()
                        && inner.separators().key(at) > between.to_vec()
                    {
                        inner.insert_after(at, &between, numbered(number)).unwrap();
                        model.insert(at + 1, number);
                    }
                }
                InnerChange::Remove(at) if model.len() > 2 => {
                    let at = at % model.len();
                    inner.remove_range(at..at + 1);
                    model.remove(at);
                }
                InnerChange::Remove(_) => {}
                InnerChange::Keep => kept.push((inner.clone(), model.clone())),
                InnerChange::Clean => {
                    let place = |child: &Child| Some((page(number_of(child)), NO_HINT));
                    let cleaned = inner.cleaned(&place);
                    prop_assert!(cleaned.children().all(|child| child.stored_ref().is_some()));
                    prop_assert_eq!(numbers_of(&cleaned), model.clone());
                    inner = cleaned;
                }
            }
            prop_assert_eq!(inner.rows(), model.len() as u64);
        }
        kept.push((inner, model));
        for (inner, model) in &kept {
            prop_assert_eq!(&numbers_of(inner), model);
        }
    }
}

/// Dense, even and uneven keys: what a search guesses must not change what it finds.
fn key_sets() -> impl Strategy<Value = std::collections::BTreeSet<u64>> {
    let dense = (any::<u64>(), 0u64..200, prop::collection::vec(0u64..200, 0..20)).prop_map(
        |(first, count, holes)| {
            let keys = (first..first.saturating_add(count)).collect::<Vec<_>>();
            let is_hole = |key: &u64| holes.contains(&(key - first));
            keys.into_iter().filter(|key| !is_hole(key)).collect()
        },
    );
    let even = prop::collection::btree_set(any::<u64>(), 0..200);
    let uneven = prop::collection::btree_set((0u32..64).prop_map(|shift| 1u64 << shift), 0..64);
    let ends = prop::collection::btree_set(
        prop_oneof![0u64..50, u64::MAX - 50..=u64::MAX, 1000u64..1100],
        0..150,
    );
    prop_oneof![dense, even, uneven, ends]
}

proptest! {
    #[test]
    fn fixed_keys_are_found_where_a_plain_search_finds_them(
        keys in key_sets(),
        others in prop::collection::vec(any::<u64>(), 0..20),
    ) {
        let mut leaf = Leaf::new(TreeKind::Fixed, 8192);
        for key in &keys {
            let room = leaf.push(&key.to_be_bytes(), Cell::inline(b"v"), 8192).unwrap();
            prop_assert_eq!(room, Room::Enough);
        }
        let sorted: Vec<u64> = keys.into_iter().collect();
        let near = sorted.iter().flat_map(|key| {
            [*key, key.wrapping_sub(1), key.wrapping_add(1), key.wrapping_add(9)]
        });
        for key in near.chain(others).chain([0, u64::MAX]) {
            prop_assert_eq!(leaf.search_fixed(key), sorted.binary_search(&key));
            let first = sorted.first().copied().unwrap_or(key);
            for least in [0, first.saturating_sub(1), first] {
                prop_assert_eq!(leaf.search_dense(key, least), sorted.binary_search(&key));
            }
        }
    }

    #[test]
    fn drafts_read_back_as_the_leaves_that_they_would_be(
        is_fixed in any::<bool>(),
        shared in 0usize..40,
        entries in prop::collection::btree_map(
            prop::collection::vec(0u8..4, 0..8), (0usize..400, any::<bool>()), 1..60),
    ) {
        let kind = if is_fixed { TreeKind::Fixed } else { TreeKind::Slotted };
        let mut draft = LeafDraft::new(kind, 4096);
        let mut leaf = Leaf::new(kind, 4096);
        let mut edges = Vec::new();
        let mut model = BTreeMap::new();
        for (number, (key, (bytes, is_large))) in entries.iter().enumerate() {
            let key = match kind {
                TreeKind::Fixed => (number as u64 * 500 + *bytes as u64).to_be_bytes().to_vec(),
                TreeKind::Slotted => [&vec![7u8; shared], key.as_slice()].concat(),
            };
            let mut payload = vec![number as u8; *bytes];
            let mut cell_kind = CellKind::Inline;
            if *is_large {
                payload.clear();
                whole_page().encode(&mut payload);
                cell_kind = CellKind::Overflow;
                edges.push(whole_page());
            }
            let cell = Cell { kind: cell_kind, payload: &payload };
            let stated = draft.bytes_with(&key, &cell);
            draft.push(&key, &cell).unwrap();
            prop_assert!(leaf.push(&key, cell, 1 << 20).unwrap() == Room::Enough);
            model.insert(key, payload.clone());
            // What it says that a page takes is what the page takes, to a byte for each length.
            let mut stored = Vec::new();
            draft.encode(&mut stored);
            let read = Leaf::decode(&stored).unwrap();
            prop_assert!(read.used_bytes() <= stated && stated <= read.used_bytes() + read.len());
        }
        let mut stored = Vec::new();
        draft.encode(&mut stored);
        let read = Leaf::decode(&stored).unwrap();
        prop_assert_eq!(contents(&read), model);
        prop_assert_eq!(read.edges().unwrap(), edges.clone());
        prop_assert_eq!(draft.edges(), edges.as_slice());
        if is_fixed {
            let mut pushed = Vec::new();
            leaf.encode(&mut pushed);
            prop_assert_eq!(stored, pushed);
        }
    }
}
