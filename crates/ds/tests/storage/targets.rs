//! Fuzz targets: what the storage layer must survive, as functions of any bytes.
//!
//! Most bytes of a file are under a checksum, so that a blind change is refused at the first
//! step. The targets `file` and `backup` therefore change a sound file and then make every
//! checksum right again, as an attacker would. A target panics when something is wrong.
//! Neighbours: `fuzz.rs` runs them for a moment in every test run, the package in `fuzz/` as long
//! as one likes.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a target fails by panicking")]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use fastrand::Rng;
use pandodb_ds::Result;
use pandodb_ds::backup::{Backup, restore, verify};
use pandodb_ds::check::check;
use pandodb_ds::codec::{self, Codec};
use pandodb_ds::format::bytes::Reader;
use pandodb_ds::format::{Granule, PageKind, PageRef, Stored, Superblock, TreeKind, TreeRoot};
use pandodb_ds::page::{Body, Cell, Child, Inner, Leaf, Separators, delta};
use pandodb_ds::pager::Reach;
use pandodb_ds::record::key::{ColumnOrder, decode_columns, rowid_from_key, skip_column};
use pandodb_ds::record::row::RowView;
use pandodb_ds::store::{Store, StoreOptions};
use pandodb_ds::tree::survey;
use pandodb_ds::vfs::{SimVfs, Vfs};

use crate::world::{World, options, path};

/// A target: its name, what it does with bytes, and some bytes to begin with.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&[u8]),
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target of this layer.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "page", run: page, seeds: page_seeds },
    Target { name: "superblock", run: superblock, seeds: superblock_seeds },
    Target { name: "record", run: record, seeds: record_seeds },
    Target { name: "key", run: key, seeds: record_seeds },
    Target { name: "bytes", run: bytes, seeds: superblock_seeds },
    Target { name: "file", run: file, seeds: edit_seeds },
    Target { name: "backup", run: backup, seeds: edit_seeds },
];

/// How many entries of a made-up file are looked at: it may claim any number.
const ENTRIES_MAX: usize = 5_000;

fn reference(kind: PageKind, level: u8) -> PageRef {
    let base = Stored { granule: Granule(20), stored: 100, raw: 100, checksum: 0, codec: 0 };
    PageRef { kind, level, has_edges: false, base, delta: None, birth: 1, rows: 1 }
}

/// The first byte says what the others are.
fn page(data: &[u8]) {
    let Some((what, data)) = data.split_first() else { return };
    match what % 6 {
        0 => {
            if let Ok(leaf) = Leaf::decode(data) {
                use_leaf(&leaf);
            }
        }
        1 => {
            if let Ok(inner) = Inner::decode(data) {
                let mut again = Vec::new();
                inner.encode(&|child| child.stored_ref().copied(), &mut again).unwrap();
                assert_eq!(again.len(), data.len(), "an inner page reads back");
                for index in 0..inner.separators().len() {
                    let key = inner.separators().key(index);
                    assert_eq!(inner.separators().child_of(&key).unwrap(), index + 1);
                }
            }
        }
        2 => {
            let page = reference(PageKind::Leaf, 0);
            for kind in [TreeKind::Fixed, TreeKind::Slotted] {
                let base = Leaf::new(kind, 1024);
                if let Ok(leaf) = delta::apply_leaf(&base, data, &page, 1024) {
                    use_leaf(&leaf);
                }
            }
        }
        3 => {
            let separators = Separators::new(TreeKind::Slotted);
            let child = Child::clean(reference(PageKind::Leaf, 0));
            let inner = Inner::new(1, separators, vec![child]);
            let _ = delta::apply_inner(inner, data, &reference(PageKind::Inner, 1));
        }
        4 => {
            let _ = PageRef::decode(&mut Reader::new(data));
            let _ = TreeRoot::decode(&mut Reader::new(data));
        }
        _ => {
            let [codec, low, high, rest @ ..] = data else { return };
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            let mut raw = Vec::new();
            if codec::decompress(codec % 6, rest, length, 1 << 20, &mut raw).is_ok() {
                assert_eq!(raw.len(), length);
            }
        }
    }
}

fn use_leaf(leaf: &Leaf) {
    let mut again = Vec::new();
    leaf.encode(&mut again);
    Leaf::decode(&again).unwrap();
    for index in 0..leaf.len() {
        let key = leaf.key(index);
        assert_eq!(leaf.search(&key).unwrap(), Ok(index));
        leaf.cell(index).edge().unwrap();
    }
    let mut changed = leaf.copy_for_change(1024);
    while changed.len() > 1 {
        let right = changed.split_off(changed.middle(), 1024);
        let key = changed.key(0);
        let _ = changed.put(Ok(0), &key, Cell::inline(b"other"), 1024).unwrap();
        changed.append(&right).unwrap();
        changed.remove_range(0..changed.len().div_ceil(2));
    }
}

fn page_seeds() -> Vec<Vec<u8>> {
    let file = base_file();
    let mut seeds = vec![vec![4; 60], vec![3, 1, 0, 0, 0, 1, 0, 0, 0, 0]];
    for page in &file.pages {
        let raw = &file.bytes[page.offset..page.offset + page.length];
        for what in 0..4 {
            seeds.push([&[what], raw].concat());
        }
        for codec in [Codec::rle(), Codec::lz4(), Codec::zstd(1), Codec::gzip(1)] {
            let mut stored = vec![5, 0, 0, 0];
            let id = codec::compress(codec, raw, &mut stored).unwrap();
            stored[1] = id as u8;
            stored[2..4].copy_from_slice(&(raw.len() as u16).to_le_bytes());
            seeds.push(stored);
        }
    }
    seeds
}

fn superblock(data: &[u8]) {
    let mut sealed = data.to_vec();
    sealed.resize(4096, 0);
    let checksum = crc32fast::hash(&sealed[..252]).to_le_bytes();
    sealed[252..256].copy_from_slice(&checksum);
    for bytes in [data, &sealed] {
        if let Ok(superblock) = Superblock::decode(bytes) {
            assert_eq!(Superblock::decode(&superblock.encode()).unwrap(), superblock);
        }
    }
}

fn superblock_seeds() -> Vec<Vec<u8>> {
    let bytes = &base_file().bytes;
    vec![bytes[..4096].to_vec(), bytes[4096..8192].to_vec(), bytes.clone()]
}

fn record(data: &[u8]) {
    let Ok(row) = RowView::new(data) else { return };
    let is_valid = row.validate().is_ok();
    for index in 0..row.len().min(100) {
        let (span, column) = (row.span(index), row.column(index));
        if is_valid {
            let (span, _) = (span.unwrap().unwrap(), column.unwrap().unwrap());
            assert!(span.range.end <= data.len());
        }
    }
    let _ = row.project(&[0, 3, 1, 90], |_, _| {});
    let columns: Result<Vec<_>> = row.columns().take(1000).collect();
    assert!(!is_valid || columns.is_ok());
}

fn record_seeds() -> Vec<Vec<u8>> {
    use pandodb_ds::record::{Value, key, row};
    let columns = [
        Value::Null,
        Value::Integer(-70_000),
        Value::real(0.1),
        Value::text("text \0 and \u{1}"),
        Value::blob(vec![7; 200]),
        Value::Integer(i64::MIN),
        Value::real(-1e300),
    ];
    let references: Vec<_> = columns.iter().map(Value::as_ref).collect();
    let (mut stored, mut keyed) = (Vec::new(), vec![0b010_1010]);
    row::encode_row(&references, &mut stored).unwrap();
    key::push_columns(&references, &orders(0b010_1010), &mut keyed).unwrap();
    vec![stored, keyed]
}

fn orders(bits: u8) -> [ColumnOrder; 7] {
    std::array::from_fn(|index| {
        if bits >> index & 1 == 0 { ColumnOrder::ASCENDING } else { ColumnOrder::DESCENDING }
    })
}

/// The first byte says which columns are descending.
fn key(data: &[u8]) {
    let _ = rowid_from_key(data);
    let Some((bits, data)) = data.split_first() else { return };
    for count in 1..=7 {
        let mut columns = Vec::new();
        let decoded = decode_columns(data, &orders(*bits)[..count], 0, &mut columns);
        let mut at = 0;
        let skipped: Result<Vec<usize>> = orders(*bits)[..count]
            .iter()
            .map(|order| skip_column(&data[at..], order.descending).inspect(|len| at += len))
            .collect();
        if let Ok(rest) = decoded {
            assert_eq!(skipped.unwrap().iter().sum::<usize>(), data.len() - rest.len());
        }
    }
}

/// The bytes are a whole file, as a database and as a backup.
fn bytes(data: &[u8]) {
    let (disk, vfs) = machine(1);
    disk.install(path(), data).unwrap();
    use_file(&vfs, path());
    let _ = verify(&*vfs, &[path()], &mut |_| true);
}

fn machine(seed: u64) -> (SimVfs, Arc<dyn Vfs>) {
    let disk = SimVfs::new(seed);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    (disk, vfs)
}

/// Bytes of a page in the file.
struct PageAt {
    offset: usize,
    length: usize,
    /// Where its checksum stands: in the superblock, or in pages that refer to it.
    checksums: Vec<usize>,
}

/// A small sound database without compression.
struct BaseFile {
    bytes: Vec<u8>,
    pages: Vec<PageAt>,
    /// The current superblock's slot.
    slot: usize,
    backup: Vec<u8>,
}

fn base_file() -> &'static BaseFile {
    static FILE: OnceLock<BaseFile> = OnceLock::new();
    FILE.get_or_init(|| make_base().unwrap())
}

fn make_base() -> Result<BaseFile> {
    let (disk, vfs) = machine(9);
    let mut rng = Rng::with_seed(9);
    let options = StoreOptions { codec: Codec::none(), ..options() };
    let mut world = World::open_with(&vfs, path(), &options)?;
    world.put(&mut rng, (0, 0), 0..120, 20)?;
    world.put(&mut rng, (0, 1), 0..90, 30)?;
    world.put(&mut rng, (1, 1), 5..7, 700)?;
    world.put(&mut rng, (1, 1), 9..10, 70_000)?;
    world.checkpoint()?;
    world.fork(0, 2);
    world.put(&mut rng, (2, 1), 50..52, 30)?;
    world.put(&mut rng, (2, 0), 70..71, 20)?;
    world.checkpoint()?;
    Backup::run(&world.store, Path::new("backup"), None)?;
    let bytes = disk.contents(path()).unwrap_or_default();
    let backup = disk.contents(Path::new("backup")).unwrap_or_default();
    let slots = [Superblock::decode(&bytes)?, Superblock::decode(&bytes[4096..])?];
    let slot = usize::from(slots[1].checkpoint > slots[0].checkpoint) * 4096;
    let superblock = &slots[slot / 4096];

    let mut reach = Reach::new(superblock.registry.page, 0);
    let mut references: Vec<PageRef> = Vec::new();
    while let Some(reached) = reach.next(world.store.pager())? {
        references.push(reached.page);
    }
    references.extend(superblock.space_map);
    assert!(references.iter().any(|page| page.delta.is_some()), "the file has a delta");
    let mut pages: Vec<PageAt> = Vec::new();
    for page in &references {
        let mut encoded = Vec::new();
        page.encode(&mut encoded);
        let places: Vec<usize> = (0..bytes.len() - encoded.len())
            .filter(|at| bytes[*at..].starts_with(&encoded))
            .collect();
        // In a page reference the checksum stands at 16, in the delta reference behind it at 13.
        for (stored, at) in [(Some(page.base), 16), (page.delta, 36 + 13)] {
            let Some(stored) = stored else { continue };
            let offset = stored.granule.offset() as usize;
            let checksums = places.iter().map(|place| place + at);
            match pages.iter_mut().find(|page| page.offset == offset) {
                Some(page) => page.checksums.extend(checksums),
                None => pages.push(PageAt {
                    offset,
                    length: stored.stored as usize,
                    checksums: checksums.collect(),
                }),
            }
        }
    }
    Ok(BaseFile { bytes, pages, slot, backup })
}

impl BaseFile {
    /// Where byte `number` of the pages and the superblock is.
    fn place(&self, number: usize) -> usize {
        let page = &self.pages[number % (self.pages.len() + 1) % self.pages.len()];
        match number % (self.pages.len() + 1) {
            0 => self.slot + number / 8 % 256,
            // Most of what matters stands at the front.
            _ => page.offset + (number / 64) % page.length.min(1 << (3 + number % 14)),
        }
    }

    /// Makes every checksum right.
    fn seal(&self, bytes: &mut [u8]) {
        // A page is below another at most as often as there are pages.
        for _ in 0..self.pages.len() {
            let mut is_stable = true;
            for page in &self.pages {
                let sum = crc32fast::hash(&bytes[page.offset..page.offset + page.length]);
                for at in &page.checksums {
                    let place = &mut bytes[*at..at + 4];
                    is_stable &= *place == sum.to_le_bytes();
                    place.copy_from_slice(&sum.to_le_bytes());
                }
            }
            if is_stable {
                break;
            }
        }
        for slot in [0, 4096] {
            let sum = crc32fast::hash(&bytes[slot..slot + 252]).to_le_bytes();
            bytes[slot + 252..slot + 256].copy_from_slice(&sum);
        }
    }
}

/// Changes of four bytes each: where (three) and to what.
fn edits(data: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    data.chunks_exact(4).take(64).map(|edit| {
        let place = u32::from_le_bytes([edit[0], edit[1], edit[2], 0]);
        (place as usize, edit[3])
    })
}

fn edit_seeds() -> Vec<Vec<u8>> {
    let mut rng = Rng::with_seed(3);
    (0..200).map(|_| (0..4 * rng.usize(1..6)).map(|_| rng.u8(..)).collect()).collect()
}

/// The bytes change a sound database, whose checksums are then made right.
fn file(data: &[u8]) {
    let base = base_file();
    let mut bytes = base.bytes.clone();
    for (number, value) in edits(data) {
        bytes[base.place(number)] ^= value;
    }
    base.seal(&mut bytes);
    let (disk, vfs) = machine(2);
    disk.install(path(), &bytes).unwrap();
    use_file(&vfs, path());
}

/// Opens, reads, checks, changes: everything may fail, nothing may panic or run away.
fn use_file(vfs: &Arc<dyn Vfs>, path: &Path) {
    let Ok(store) = Store::open(vfs, path, &options()) else { return };
    let report = check(&store, &mut |pages| pages < 5_000);
    let is_clean = report.is_ok_and(|report| report.is_clean());
    let read = read_some(&store);
    assert!(!is_clean || read.is_ok(), "the check is clean, reading fails: {read:?}");
    let _ = Backup::run(&store, Path::new("copy"), None);
    drop(store);
    // Writing may fail, and may not make anything worse than it is.
    if let Ok(mut world) = World::open_at_most(vfs, path, ENTRIES_MAX) {
        let mut rng = Rng::with_seed(1);
        let _ = world.put(&mut rng, (0, 1), 20..40, 30);
        world.drop_head(1);
        if world.checkpoint().is_ok() && is_clean {
            world.verify().unwrap();
        }
    }
}

fn read_some(store: &Store) -> Result<()> {
    for head in store.heads()? {
        let forest = store.forest(&head)?;
        for id in forest.ids() {
            let tree = forest.existing(id)?;
            survey_some(store, tree)?;
            let mut cursor = forest.cursor(store.pager(), id)?;
            let mut more = cursor.first()?;
            for _ in 0..ENTRIES_MAX {
                if !more {
                    break;
                }
                cursor.value()?;
                more = cursor.next()?;
            }
            more = cursor.last()?;
            for _ in 0..100 {
                if !more {
                    break;
                }
                more = cursor.previous()?;
            }
            cursor.seek(b"001/0001")?;
            tree.nth_key(store.pager(), tree.len() / 2)?;
        }
    }
    Ok(())
}

fn survey_some(store: &Store, tree: &pandodb_ds::tree::Tree) -> Result<()> {
    if tree.len() < ENTRIES_MAX as u64
        && let Some(Body::Leaf(_)) = tree
            .root()
            .and_then(|root| store.pager().hold(&root.link).ok().map(|node| node.body().clone()))
    {
        survey(tree, store.pager())?;
    }
    Ok(())
}

/// The bytes change a sound backup, whose checksums are then made right.
fn backup(data: &[u8]) {
    let mut bytes = base_file().backup.clone();
    let end = bytes.len() - 4;
    for (number, value) in edits(data) {
        // The header and the first records more often than the rest.
        bytes[(number / 16) % (end.min(64 << (number % 16)))] ^= value;
    }
    let superblock = crc32fast::hash(&bytes[64..64 + 252]).to_le_bytes();
    bytes[64 + 252..64 + 256].copy_from_slice(&superblock);
    let header = crc32fast::hash(&bytes[..508]).to_le_bytes();
    bytes[508..512].copy_from_slice(&header);
    let whole = crc32fast::hash(&bytes[..end]).to_le_bytes();
    bytes[end..].copy_from_slice(&whole);
    let (disk, vfs) = machine(3);
    disk.install(Path::new("backup"), &bytes).unwrap();
    let verified = verify(&*vfs, &[Path::new("backup")], &mut |pages| pages < 5_000);
    let outcome = restore(&vfs, &[Path::new("backup")], path(), &mut |pages| pages < 5_000);
    if outcome.is_ok() {
        verified.unwrap();
        let store = Store::open(&vfs, path(), &options()).unwrap();
        assert!(check(&store, &mut |_| true).unwrap().is_clean());
        read_some(&store).unwrap();
    } else {
        assert!(!vfs.exists(path()).unwrap());
    }
}

/// Another input made from one or two.
pub(crate) fn mutate(rng: &mut Rng, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..rng.u32(1..5) {
        let at = rng.usize(..=bytes.len());
        match rng.u32(..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.u32(..8),
            1 if at < bytes.len() => bytes[at] = *rng.choice(&[0, 1, 0x7f, 0x80, 0xff]).unwrap(),
            2 if at < bytes.len() => bytes[at] = rng.u8(..),
            3 => bytes.truncate(at),
            4 => bytes.insert(at, rng.u8(..)),
            5 if at < bytes.len() => {
                let end = rng.usize(at..=bytes.len());
                bytes.drain(at..end.min(at + 8));
            }
            6 if !other.is_empty() => {
                let from = rng.usize(..other.len());
                let end = (from + rng.usize(..16)).min(other.len());
                bytes.splice(at..at, other[from..end].iter().copied());
            }
            _ => {}
        }
    }
    bytes
}
