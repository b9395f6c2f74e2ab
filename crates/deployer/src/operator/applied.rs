//! Deployments as they were applied, so that a change by somebody else is seen without reading them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;

/// The Deployments of one resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Applied(BTreeMap<String, Noted>);

#[derive(Debug, Clone)]
struct Noted {
    generation: i64,
    /// The watch lags behind: only one that it has shown can be missed.
    is_seen: bool,
}

impl Applied {
    /// Notes the generation that a Deployment had after it was applied.
    pub(super) fn add(&mut self, name: String, generation: i64) {
        self.0.insert(name, Noted { generation, is_seen: false });
    }

    /// Whether somebody changed or deleted one since, by what the watch shows now.
    pub(super) fn is_touched_by_others(&mut self, watched: &[Deployment]) -> bool {
        self.0.iter_mut().any(|(name, noted)| {
            let found = watched.iter().find(|deployment| deployment.metadata.name.as_ref() == Some(name));
            let is_gone = noted.is_seen && found.is_none();
            noted.is_seen |= found.is_some();
            is_gone || found.is_some_and(|found| found.metadata.generation.unwrap_or(0) > noted.generation)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(generation: i64) -> Vec<Deployment> {
        let mut deployment = Deployment::default();
        deployment.metadata.name = Some("a".to_owned());
        deployment.metadata.generation = Some(generation);
        vec![deployment]
    }

    #[test]
    fn a_watch_that_lags_is_no_change_by_others() {
        let mut applied = Applied::default();
        applied.add("a".to_owned(), 2);
        assert!(!applied.is_touched_by_others(&[]));
        assert!(!applied.is_touched_by_others(&watched(1)));
        assert!(!applied.is_touched_by_others(&watched(2)));
    }

    #[test]
    fn a_change_and_a_removal_by_others_are_seen() {
        let mut applied = Applied::default();
        applied.add("a".to_owned(), 2);
        assert!(applied.is_touched_by_others(&watched(3)));
        assert!(applied.is_touched_by_others(&[]));
    }
}
