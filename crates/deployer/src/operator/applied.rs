//! Objects as they were applied, so that a change by somebody else is seen without reading them.

use std::collections::HashMap;

use serde_json::Value;

use super::children::Family;

/// The objects of one resource, by kind and name.
#[derive(Debug, Clone, Default)]
pub(super) struct Applied(HashMap<(String, String), Noted>);

#[derive(Debug, Clone)]
struct Noted {
    generation: Option<i64>,
    /// The watch lags behind: only one that it has shown can be missed.
    is_seen: bool,
}

impl Applied {
    /// Notes the generation that an object had after it was applied, where its kind counts them.
    pub(super) fn add(&mut self, object: &Value, generation: Option<i64>) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = (text(&object["kind"]), text(&object["metadata"]["name"]));
        self.0.insert(key, Noted { generation, is_seen: false });
    }

    /// Whether somebody changed or deleted one since, by what the watches show now.
    pub(super) fn is_touched_by_others(&mut self, family: &Family) -> bool {
        let shown: HashMap<_, _> =
            family.iter().map(|((kind, name), child)| ((kind.types().kind, name.clone()), child.generation)).collect();
        self.0.iter_mut().any(|(key, noted)| {
            let found = shown.get(key);
            let is_gone = noted.is_seen && found.is_none();
            noted.is_seen |= found.is_some();
            is_gone || found.is_some_and(|generation| *generation > noted.generation)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operator::children::{Child, Facts, Kind};

    fn applied() -> Applied {
        let mut applied = Applied::default();
        applied.add(&json!({"kind": "Deployment", "metadata": {"name": "a"}}), Some(2));
        applied
    }

    fn shown(generation: i64) -> Family {
        let child = Child {
            owner: None,
            generation: Some(generation),
            predictor: None,
            revision: None,
            facts: Facts::Deployment(crate::operator::children::Rollout::default()),
        };
        Family::from([((Kind::Deployment, "a".to_owned()), child)])
    }

    #[test]
    fn a_watch_that_lags_is_no_change_by_others() {
        let mut applied = applied();
        assert!(!applied.is_touched_by_others(&Family::new()));
        assert!(!applied.is_touched_by_others(&shown(1)));
        assert!(!applied.is_touched_by_others(&shown(2)));
    }

    #[test]
    fn a_change_and_a_removal_by_others_are_seen() {
        let mut applied = applied();
        assert!(applied.is_touched_by_others(&shown(3)));
        assert!(applied.is_touched_by_others(&Family::new()));
    }
}
