//! `ColumnTransformer` and `FeatureUnion`: transformers side by side, whose outputs are joined.

mod columns;

use provost_inference::{Features, PredictError};

use crate::pickle::{Node, NodeId};

use self::columns::Names;
use super::super::{
    Error,
    chain::Steps,
    estimator::{self, Fitted},
    record::{Attribute, Record},
    transform::{Identity, Missing, Transform},
};

/// What a branch counts for in the budget, even one that does nothing.
const BRANCH_COST: usize = 64;

/// One of several transformers side by side.
#[derive(Debug)]
struct Branch {
    /// The columns it gets; `None` is all.
    columns: Option<Vec<usize>>,
    transform: Box<dyn Transform>,
    width: usize,
    /// What its output is multiplied by.
    weight: f64,
}

#[derive(Debug)]
pub(super) struct Beside {
    name: &'static str,
    features: Option<usize>,
    branches: Vec<Branch>,
    missing: Missing,
}

/// The name of a transformer's class, and the transformer.
type Extracted = (String, Box<dyn Transform>);

/// What stands for a transformer in a list of them.
#[derive(Debug)]
enum Entry {
    Drop,
    Passthrough,
    Estimator(NodeId),
}

impl Entry {
    fn of(attribute: Attribute<'_>) -> Self {
        match (attribute.pickle.node(attribute.id), attribute.text_if_any()) {
            (Node::None, _) | (_, Some("drop")) => Self::Drop,
            (_, Some("passthrough")) => Self::Passthrough,
            _ => Self::Estimator(attribute.id),
        }
    }

    /// The transformer, and the name of its class. `None` where nothing is made.
    fn extract(self, record: &Record<'_>, depth: usize) -> Result<Option<Extracted>, Error> {
        record.pickle.charge(BRANCH_COST).map_err(|_| Error::OverBudget)?;
        match self {
            Self::Drop => Ok(None),
            Self::Passthrough => {
                let identity = Identity { features: None, missing: Missing::PASSED };
                Ok(Some(("passthrough".to_owned(), Box::new(identity))))
            }
            Self::Estimator(id) => {
                let fitted = estimator::extract_nested(record.pickle, id, depth + 1)?;
                let (name, features) = (fitted.name.clone(), fitted.features);
                let steps = fitted.into_steps();
                let steps = steps.ok_or_else(|| Error::NotATransformer { step: 0, estimator: name.clone() })?;
                Ok(Some((name, Steps::joined(steps, features))))
            }
        }
    }
}

/// Reads a fitted `ColumnTransformer`.
pub(super) fn columns(record: &Record<'_>, depth: usize) -> Result<Fitted, Error> {
    let list = record.get("transformers_")?;
    let features = columns::features(record, list)?;
    let (names, mut used) = (Names::of(record)?, vec![false; features]);
    record.pickle.charge(features).map_err(|_| Error::OverBudget)?;
    let (mut branches, mut parts) = (Vec::new(), Vec::new());
    for id in list.list()? {
        let [name, transformer, chosen] = list.element(*id).list()? else {
            return Err(list.problem("holds what is no name, transformer and columns"));
        };
        let chosen = columns::parse(list.element(*chosen), features, &names)?;
        if chosen.is_empty() {
            continue;
        }
        let Some((part, transform)) = Entry::of(list.element(*transformer)).extract(record, depth)? else { continue };
        chosen.iter().for_each(|column| used[*column] = true);
        let weight = weight(record, *name)?;
        branches.push(Branch::new(record, Some(chosen), transform, features, weight)?);
        parts.push(part);
    }
    // Columns that nothing is made of may be missing.
    let unused = if used.contains(&false) { Missing::FILLED } else { Missing::REFUSED };
    let missing = branches.iter().fold(unused, |missing, branch| missing.beside(branch.transform.missing()));
    finish(record, Some(features), branches, &parts, missing)
}

/// Reads a fitted `FeatureUnion`, all of whose transformers get all columns.
pub(super) fn union(record: &Record<'_>, depth: usize) -> Result<Fitted, Error> {
    let list = record.get("transformer_list")?;
    let mut found = Vec::new();
    for id in list.list()? {
        let [name, transformer] = list.element(*id).list()? else {
            return Err(list.problem("holds what is no name and transformer"));
        };
        let Some((part, transform)) = Entry::of(list.element(*transformer)).extract(record, depth)? else { continue };
        found.push((part, transform, weight(record, *name)?));
    }
    let told = found.iter().find_map(|(_, transform, _)| transform.features());
    let features = record.features_in()?.or(told);
    let width = features.ok_or_else(|| Error::AnyFeatures { estimator: record.estimator.name.to_owned() })?;
    let (mut branches, mut parts) = (Vec::new(), Vec::new());
    for (part, transform, weight) in found {
        branches.push(Branch::new(record, None, transform, width, weight)?);
        parts.push(part);
    }
    let missing = branches.iter().map(|branch| branch.transform.missing());
    let is_refused = missing.clone().any(|missing| !missing.are_taken());
    let passes = !is_refused && missing.clone().any(|missing| missing.passes);
    let fills = !is_refused && missing.clone().all(|missing| missing.fills);
    finish(record, features, branches, &parts, Missing { fills, passes })
}

fn finish(
    record: &Record<'_>,
    features: Option<usize>,
    branches: Vec<Branch>,
    parts: &[String],
    missing: Missing,
) -> Result<Fitted, Error> {
    let name = format!("{}({})", record.estimator.name, parts.join(", "));
    let beside = Beside { name: record.estimator.name, features, branches, missing };
    Ok(Fitted { name, ..Fitted::transform(record, beside)? })
}

/// The weight of a transformer, by its name.
fn weight(record: &Record<'_>, name: NodeId) -> Result<f64, Error> {
    let Some(weights) = record.some("transformer_weights") else { return Ok(1.0) };
    let Node::Dict(entries) = weights.pickle.node(weights.id) else {
        return Err(weights.problem("is no dictionary"));
    };
    weights.pickle.charge(entries.len()).map_err(|_| Error::OverBudget)?;
    let name = weights.pickle.text(name).ok_or_else(|| weights.problem("is for a transformer without a name"))?;
    let Some(weight) = weights.pickle.entry(entries, name) else { return Ok(1.0) };
    let weight = weights.element(weight);
    match weight.pickle.node(weight.id) {
        Node::None => Ok(1.0),
        _ => weight.float().ok_or_else(|| weights.problem("holds what is no number")),
    }
}

impl Branch {
    fn new(
        record: &Record<'_>,
        columns: Option<Vec<usize>>,
        transform: Box<dyn Transform>,
        features: usize,
        weight: f64,
    ) -> Result<Self, Error> {
        let given = columns.as_ref().map_or(features, Vec::len);
        match transform.features() {
            Some(expected) if expected != given => {
                let problem = format!("gives {given} columns to `{}`, which takes {expected}", transform.name());
                Err(record.problem("transformers_", problem))
            }
            _ => Ok(Self { width: transform.width(given), columns, transform, weight }),
        }
    }

    /// What it makes of the rows, in `made`.
    fn run(&self, rows: &Features<'_>, gathered: &mut Vec<f64>, made: &mut Vec<f64>) -> Result<(), PredictError> {
        made.clear();
        let Some(columns) = &self.columns else { return self.transform.transform(rows, made) };
        gathered.clear();
        for row in rows.iter_rows() {
            gathered.extend(columns.iter().map(|column| row[*column]));
        }
        let (expected, actual) = (columns.len() * rows.rows(), gathered.len());
        let taken = Features::new(rows.rows(), columns.len(), gathered);
        let taken = taken.ok_or(PredictError::FeatureCount { expected, actual })?;
        self.transform.transform(&taken, made).map_err(|error| in_terms_of(columns, error))
    }
}

/// The error of a branch, in terms of all columns.
fn in_terms_of(columns: &[usize], error: PredictError) -> PredictError {
    match error {
        PredictError::ValueTooLarge { row, column, value } => {
            PredictError::ValueTooLarge { row, column: columns[column], value }
        }
        PredictError::MissingValue { row, column } => PredictError::MissingValue { row, column: columns[column] },
        PredictError::UnknownCategory { row, column, value } => {
            PredictError::UnknownCategory { row, column: columns[column], value }
        }
        error => error,
    }
}

impl Transform for Beside {
    fn name(&self) -> &'static str {
        self.name
    }

    fn features(&self) -> Option<usize> {
        self.features
    }

    fn width(&self, _columns: usize) -> usize {
        self.branches.iter().map(|branch| branch.width).sum()
    }

    fn missing(&self) -> Missing {
        self.missing
    }

    fn source(&self, column: usize) -> Option<usize> {
        let mut first = 0;
        for branch in &self.branches {
            if column < first + branch.width {
                let inner = branch.transform.source(column - first)?;
                return branch.columns.as_ref().map_or(Some(inner), |columns| columns.get(inner).copied());
            }
            first += branch.width;
        }
        None
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let (start, width) = (output.len(), self.width(rows.columns()));
        output.resize(start + rows.rows() * width, 0.0);
        let (mut gathered, mut made, mut first) = (Vec::new(), Vec::new(), start);
        for branch in self.branches.iter().filter(|branch| branch.width > 0) {
            branch.run(rows, &mut gathered, &mut made)?;
            for (row, values) in made.chunks_exact(branch.width).enumerate() {
                let into = &mut output[first + row * width..][..branch.width];
                into.iter_mut().zip(values).for_each(|(into, value)| *into = value * branch.weight);
            }
            first += branch.width;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        let branch = |branch: &Branch| {
            let given = branch.columns.as_ref().map_or(columns, Vec::len);
            branch.transform.cost_nanoseconds(given) + (given + 2 * branch.width) as f64
        };
        self.branches.iter().map(branch).sum()
    }
}
