//! A long simulation of the storage layer on a machine that fails: `cargo xtask sim`.
//!
//! A seed decides everything: what is done, what goes wrong, what survives a crash. After every
//! failure the store must hold what its newest checkpoint had, or what the one under way had,
//! never anything else, and its check must be clean. `--seeds N --start S` runs many, `--seed X`
//! one and tells every step. Neighbours: `tests/storage/world.rs` has the work and the model.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that reports")]

#[path = "../tests/storage/world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use fastrand::Rng;
use pandodb_ds::backup::{Backup, BackupInfo, restore};
use pandodb_ds::check::check;
use pandodb_ds::compact::compact;
use pandodb_ds::store::{Store, StoreOptions};
use pandodb_ds::vfs::{Fault, FaultRates, SimVfs, Vfs};
use pandodb_ds::{Error, ErrorKind, Result};
use world::{Heads, World, check_clean, options, path, saved_contents};

/// Lives of a store in one run, and steps in one life.
const LIVES: u32 = 6;
const STEPS: u32 = 40;

/// A finished backup and what it must restore to.
struct Kept {
    path: PathBuf,
    info: BackupInfo,
    state: Heads,
}

struct Run {
    rng: Rng,
    disk: SimVfs,
    vfs: Arc<dyn Vfs>,
    tells: bool,
    /// The states that may be found when the database is opened.
    allowed: Vec<Heads>,
    backup: Option<(Backup, Heads)>,
    kept: Vec<Kept>,
    backups: u32,
}

fn broken(message: impl Into<String>) -> Error {
    Error::corrupt(message)
}

impl Run {
    fn new(seed: u64, tells: bool) -> Self {
        let disk = SimVfs::new(seed);
        let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
        Self {
            rng: Rng::with_seed(seed),
            disk,
            vfs,
            tells,
            allowed: vec![Heads::new()],
            backup: None,
            kept: Vec::new(),
            backups: 0,
        }
    }

    fn tell(&self, message: impl FnOnce() -> String) {
        if self.tells {
            println!("  [{}] {}", self.disk.operations(), message());
        }
    }

    fn run(&mut self) -> Result<()> {
        let page_bytes = *self.rng.choice(&[1024, 2048, 4096, 16384]).unwrap_or(&4096);
        let options = StoreOptions { page_bytes, ..options() };
        drop(Store::open(&self.vfs, path(), &options)?);
        for life in 0..LIVES {
            self.tell(|| format!("life {life}"));
            let mut world = self.open()?;
            self.plan_faults();
            let failure = self.live(&mut world);
            self.die(world, &failure)?;
        }
        self.finish()
    }

    /// Opens the database on a machine without faults; it must hold an allowed state.
    fn open(&mut self) -> Result<World> {
        if self.rng.u32(..4) == 0 && self.vfs.exists(path())? {
            let done = compact(&self.vfs, path(), &options(), &mut |_| true);
            self.tell(|| format!("compact: {done:?}"));
            // A file that was never written to is no database yet.
            if let Err(error) = done
                && error.kind() != ErrorKind::NotADatabase
            {
                return Err(error);
            }
        }
        let world = World::open(&self.vfs)?;
        if !self.allowed.contains(&world.model) {
            return Err(broken("the database holds a state that it was never in"));
        }
        world.verify()?;
        self.allowed = vec![world.saved.clone()];
        Ok(world)
    }

    fn plan_faults(&mut self) {
        let now = self.disk.operations();
        let at = now + self.rng.u64(1..400);
        let fault = match self.rng.u32(..10) {
            0..3 => Fault::Crash,
            3 => Fault::WriteError,
            4 => Fault::NoSpace,
            5 | 6 => Fault::SyncError,
            7 => Fault::ReadError,
            8 => {
                let rare = [Fault::WriteError, Fault::NoSpace, Fault::ReadError];
                self.disk.set_fault_rates(FaultRates::each(&rare, 2_000));
                self.tell(|| "faults by chance".into());
                return;
            }
            _ => {
                if self.rng.bool() {
                    let room = self.disk.used() + self.rng.u64(2_000..60_000);
                    self.disk.set_capacity(Some(room));
                    self.tell(|| format!("the disk has {room} bytes"));
                }
                return;
            }
        };
        self.disk.inject(at, fault);
        self.tell(|| format!("{fault} from operation {at} on"));
    }

    /// Works until the life is over or something fails.
    fn live(&mut self, world: &mut World) -> Result<()> {
        for _ in 0..STEPS {
            match self.step(world) {
                Ok(()) => {}
                // The store goes on after a failure that it could undo.
                Err(error) if self.disk.is_on() && !world.store.is_poisoned() => {
                    self.tell(|| format!("failed: {error}"));
                    Self::judge(&error)?;
                    self.allow_attempt(world);
                }
                Err(error) => {
                    self.tell(|| format!("ends: {error}"));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Faults that were injected come out as what they are.
    fn judge(error: &Error) -> Result<()> {
        match error.kind() {
            ErrorKind::Io | ErrorKind::Full => Ok(()),
            _ => Err(broken(format!("a fault came out as {error:?}"))),
        }
    }

    /// A checkpoint that failed may or may not be durable.
    fn allow_attempt(&mut self, world: &World) {
        self.allowed = vec![world.saved.clone(), world.model.clone()];
    }

    fn step(&mut self, world: &mut World) -> Result<()> {
        if self.rng.u32(..6) == 0 {
            return self.back_up(world);
        }
        // Whatever fails below may be a checkpoint of this.
        let name = world.step(&mut self.rng)?;
        self.allowed = vec![world.saved.clone()];
        self.tell(|| name.into());
        Ok(())
    }

    fn back_up(&mut self, world: &World) -> Result<()> {
        let Some((mut backup, state)) = self.backup.take() else {
            let path = PathBuf::from(format!("backup-{}", self.backups));
            self.backups += 1;
            if self.rng.u32(..3) == 0 {
                self.kept.clear();
            }
            let base = self.kept.last().map(|kept| &kept.info);
            let backup = Backup::start(&world.store, &path, base)?;
            self.tell(|| format!("backup {} on {}", path.display(), self.kept.len()));
            self.backup = Some((backup, world.saved.clone()));
            return Ok(());
        };
        let progress = backup.next(self.rng.usize(1..200))?;
        self.tell(|| format!("{progress:?}"));
        if !progress.is_done {
            self.backup = Some((backup, state));
            return Ok(());
        }
        let info = backup.close()?;
        let path = PathBuf::from(format!("backup-{}", self.backups - 1));
        self.kept.push(Kept { path, info, state });
        Ok(())
    }

    /// Ends a life: by a crash, the end of the process or in peace.
    fn die(&mut self, world: World, outcome: &Result<()>) -> Result<()> {
        if let Err(error) = outcome
            && self.disk.is_on()
        {
            Self::judge(error)?;
        }
        if outcome.is_err() || !self.disk.is_on() {
            self.allow_attempt(&world);
        }
        self.backup = None;
        if self.disk.is_on() && !world.store.is_poisoned() {
            self.disk.clear_faults();
            world.verify()?;
        }
        let crashes = !self.disk.is_on() || self.rng.u32(..3) == 0;
        if !crashes && self.rng.bool() {
            self.disk.kill_process();
            self.tell(|| "the process ends".into());
        }
        drop(world);
        self.disk.clear_faults();
        self.disk.set_capacity(None);
        if crashes {
            self.disk.restart();
            self.tell(|| "crash and restart".into());
        }
        Ok(())
    }

    /// In the end: the chain restores, and damage is never taken for data.
    fn finish(&mut self) -> Result<()> {
        let world = self.open()?;
        let saved = world.saved.clone();
        drop(world);
        let chain: Vec<&Path> = self.kept.iter().map(|kept| kept.path.as_path()).collect();
        if let Some(last) = self.kept.last() {
            self.tell(|| format!("restore {} backups", chain.len()));
            let target = Path::new("restored");
            restore(&self.vfs, &chain, target, &mut |_| true)?;
            let store = Store::open(&self.vfs, target, &options())?;
            check_clean(&store)?;
            if saved_contents(&store)? != last.state {
                return Err(broken("the chain of backups restores to another state"));
            }
        }
        for _ in 0..4 {
            self.damage(&saved)?;
        }
        Ok(())
    }

    /// Changes a byte of the file: reading fails, or gives what it must.
    fn damage(&mut self, saved: &Heads) -> Result<()> {
        let Some(whole) = self.disk.contents(path()) else { return Ok(()) };
        let at = self.rng.usize(..whole.len());
        let changed = whole[at] ^ (1 << self.rng.u32(..8));
        self.tell(|| format!("damage at {at}"));
        self.disk.damage(path(), at as u64, &[changed])?;
        let found = Store::open(&self.vfs, path(), &options()).and_then(|store| {
            let contents = saved_contents(&store);
            let report = check(&store, &mut |_| true)?;
            match contents {
                Ok(contents) => Ok((contents, report.is_clean())),
                Err(_) if !report.is_clean() => Err(broken("found by both")),
                Err(error) => Ok((Heads::new(), error.kind() != ErrorKind::Corrupt)),
            }
        });
        self.disk.damage(path(), at as u64, &whole[at..=at])?;
        match found {
            Err(_) => Ok(()),
            Ok((contents, _)) if contents == *saved => Ok(()),
            // The newer slot is damaged: the checkpoint before is found, unless its pages are gone.
            Ok((_, _)) if at < 8192 => Ok(()),
            Ok(_) => Err(broken(format!("byte {at} is damaged and wrong data comes out"))),
        }
    }
}

struct Arguments {
    first: u64,
    count: u64,
    tells: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments { first: 0, count: 100, tells: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} wants a number"))?;
        let value: u64 = value.parse().map_err(|_| format!("{value} is no number"))?;
        match word.as_str() {
            "--seeds" => found.count = value,
            "--start" => found.first = value,
            "--seed" => found = Arguments { first: value, count: 1, tells: true },
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(found)
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            println!("{message}; options are --seeds N --start S, or --seed X");
            return ExitCode::FAILURE;
        }
    };
    let mut operations = 0;
    for seed in arguments.first..arguments.first + arguments.count {
        let mut run = Run::new(seed, arguments.tells);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.run()));
        let failure = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("panicked".to_owned()),
        };
        operations += run.disk.operations();
        if let Some(failure) = failure {
            println!("seed {seed} failed after {} operations: {failure}", run.disk.operations());
            println!("replay: cargo xtask sim --layer ds --seed {seed}");
            return ExitCode::FAILURE;
        }
    }
    println!("{} seeds, {operations} operations of the machine: all well", arguments.count);
    ExitCode::SUCCESS
}
