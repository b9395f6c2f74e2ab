//! Steps and then what predicts, run over block after block of rows.

use provost_inference::{Features, PredictError};

use super::{
    predictor::Head,
    transform::{Missing, Transform, width_after},
};

/// Values of the widest step's block, so that blocks stay in the nearest cache.
const BLOCK_VALUES: usize = 4096;

/// Steps and then what predicts.
#[derive(Debug)]
pub(super) struct Chain {
    steps: Vec<Box<dyn Transform>>,
    head: Box<dyn Head>,
    columns: usize,
}

/// What went wrong, and in which step; the head counts as the last.
type Failure = (usize, PredictError);

impl Chain {
    /// What predicts from so many columns; the head alone where there are no steps.
    pub(super) fn with(steps: Vec<Box<dyn Transform>>, head: Box<dyn Head>, columns: usize) -> Box<dyn Head> {
        if steps.is_empty() { head } else { Box::new(Self { steps, head, columns }) }
    }

    fn predict_block(
        &self,
        block: Features<'_>,
        [from, into]: &mut [Vec<f64>; 2],
        output: &mut Vec<f64>,
    ) -> Result<(), Failure> {
        let last = run(&self.steps, block, from, into)?;
        self.head.predict(&last, output).map_err(|error| (self.steps.len(), error))
    }
}

impl Head for Chain {
    fn predict(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let mut buffers = [Vec::new(), Vec::new()];
        for_each_block(&self.steps, rows, |block| self.predict_block(block, &mut buffers, output))
    }

    fn cost_nanoseconds(&self) -> f64 {
        cost(&self.steps, self.columns) + self.head.cost_nanoseconds()
    }
}

/// Several steps as one.
#[derive(Debug)]
pub(super) struct Steps {
    steps: Vec<Box<dyn Transform>>,
    features: Option<usize>,
}

impl Steps {
    /// The steps, which take so many columns.
    pub(super) fn joined(mut steps: Vec<Box<dyn Transform>>, features: Option<usize>) -> Box<dyn Transform> {
        match steps.len() {
            1 => steps.remove(0),
            _ => Box::new(Self { steps, features }),
        }
    }
}

impl Transform for Steps {
    fn name(&self) -> &'static str {
        self.steps.last().map_or("passthrough", |step| step.name())
    }

    fn features(&self) -> Option<usize> {
        self.features
    }

    fn width(&self, columns: usize) -> usize {
        width_after(&self.steps, columns)
    }

    fn missing(&self) -> Missing {
        Missing::of(&self.steps)
    }

    fn source(&self, column: usize) -> Option<usize> {
        source(&self.steps, column)
    }

    fn transform(&self, rows: &Features<'_>, output: &mut Vec<f64>) -> Result<(), PredictError> {
        let Some((last, before)) = self.steps.split_last() else {
            output.extend_from_slice(rows.values());
            return Ok(());
        };
        let [mut from, mut into] = [Vec::new(), Vec::new()];
        for_each_block(&self.steps, rows, |block| {
            let rows = run(before, block, &mut from, &mut into)?;
            last.transform(&rows, output).map_err(|error| (before.len(), error))
        })
    }

    fn cost_nanoseconds(&self, columns: usize) -> f64 {
        cost(&self.steps, columns)
    }
}

/// Hands over block after block, and tells what goes wrong in terms of all rows.
fn for_each_block(
    steps: &[Box<dyn Transform>],
    rows: &Features<'_>,
    mut predict: impl FnMut(Features<'_>) -> Result<(), Failure>,
) -> Result<(), PredictError> {
    let count = rows_a_block(steps, rows.columns());
    for first in (0..rows.rows()).step_by(count) {
        let outcome = predict(rows.block(first, count));
        outcome.map_err(|(failed, error)| in_terms_of(rows, first, &steps[..failed], error))?;
    }
    Ok(())
}

fn rows_a_block(steps: &[Box<dyn Transform>], columns: usize) -> usize {
    let (mut widest, mut width) = (columns.max(1), columns);
    for step in steps {
        width = step.width(width);
        widest = widest.max(width);
    }
    (BLOCK_VALUES / widest).max(1)
}

/// What the steps make of a block. It stands in `from`, or is the block itself.
fn run<'a>(
    steps: &[Box<dyn Transform>],
    block: Features<'a>,
    from: &'a mut Vec<f64>,
    into: &mut Vec<f64>,
) -> Result<Features<'a>, Failure> {
    let (rows, mut columns) = (block.rows(), block.columns());
    for (index, step) in steps.iter().enumerate() {
        into.clear();
        let taken = if index == 0 { Some(block) } else { Features::new(rows, columns, from) };
        let taken = taken.ok_or((index, PredictError::FeatureCount { expected: columns, actual: from.len() }))?;
        step.transform(&taken, into).map_err(|error| (index, error))?;
        columns = step.width(columns);
        std::mem::swap(from, into);
    }
    let actual = from.len();
    let made = if steps.is_empty() { Some(block) } else { Features::new(rows, columns, from) };
    made.ok_or((steps.len(), PredictError::FeatureCount { expected: columns, actual }))
}

/// The column of the first step's input of which alone a column behind the last is made.
fn source(steps: &[Box<dyn Transform>], column: usize) -> Option<usize> {
    steps.iter().rev().try_fold(column, |column, step| step.source(column))
}

/// The error of what takes a block behind `steps`, in terms of what the caller sent.
fn in_terms_of(
    input: &Features<'_>,
    first_row: usize,
    steps: &[Box<dyn Transform>],
    error: PredictError,
) -> PredictError {
    let step = steps.last().map_or("", |step| step.name());
    match error {
        PredictError::ValueTooLarge { row, column, value } => {
            let row = first_row + row;
            match source(steps, column) {
                Some(column) => {
                    let sent = input.values().get(row * input.columns() + column);
                    PredictError::ValueTooLarge { row, column, value: *sent.unwrap_or(&value) }
                }
                None => PredictError::StepValue { row, step, value },
            }
        }
        PredictError::MissingValue { row, column } => match source(steps, column) {
            Some(column) => PredictError::MissingValue { row: first_row + row, column },
            None => PredictError::StepValue { row: first_row + row, step, value: f64::NAN },
        },
        PredictError::UnknownCategory { row, column, value } => {
            let row = first_row + row;
            match source(steps, column) {
                Some(column) => PredictError::UnknownCategory { row, column, value },
                None => PredictError::StepValue { row, step, value },
            }
        }
        PredictError::StepValue { row, step, value } => PredictError::StepValue { row: first_row + row, step, value },
        PredictError::NoNeighbours { row } => PredictError::NoNeighbours { row: first_row + row },
        error @ PredictError::FeatureCount { .. } => error,
    }
}

fn cost(steps: &[Box<dyn Transform>], columns: usize) -> f64 {
    let (mut cost, mut columns) = (0.0, columns);
    for step in steps {
        cost += step.cost_nanoseconds(columns);
        columns = step.width(columns);
    }
    cost
}
