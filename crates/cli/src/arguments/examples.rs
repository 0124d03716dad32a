//! Examples below the help of verbs. A test reads each as a command line.
//!
//! Neighbours: `verbs` shows them.

pub(super) const BRANCH: &str = "\
Examples:
  pando app.pando branch                         lists the branches
  pando app.pando branch create dev --switch     makes one and goes there
  pando app.pando branch create fix v1           one that begins at a tag
  pando app.pando branch delete dev              drops it";

pub(super) const DIFF: &str = "\
Examples:
  pando app.pando diff                           the parent and the current branch
  pando app.pando diff main dev --stat           how much differs
  pando app.pando diff main..dev tree            one table
  pando app.pando diff main dev --sql            SQL that leads from main to dev";

pub(super) const MERGE: &str = "\
Examples:
  pando app.pando merge dev --dry-run            what would happen
  pando app.pando merge dev                      into the current branch
  pando app.pando merge dev --strategy manual    conflicts wait for answers
  pando app.pando merge --continue               once they are resolved";

pub(super) const CONFLICTS: &str = "\
Examples:
  pando app.pando conflicts                      shows them
  pando app.pando conflicts resolve source       takes what the source has
  pando app.pando conflicts resolve target --number 1";

pub(super) const PREVIEW: &str = "\
Examples:
  pando app.pando preview 'DELETE FROM tree'     what would go
  pando app.pando preview --merge dev            what a merge would do";

pub(super) const RESET: &str = "\
Examples:
  pando app.pando reset v1                       to a tag
  pando app.pando reset HEAD~2                   two commits back
  pando app.pando reset 17 --on dev              another branch, to a commit";

pub(super) const TABLE: &str = "\
Examples:
  pando app.pando table create tree name TEXT height REAL
  pando app.pando table create tree 'name TEXT NOT NULL' 'height REAL'
  pando app.pando table copy tree wood --with-data
  pando app.pando table show tree";

pub(super) const ADD: &str = "\
Examples:
  pando app.pando add tree '{\"name\":\"oak\",\"height\":23.5}'
  pando app.pando add tree '[{\"name\":\"elm\"},{\"name\":\"ash\"}]'";

pub(super) const QUERY: &str = "\
Examples:
  pando app.pando query 'SELECT count(*) FROM tree'
  pando app.pando query tree 'height > 20 ORDER BY name'";

pub(super) const IMPORT: &str = "\
Examples:
  pando app.pando import tree.csv                into table tree, which is made
  pando app.pando import old.csv tree --skip 2   into a table that is there
  pando app.pando import other.sqlite            a whole SQLite database
  pando app.pando import - --format sql          statements from standard input";

pub(super) const EXPORT: &str = "\
Examples:
  pando app.pando export tree.csv tree           a table
  pando app.pando export - 'SELECT 1' --format json
  pando app.pando export all.sqlite              everything, for SQLite";

pub(super) const BACKUP: &str = "\
Examples:
  pando app.pando backup monday.bak
  pando app.pando backup tuesday.bak --incremental monday.bak";

pub(super) const RESTORE: &str = "\
Examples:
  pando restore monday.bak tuesday.bak --to new.pando";

/// Each with its verb.
#[cfg(test)]
pub(super) const ALL: &[&str] = &[
    BRANCH, DIFF, MERGE, CONFLICTS, PREVIEW, RESET, TABLE, ADD, QUERY, IMPORT, EXPORT, BACKUP,
    RESTORE,
];
