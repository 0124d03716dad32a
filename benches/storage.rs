//! What a page costs: compressing and reading it, finding and changing a row, keys and records.
//!
//! Neighbours: `crates/ds` is measured; `benches/peers` compares whole workloads with others.
#![allow(missing_docs, reason = "criterion's macros make functions without documentation")]
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark stops where something fails")]

use std::hint::black_box;
use std::ops::Bound;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pandodb_ds::codec::{self, Codec};
use pandodb_ds::format::TreeKind;
use pandodb_ds::page::{Cell, Leaf};
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::{ColumnOrder, decode_columns, push_columns};
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::store::{Store, StoreOptions};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Cursor, PutMode, Tree, TreeBuilder, Writer};
use pandodb_ds::vfs::{MemoryVfs, Vfs};

const PAGE_BYTES: usize = 16 * 1024;
const ROWS: u64 = 100_000;

/// Words of a small vocabulary: text as tables hold it.
fn text(random: &mut fastrand::Rng, bytes: usize) -> Vec<u8> {
    const WORDS: [&str; 12] = [
        "branch ", "merge ", "commit ", "row ", "page ", "of ", "the ", "and ", "table ", "a ",
        "index ", "key ",
    ];
    let mut text = Vec::new();
    while text.len() < bytes {
        text.extend_from_slice(WORDS[random.usize(..WORDS.len())].as_bytes());
        text.push(random.u8(b'a'..=b'z'));
    }
    text.truncate(bytes);
    text
}

fn leaf() -> Leaf {
    let mut random = fastrand::Rng::with_seed(1);
    let mut leaf = Leaf::new(TreeKind::Fixed, PAGE_BYTES);
    for key in 0..140_u64 {
        let value = text(&mut random, 100);
        let _ = leaf.push(&key.to_be_bytes(), Cell::inline(&value), PAGE_BYTES).expect("a row");
    }
    leaf
}

fn page_codec(criterion: &mut Criterion) {
    let mut page = Vec::new();
    leaf().encode(&mut page);
    let mut group = criterion.benchmark_group("page_codec");
    group.throughput(Throughput::Bytes(page.len() as u64));
    for codec in [Codec::rle(), Codec::lz4(), Codec::zstd(3), Codec::gzip(6)] {
        let mut stored = Vec::new();
        group.bench_function(BenchmarkId::new("compress", codec), |bencher| {
            bencher.iter(|| {
                stored.clear();
                codec::compress(codec, black_box(&page), &mut stored).expect("a stored form")
            });
        });
        stored.clear();
        let id = codec::compress(codec, &page, &mut stored).expect("a stored form") as u8;
        let mut raw = Vec::new();
        group.bench_function(BenchmarkId::new("decompress", codec), |bencher| {
            bencher.iter(|| {
                raw.clear();
                codec::decompress(id, black_box(&stored), page.len(), page.len(), &mut raw)
                    .expect("the page");
            });
        });
    }
    group.bench_function("leaf_encode", |bencher| {
        let (leaf, mut out) = (leaf(), Vec::new());
        bencher.iter(|| {
            out.clear();
            black_box(&leaf).encode(&mut out);
        });
    });
    group.bench_function("leaf_decode", |bencher| {
        bencher.iter(|| Leaf::decode(black_box(&page)).expect("a leaf"));
    });
    group.finish();
}

fn store() -> Store {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let options = StoreOptions { cache_bytes: 256 << 20, ..StoreOptions::default() };
    Store::open(&vfs, Path::new("bench.pando"), &options).expect("a store")
}

fn key_of(kind: TreeKind, number: u64) -> Vec<u8> {
    match kind {
        TreeKind::Fixed => number.to_be_bytes().to_vec(),
        TreeKind::Slotted => format!("customer/{number:010}/name").into_bytes(),
    }
}

fn build(store: &Store, kind: TreeKind) -> Tree {
    let mut random = fastrand::Rng::with_seed(2);
    let (mut ledger, mut dirty_bytes) = (store.pager().ledger(), 0);
    let writer = Writer::new(store.pager(), &mut ledger, &mut dirty_bytes);
    let mut builder = TreeBuilder::new(writer, kind);
    for number in 0..ROWS {
        builder.push(&key_of(kind, number), &text(&mut random, 100)).expect("ascending keys");
    }
    let tree = builder.finish().expect("a tree");
    // The pages are read as long as the store lives; nothing is made durable here.
    store.adopt(ledger);
    tree
}

fn tree(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tree");
    for (name, kind) in [("fixed", TreeKind::Fixed), ("slotted", TreeKind::Slotted)] {
        let store = store();
        let tree = build(&store, kind);
        let mut random = fastrand::Rng::with_seed(3);
        let keys: Vec<Vec<u8>> = (0..4096).map(|_| key_of(kind, random.u64(..ROWS))).collect();
        let mut next = keys.iter().cycle();
        let mut key = || next.next().map_or(&[][..], Vec::as_slice);
        group.bench_function(BenchmarkId::new("get", name), |bencher| {
            bencher.iter(|| tree.get_with(store.pager(), key(), |found| found.is_some()));
        });
        group.bench_function(BenchmarkId::new("count_range", name), |bencher| {
            bencher.iter(|| {
                let (left, right) = (key(), key());
                let (from, to) = if left < right { (left, right) } else { (right, left) };
                tree.count_range(store.pager(), Bound::Included(from), Bound::Excluded(to))
            });
        });
        group.bench_function(BenchmarkId::new("seek_and_read_100", name), |bencher| {
            bencher.iter(|| {
                let mut cursor = Cursor::new(Arc::clone(store.pager()), tree.clone());
                let mut more = cursor.seek(key()).expect("a place");
                let mut rows = 0;
                while more && rows < 100 {
                    black_box(cursor.found().expect("a row"));
                    more = cursor.next().expect("a step");
                    rows += 1;
                }
                rows
            });
        });
        group.bench_function(BenchmarkId::new("replace", name), |bencher| {
            let mut changed = tree.clone();
            let (mut ledger, mut dirty_bytes) = (store.pager().ledger(), 0);
            bencher.iter(|| {
                let mut writer = Writer::new(store.pager(), &mut ledger, &mut dirty_bytes);
                changed.put(&mut writer, key(), &[7; 100], PutMode::Replace)
            });
        });
    }
    group.finish();
}

fn columns(text: &[u8]) -> [ValueRef<'_>; 6] {
    [
        ValueRef::Integer(1_234_567),
        ValueRef::Text(text),
        ValueRef::Null,
        ValueRef::Real(19.95),
        ValueRef::Integer(3),
        ValueRef::Blob(&[1, 2, 3, 4]),
    ]
}

fn record(criterion: &mut Criterion) {
    let columns = columns(b"a name of some length");
    let mut group = criterion.benchmark_group("record");
    let mut row = Vec::new();
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            row.clear();
            encode_row(black_box(&columns), &mut row)
        });
    });
    group.bench_function("last_column", |bencher| {
        bencher.iter(|| RowView::new(black_box(&row)).expect("a row").column(5).expect("a column"));
    });
    group.finish();
}

fn keys(criterion: &mut Criterion) {
    let columns = columns(b"a name of some length");
    let orders = [ColumnOrder::ASCENDING; 6];
    let mut group = criterion.benchmark_group("key");
    let mut key = Vec::new();
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            key.clear();
            push_columns(black_box(&columns), &orders, &mut key)
        });
    });
    group.bench_function("decode", |bencher| {
        let mut decoded = Vec::new();
        bencher.iter(|| {
            decoded.clear();
            decode_columns(black_box(&key), &orders, 0, &mut decoded).expect("columns").len()
        });
    });
    group.finish();
}

criterion_group!(benches, page_codec, tree, record, keys);
criterion_main!(benches);
