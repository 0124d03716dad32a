//! What a helper of a statement works with: no session, no frame of the block.
//!
//! A session belongs to one thread. Operators that run in helpers compute only what needs none of
//! it (see `Operator::is_portable`): no functions but those that are the same for ever, no
//! collations of the application, of subqueries only results that the session has found. What
//! little such work asks of the session is copied when the helpers start. Neighbours: `exchange`
//! starts helpers.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::AtomicBool;

use crate::catalog::{DatabaseIndex, Table, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::{Program, Run};
use crate::execute::{
    Account, Context, Counters, Frame, GivenRows, KnownResult, Outer, Parameters, RunState,
    Settings, SharedTransaction, Sources, SubqueryState, Versions,
};
use crate::function;
use crate::modify::{Compiler, ModifyPlan, TriggerProgram};
use crate::plan::SelectPlan;
use crate::types::BuiltInCollations;

/// What helpers share with the statement.
pub(in crate::execute::batch) struct Surroundings<'a> {
    parameters: Parameters<'a>,
    sources: Sources<'a>,
    interrupt: &'a AtomicBool,
    settings: &'a Settings,
    program: &'a Program,
    memory: Account,
    /// Memories of calls that a frame has.
    caches: usize,
    /// What is known of subqueries, by the places of their states.
    known: Vec<Option<KnownResult>>,
    session: Copied,
}

/// What a session says, as far as helpers ask.
#[derive(Clone, Copy)]
struct Copied {
    is_like_case_sensitive: bool,
    length_max: usize,
    pattern_bytes_max: usize,
}

impl<'a> Surroundings<'a> {
    /// Those of a running statement.
    pub(in crate::execute::batch) fn of(run: &Run<'a>) -> Self {
        let context = run.outer.context;
        Self {
            parameters: context.parameters,
            sources: context.sources,
            interrupt: context.interrupt,
            settings: context.settings,
            program: run.program,
            memory: context.run.memory().clone(),
            caches: run.frame.caches.len(),
            known: run
                .frame
                .subqueries
                .iter()
                .map(|state| state.try_borrow().ok()?.known())
                .collect(),
            session: Copied {
                is_like_case_sensitive: context.session.is_like_case_sensitive(),
                length_max: context.session.length_max(),
                pattern_bytes_max: context.session.pattern_bytes_max(),
            },
        }
    }

    /// Does work of a helper.
    pub(in crate::execute::batch) fn run(&self, work: impl FnOnce(&mut Run<'_>)) {
        let mut frame = Frame::default();
        frame.caches.resize_with(self.caches, Default::default);
        let state = |known: &Option<KnownResult>| {
            known.clone().map(SubqueryState::of_known).unwrap_or_default()
        };
        frame.subqueries.extend(self.known.iter().map(|known| state(known).into()));
        let state = RunState { memory: self.memory.clone().into(), ..RunState::default() };
        let context = Context {
            parameters: self.parameters,
            session: &self.session,
            collations: &BuiltInCollations,
            sources: self.sources,
            versions: &Versions::default(),
            schemas: &[],
            interrupt: self.interrupt,
            settings: self.settings,
            counters: &Counters::default(),
            run: &state,
            compiler: &NoCompiler,
        };
        let outer = Outer { context: &context, scope: None };
        work(&mut Run { frame: &mut frame, outer, program: self.program });
    }
}

/// The clock, chance and counters are no helper's: what asks for them is not portable.
impl function::Session for Copied {
    fn now_ms(&self) -> i64 {
        0
    }

    fn local_offset_seconds(&self, _: i64) -> i64 {
        0
    }

    fn random(&self) -> u64 {
        0
    }

    fn last_insert_rowid(&self) -> i64 {
        0
    }

    fn changes(&self) -> i64 {
        0
    }

    fn total_changes(&self) -> i64 {
        0
    }

    fn is_like_case_sensitive(&self) -> bool {
        self.is_like_case_sensitive
    }

    fn length_max(&self) -> usize {
        self.length_max
    }

    fn pattern_bytes_max(&self) -> usize {
        self.pattern_bytes_max
    }
}

/// Helpers run no triggers and no statements of their own.
struct NoCompiler;

fn no_compiler<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Internal, "a helper was asked for a program"))
}

impl Compiler for NoCompiler {
    fn trigger(
        &self,
        _: &Arc<Trigger>,
        _: &[Option<SharedTransaction>],
    ) -> Result<(Arc<TriggerProgram>, Option<Versions>)> {
        no_compiler()
    }

    fn next_number(&self, _: &Table, _: i64) -> Result<Option<i64>> {
        no_compiler()
    }

    fn note_number(&self, _: &Table, _: i64) -> Result<()> {
        no_compiler()
    }

    fn change(&self, _: DatabaseIndex, _: &str) -> Result<Arc<ModifyPlan>> {
        no_compiler()
    }

    fn pragma(&self, _: &str, _: &[Value]) -> Result<GivenRows> {
        no_compiler()
    }

    fn query(&self, _: DatabaseIndex, _: &str) -> Result<Arc<SelectPlan>> {
        no_compiler()
    }
}

// Neighbours: `exchange`.
