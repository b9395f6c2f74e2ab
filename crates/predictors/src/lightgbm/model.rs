//! A booster as its text file describes it.

use provost_inference::Predict;

use crate::{Method, shown::shown};

use super::{
    Error,
    booster::Booster,
    leaves::Trees,
    text::{Lines, Section},
    tree::TreeText,
};

/// Outputs that a model may claim whatever its number of trees.
const MAX_OUTPUTS_WITHOUT_TREES: usize = 1024;
const VERSIONS: [&str; 3] = ["v2", "v3", "v4"];

/// What a model file says.
#[derive(Debug)]
pub(crate) struct Model {
    /// The objective and its parameters; nothing where training had one of its own.
    pub(super) objective: String,
    pub(crate) features: usize,
    /// Unless they are those that LightGBM makes up.
    pub(crate) feature_names: Option<Vec<String>>,
    pub(super) has_pandas_categories: bool,
    /// Outputs for each row: tree `n` adds to output `n` modulo them.
    pub(crate) outputs: usize,
    /// Whether sums over trees are divided by the number of rounds: random forests.
    pub(super) is_averaged: bool,
    pub(super) trees: Trees,
    pub(super) tree_count: usize,
}

impl Model {
    /// The name of the objective, without its parameters.
    pub(crate) fn objective_name(&self) -> &str {
        self.objective.split_ascii_whitespace().next().unwrap_or("custom")
    }

    /// What predicts as `Booster.predict` does.
    pub(crate) fn predictor(self, method: Method) -> Result<Box<dyn Predict>, Error> {
        Ok(Box::new(Booster::new(self, method)?))
    }

    /// What a caller should know: that some features are codes of categories.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = "the model was trained with categories of pandas: requests carry their codes, 0 for the first \
                       category of training";
        self.has_pandas_categories.then(|| warning.to_owned()).into_iter().collect()
    }

    /// Drops all rounds but the first so many.
    pub(crate) fn keep_rounds(&mut self, rounds: usize) {
        let kept = rounds.saturating_mul(self.outputs);
        self.trees.truncate(kept);
        self.tree_count = self.tree_count.min(kept);
    }
}

/// Reads a model of at most so many features.
pub(crate) fn parse(bytes: &[u8], max_features: usize) -> Result<Model, Error> {
    let mut lines = Lines::new(bytes);
    check_start(&mut lines)?;
    let head = lines.section();
    check_version(&head)?;
    let highest: usize = head.number("max_feature_idx")?;
    let features = highest.saturating_add(1);
    if features > max_features {
        return Err(Error::TooManyFeatures { features, limit: max_features });
    }
    let outputs: usize = head.number("num_tree_per_iteration")?;
    let (trees, tree_count) = read_trees(&mut lines, &head)?;
    if outputs == 0 || outputs > MAX_OUTPUTS_WITHOUT_TREES.max(tree_count) {
        return Err(Error::malformed(format!("`num_tree_per_iteration` is {outputs}")));
    }
    if tree_count % outputs != 0 {
        return Err(Error::malformed(format!("it has {tree_count} trees for {outputs} outputs")));
    }
    Ok(Model {
        objective: head.find("objective").unwrap_or_default().to_owned(),
        features,
        feature_names: feature_names(&head, features),
        has_pandas_categories: has_pandas_categories(lines),
        outputs,
        is_averaged: head.has("average_output"),
        trees,
        tree_count,
    })
}

fn check_start(lines: &mut Lines<'_>) -> Result<(), Error> {
    match lines.next_line() {
        Some(b"tree") => Ok(()),
        Some([b'{', ..]) => Err(Error::UnknownFormat {
            hint: "; JSON that `dump_model` writes is for people: save the model with `save_model`",
        }),
        Some([0x80, 0..=5, ..]) => Err(Error::UnknownFormat {
            hint: "; it may be a pickle: save the booster with `save_model`, or serve it by SKLEARN_SERVER",
        }),
        _ => Err(Error::UnknownFormat { hint: "" }),
    }
}

fn check_version(head: &Section<'_>) -> Result<(), Error> {
    let version = head.get("version")?.trim();
    if VERSIONS.contains(&version) {
        return Ok(());
    }
    let what = format!("version `{}` of the format", shown(version));
    Err(Error::Unsupported { what, supported: "; `v2`, `v3` and `v4` are" })
}

/// All trees, as many as the head says there are.
fn read_trees(lines: &mut Lines<'_>, head: &Section<'_>) -> Result<(Trees, usize), Error> {
    let mut trees: Option<Trees> = None;
    let mut count = 0;
    let mut later = lines.clone();
    let mut has_linear = false;
    while later.skip_tree_head() {
        has_linear |= later.section().find("is_linear").is_some_and(|text| text.trim() == "1");
    }
    while lines.skip_tree_head() {
        let tree = TreeText::parse(&lines.section(), count)?;
        trees.get_or_insert_with(|| Trees::new(has_linear)).add(&tree)?;
        count += 1;
    }
    let expected = head.get("tree_sizes")?.split_ascii_whitespace().count();
    if expected != count {
        return Err(Error::Truncated { found: count, expected });
    }
    Ok((trees.unwrap_or_else(|| Trees::new(false)), count))
}

/// The names of features, unless they are `Column_0` and so on.
fn feature_names(head: &Section<'_>, features: usize) -> Option<Vec<String>> {
    let names: Vec<_> = head.find("feature_names")?.split(' ').map(ToOwned::to_owned).collect();
    let is_made_up = |(index, name): (usize, &String)| {
        name.strip_prefix("Column_").and_then(|number| number.parse().ok()) == Some(index)
    };
    (names.len() == features && !names.iter().enumerate().all(is_made_up)).then_some(names)
}

/// Whether the last lines name the categories that pandas had.
fn has_pandas_categories(mut lines: Lines<'_>) -> bool {
    const KEY: &[u8] = b"pandas_categorical:";
    while let Some(line) = lines.next_line() {
        if let Some(categories) = line.strip_prefix(KEY) {
            return categories.starts_with(b"[[");
        }
    }
    false
}
