//! Fast-forwards: the target has nothing of its own and moves to where the source stands.
//!
//! That takes the same time at any size. What it changes is counted for programs that ask for it as
//! values, as a merge would count it, up to so many rows that they do not wait long. Neighbours:
//! `merge`, and `api`, which has it counted.

use pandodb_branch::diff::Version;
use pandodb_branch::lineage::numbering::Numbering;
use pandodb_branch::merge::{
    BrokenConstraint, Conflict, MergeOptions, Report, RowChange, SchemaMerge, Target, Versions,
    given_in_between, merge, relate,
};
use pandodb_branch::registry::{MergeLabel, MergePlan};
use pandodb_branch::shape::TableShape;
use pandodb_branch::{Error as BranchError, ErrorKind as BranchErrorKind};
use pandodb_ds::record::Value;
use pandodb_ds::tree::{Diff, Tree};
use pandodb_tm::HeadId;

use crate::branching::Work;
use crate::branching::job::{Failure, Outcome};
use crate::branching::options::MergeRequest;
use crate::catalog::DatabaseIndex;
use crate::error::{Error, Result};

/// Changed rows that are counted at most; new tables know how many they have.
const COUNTED_MAX: usize = 100;

impl Work<'_> {
    /// Moves the target to where the source stands; `counts` tells whether what that changes is
    /// counted.
    pub(in crate::branching) fn fast_forward(
        &self,
        plan: &MergePlan,
        request: &MergeRequest,
        counts: bool,
    ) -> Result<Outcome, Failure> {
        let report = if counts { self.count_forward(plan)? } else { None };
        let (database, _) = self.session.database(DatabaseIndex::MAIN)?;
        let head = HeadId(plan.target.head);
        let mut transaction = database.begin(head, self.begin_options())?;
        let inner = transaction.inner_mut()?;
        let message = if request.message.is_empty() {
            format!("merge branch '{}' into '{}'", plan.source.name, plan.target.name)
        } else {
            request.message.clone()
        };
        inner.describe(&*request.author, message);
        self.branches.fast_forward(plan, inner).map_err(Error::from)?;
        let label =
            MergeLabel { target: self.forward_label(plan, request)?, ..MergeLabel::default() };
        self.record((plan, &label), request, inner)?;
        self.branches.note_level(plan, inner).map_err(Error::from)?;
        transaction.commit()?;
        self.session.note_command();
        let is_counted = report.is_some();
        Ok(Outcome { status: "fast-forward", report: report.unwrap_or_default(), is_counted })
    }

    /// What the rows that the target has, or had, are called as soon as it has moved.
    fn forward_label(&self, plan: &MergePlan, request: &MergeRequest) -> Result<Numbering> {
        let [here, there] = plan.numbers();
        if !plan.has_undone && here.is_empty() && there.is_empty() {
            return Ok(Numbering::new());
        }
        let pager = self.branches.manager().pager();
        let base = self.version(plan.base())?;
        let mut label = relate(pager, &base, plan.numbers())?;
        for (table, numbers) in there.tables().filter(|it| here.table(it.0).is_none()) {
            // Also of rows that the target had before.
            label.add_others(table, numbers.table, &numbers.others);
        }
        if plan.has_undone {
            let theirs = self.version(plan.theirs())?;
            let given = given_in_between(pager, &base, &theirs, &request.options)?;
            for (table, numbers) in given.tables() {
                label.add_others(table, numbers.table, &numbers.others);
            }
        }
        Ok(label)
    }

    /// What a fast-forward changes; none if that is too much to be counted on the way.
    fn count_forward(&self, plan: &MergePlan) -> Result<Option<Report>> {
        let (base, theirs) = (self.version(plan.base())?, self.version(plan.theirs())?);
        if !self.is_small(&base, &theirs)? {
            return Ok(None);
        }
        let [_, there] = plan.numbers();
        let known = self.known(&base, &[Numbering::new(), there.clone()])?;
        let versions = Versions { base: &base, ours: &base, theirs: &theirs, known: &known };
        let mut counting = Counting { left: COUNTED_MAX, new: Vec::new() };
        let pager = self.branches.manager().pager();
        let options = MergeOptions { helps: false, ..MergeOptions::default() };
        match merge(pager, versions, &options, &mut counting, &mut |_| Ok(())) {
            Ok(mut report) => {
                for table in counting.new {
                    let rows = theirs.forest.tree(table.tree).map_or(0, Tree::len);
                    let counts = report.tables.entry(table.id).or_default();
                    (counts.name, counts.inserted) = (table.name, rows);
                }
                Ok(Some(report))
            }
            Err(error) if error.kind() == BranchErrorKind::Limit => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether few rows differ. A merge looks at many at once, so that to begin one and to give it
    /// up costs more than this.
    fn is_small(&self, base: &Version, theirs: &Version) -> Result<bool> {
        let pager = self.branches.manager().pager();
        let mut left = COUNTED_MAX;
        for table in &theirs.shape.tables {
            let (old, new) = (base.forest.tree(table.tree), theirs.forest.tree(table.tree));
            let (Some(old), Some(new)) = (old, new) else { continue };
            let mut diff = Diff::new(pager, old, new);
            while diff.next_with(|_, _, _, _| Ok(()))?.is_some() {
                if left == 0 {
                    return Ok(false);
                }
                left -= 1;
            }
        }
        Ok(true)
    }
}

/// A target that changes nothing and gives up where there is much to do.
struct Counting {
    left: usize,
    /// Tables that only the source has.
    new: Vec<TableShape>,
}

impl Target for Counting {
    fn schema(&mut self, _: &mut SchemaMerge) -> Result<Vec<Conflict>, BranchError> {
        Ok(Vec::new())
    }

    fn adopt_table(&mut self, table: &TableShape) -> Result<bool, BranchError> {
        self.new.push(table.clone());
        Ok(true)
    }

    fn apply(&mut self, _: &TableShape, _: RowChange) -> Result<(), BranchError> {
        if self.left == 0 {
            return Err(BranchError::new(BranchErrorKind::Limit, "too many rows to count"));
        }
        self.left -= 1;
        Ok(())
    }

    fn raise_counter(&mut self, _: &TableShape, _: i64) -> Result<(), BranchError> {
        Ok(())
    }

    fn row(&mut self, _: &TableShape, _: &[u8]) -> Result<Option<Vec<Value>>, BranchError> {
        Ok(None)
    }

    fn verify(
        &mut self,
        _: &mut dyn FnMut(BrokenConstraint) -> Result<(), BranchError>,
    ) -> Result<(), BranchError> {
        Ok(())
    }
}
