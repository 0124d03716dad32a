//! Numbers that an application keeps beside its tables (`user_version`), merged as a whole.
//!
//! Every version has them, so that none is ever added or dropped: one side changed it, or both did.
//! Neighbours: `texts` does the same for definitions.

use pandodb_ds::record::Value;

use super::{About, MergedSetting, Said, SchemaMerger, conflict, three_or_two};
use crate::diff::schema::ObjectKind;
use crate::merge::cells::Side;
use crate::merge::conflict::SchemaPart;
use crate::merge::policy::Pick;
use crate::shape::{SettingShape, Shape};

impl SchemaMerger<'_, '_> {
    pub(super) fn merge_settings(&mut self, base: &Shape, ours: &Shape, theirs: &Shape) {
        for setting in &theirs.settings {
            let before = base.setting(setting.id);
            let own = SettingShape { value: ours.setting(setting.id), ..setting.clone() };
            let sides = [&before, &own.value, &setting.value];
            let is_unsettled = self.is_unsettled(setting.id, SchemaPart::Value);
            let merged = match three_or_two(is_unsettled, sides, PartialEq::eq) {
                Some(Side::Ours) => own.value,
                Some(Side::Theirs) => setting.value,
                None => self.settle_setting(before, &own, setting.value),
            };
            let is_changed = merged != own.value;
            let shape = SettingShape { value: merged, ..own };
            self.merge.settings.push(MergedSetting { shape, is_changed });
        }
    }

    /// What a setting is that both sides changed; the target's where nothing says so.
    fn settle_setting(&mut self, base: i64, ours: &SettingShape, theirs: i64) -> i64 {
        let about = About { kind: ObjectKind::Setting, id: ours.id, name: ours.name };
        let detail = "both branches set it, to different values";
        let part = SchemaPart::Value;
        let mut conflict = conflict(about, part, (None, "value"), Said::default(), detail);
        let one = |value: i64| Some(vec![Value::Integer(value)]);
        (conflict.base, conflict.ours, conflict.theirs) = (one(base), one(ours.value), one(theirs));
        let value = match self.options.pick(&conflict.key) {
            Some(Pick::Ours) => Some(ours.value),
            Some(Pick::Theirs) => Some(theirs),
            Some(Pick::Base) => Some(base),
            Some(Pick::Cell(Value::Integer(value))) => setting(value),
            _ => None,
        };
        if let Some(value) = value {
            self.merge.resolved += 1;
            return value;
        }
        self.merge.conflicts.push(conflict);
        ours.value
    }
}

/// The setting that a number gives: 32 bits with a sign or, as the PRAGMAs take them, without one.
pub(crate) fn setting(value: i64) -> Option<i64> {
    let fits = (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&value);
    fits.then(|| i64::from(value as i32))
}
