//! REINDEX. Neighbours: `index` fills indexes, `analyze` has ANALYZE.

use super::Definer;
use crate::ast;
use crate::error::{Error, Result};

impl Definer<'_> {
    /// Builds indexes anew: one, those of a table, or all.
    pub(super) fn reindex(&mut self, name: Option<&ast::QualifiedName>) -> Result<()> {
        let schema = self.schema();
        let mut names: Vec<Box<str>> = Vec::new();
        match name {
            None => names.extend(schema.indexes.values().map(|index| index.name.clone())),
            Some(name) => {
                let wanted = &name.name.text;
                if let Some(table) = schema.table(wanted) {
                    names.extend(table.indexes.iter().map(|index| index.name.clone()));
                } else if let Some(index) = schema.index(wanted) {
                    names.push(index.name.clone());
                } else if schema.view(wanted).is_some() {
                    // A view has no index.
                } else if self.session.with_collations(|find| find(wanted)).is_some() {
                    names.extend(schema.indexes.values().map(|index| index.name.clone()));
                } else {
                    let message = "unable to identify the object to be reindexed";
                    return Err(Error::invalid(message).at(name.span()));
                }
            }
        }
        for name in names.into_iter().filter(|_| !self.explains) {
            if let Some(index) = self.schema().index(&name) {
                let tree = index.tree;
                self.transaction()?.borrow_mut().clear(tree)?;
            }
            self.fill(&name)?;
        }
        Ok(())
    }
}
