//! What stages took in earlier runs, kept in the build directory.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use super::Known;

/// Last and longest time of each stage.
#[derive(Debug)]
pub(super) struct History {
    file: PathBuf,
    stages: BTreeMap<String, Known>,
}

impl History {
    /// What the file holds; nothing where it is missing or broken.
    pub(super) fn load(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let stages = value.as_object().into_iter().flatten();
        let stages = stages.filter_map(|(name, value)| Some((name.clone(), parse(value)?))).collect();
        Self { file, stages }
    }

    /// What a stage took.
    pub(super) fn get(&self, stage: &str) -> Option<Known> {
        self.stages.get(stage).copied()
    }

    /// Remembers a run of a stage.
    pub(super) fn record(&mut self, stage: &str, took: Duration) {
        let longest = self.get(stage).map_or(took, |known| known.longest.max(took));
        self.stages.insert(stage.to_owned(), Known { last: took, longest });
        let all: BTreeMap<_, _> = self.stages.iter().map(|(name, known)| (name, write(*known))).collect();
        // The next run guesses where this one cannot be remembered.
        let _written = fs::write(&self.file, format!("{:#}\n", json!(all)));
    }
}

fn parse(value: &Value) -> Option<Known> {
    let seconds = |key: &str| Duration::try_from_secs_f64(value.get(key)?.as_f64()?).ok();
    Some(Known { last: seconds("last")?, longest: seconds("longest")? })
}

fn write(known: Known) -> Value {
    json!({ "last": known.last.as_secs_f64(), "longest": known.longest.as_secs_f64() })
}
