//! Indexes, views and triggers: a name and a definition each, merged as a whole.
//!
//! Neighbours: `tables` does the same for what has parts; `kept` knows what stays though it was
//! dropped, `mod` checks what texts mention.

use super::{About, DroppedObject, MergedText, Said, SchemaMerger, TextSource, three_or_two};
use crate::diff::schema::ObjectKind;
use crate::merge::cells::Side;
use crate::merge::conflict::SchemaPart;
use crate::shape::TextShape;

impl SchemaMerger<'_, '_> {
    pub(super) fn merge_texts(
        &mut self,
        kind: ObjectKind,
        base: &[TextShape],
        ours: &[TextShape],
        theirs: &[TextShape],
    ) {
        for text in ours {
            let (before, other) = (find(base, text), find(theirs, text));
            let is_unsettled = self.has_unsettled(text.id);
            match (before, other) {
                (None, None) if !is_unsettled => {
                    self.add_text(kind, text, TextSource::Ours, false);
                }
                (before, None) => {
                    let said = Said { ours: Some(text.told()), ..said_base(before) };
                    let detail = "the source dropped it, the target changed it";
                    let is_same = before.is_some_and(|before| is_same_text(before, text));
                    let is_dropped = if is_same && !is_unsettled {
                        !self.kept.keeps_text(text)
                    } else {
                        self.settle_text(kind, text, said, detail) == Some(Side::Theirs)
                    };
                    if is_dropped {
                        let (id, name) = (text.id, text.name.clone());
                        self.merge.dropped.push(DroppedObject { kind, id, name });
                    } else {
                        self.kept.keep(text.id);
                        self.add_text(kind, text, TextSource::Ours, false);
                    }
                }
                (None, Some(other)) if !is_same_definition(text, other) => {
                    let said =
                        Said { base: None, ours: Some(text.told()), theirs: Some(other.told()) };
                    let detail = "both branches added it, with different definitions";
                    match self.settle_text(kind, text, said, detail) {
                        Some(Side::Theirs) => self.add_text(kind, other, TextSource::Theirs, true),
                        _ => self.add_text(kind, text, TextSource::Ours, false),
                    }
                }
                (None, Some(_)) => {
                    self.add_text(kind, text, TextSource::Ours, false);
                    self.last_is_in_both();
                }
                (Some(before), Some(other)) => self.merge_text(kind, before, text, other),
            }
        }
        for text in theirs.iter().filter(|text| find(ours, text).is_none()) {
            self.merge_text_of_theirs(kind, find(base, text), text);
        }
    }

    /// A text that the target does not have.
    fn merge_text_of_theirs(
        &mut self,
        kind: ObjectKind,
        base: Option<&TextShape>,
        text: &TextShape,
    ) {
        let is_unsettled = self.has_unsettled(text.id);
        match base {
            None if !is_unsettled => self.add_text(kind, text, TextSource::Theirs, true),
            Some(before) if !is_unsettled && is_same_text(before, text) => {
                if self.kept.keeps_text(text) {
                    self.kept.keep(text.id);
                    self.add_text(kind, text, TextSource::Theirs, true);
                }
            }
            before => {
                let said = Said { theirs: Some(text.told()), ..said_base(before) };
                let detail = "the target dropped it, the source changed it";
                // Where the conflict stays it may yet be there: what mentions it is none.
                if self.settle_text(kind, text, said, detail) != Some(Side::Ours) {
                    self.kept.keep(text.id);
                    self.add_text(kind, text, TextSource::Theirs, true);
                }
            }
        }
    }

    fn merge_text(
        &mut self,
        kind: ObjectKind,
        base: &TextShape,
        ours: &TextShape,
        theirs: &TextShape,
    ) {
        let about = About { kind, id: ours.id, name: &ours.name };
        let detail = "both branches changed it, in different ways";
        let is_equal = |left: &str, right: &str| left == right;
        let is_unsettled = self.has_unsettled(ours.id);
        let names = [&*base.name, &*ours.name, &*theirs.name];
        let name = three_or_two(is_unsettled, names, is_equal).or_else(|| {
            let said = Said::all(&base.name, &ours.name, &theirs.name);
            self.disagree(about, SchemaPart::Name, None, said, detail)
        });
        let sides = [base, ours, theirs];
        let definition = three_or_two(is_unsettled, sides, is_same_definition).or_else(|| {
            let said = Said::all(&base.told(), &ours.told(), &theirs.told());
            self.disagree(about, SchemaPart::Whole, None, said, detail)
        });
        let (source, mut text) = match definition {
            Some(Side::Theirs) => (TextSource::Theirs, theirs.clone()),
            _ => (TextSource::Ours, ours.clone()),
        };
        text.name = match name {
            Some(Side::Theirs) => theirs.name.clone(),
            _ => ours.name.clone(),
        };
        let is_changed = text != *ours;
        self.add_text(kind, &text, source, is_changed);
        if is_same_definition(ours, theirs) {
            self.last_is_in_both();
        }
    }

    fn last_is_in_both(&mut self) {
        if let Some(text) = self.merge.texts.last_mut() {
            text.is_in_both = true;
        }
    }

    fn settle_text(
        &mut self,
        kind: ObjectKind,
        text: &TextShape,
        said: Said,
        detail: &str,
    ) -> Option<Side> {
        let about = About { kind, id: text.id, name: &text.name };
        self.disagree(about, SchemaPart::Whole, None, said, detail)
    }

    fn add_text(
        &mut self,
        kind: ObjectKind,
        text: &TextShape,
        source: TextSource,
        is_changed: bool,
    ) {
        let shape = text.clone();
        self.merge.texts.push(MergedText { kind, shape, source, is_changed, is_in_both: false });
    }
}

fn find<'a>(list: &'a [TextShape], wanted: &TextShape) -> Option<&'a TextShape> {
    list.iter().find(|text| text.id == wanted.id)
}

pub(super) fn is_same_definition(left: &TextShape, right: &TextShape) -> bool {
    left.definition == right.definition
        && left.objects == right.objects
        && left.columns == right.columns
}

pub(super) fn is_same_text(left: &TextShape, right: &TextShape) -> bool {
    left.name == right.name && is_same_definition(left, right)
}

fn said_base(base: Option<&TextShape>) -> Said {
    Said { base: base.map(TextShape::told), ..Said::default() }
}
