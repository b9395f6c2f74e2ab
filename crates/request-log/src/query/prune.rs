//! What statistics and filters of a file tell of a condition before any row is read.

use std::cmp::Ordering;

use parquet::{
    bloom_filter::Sbbf,
    file::{metadata::RowGroupMetaData, statistics::Statistics},
};
use provost_inference::filter::Operator;

use super::condition::{Condition, Literal, compare_integer};
use crate::dataset::{FileReader, fixed};

/// Least and greatest value of an integer column of a row group.
pub(super) fn integer_bounds(group: &RowGroupMetaData, column: usize) -> Option<(i64, i64)> {
    match group.columns().get(column)?.statistics()? {
        Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
        _ => None,
    }
}

/// Whether any row of the group may satisfy the condition.
pub(super) fn may_match(condition: &Condition, file: &FileReader, group: &RowGroupMetaData) -> bool {
    match condition {
        Condition::All(terms) => terms.iter().all(|term| may_match(term, file, group)),
        Condition::Any(terms) => terms.iter().any(|term| may_match(term, file, group)),
        Condition::Compare { column, operator, literal } => {
            let Some(column) = file.column(column) else { return false };
            let statistics = group.columns().get(column).and_then(|column| column.statistics());
            let bounds = statistics.and_then(|statistics| compare_bounds(statistics, literal));
            bounds.is_none_or(|(least, greatest)| may_accept(*operator, least, greatest))
        }
    }
}

/// How the least and the greatest value compare with the literal; `None` where that is not known.
fn compare_bounds(statistics: &Statistics, literal: &Literal) -> Option<(Ordering, Ordering)> {
    match (statistics, literal) {
        (Statistics::Double(values), Literal::Number(number)) => {
            Some((values.min_opt()?.partial_cmp(number)?, values.max_opt()?.partial_cmp(number)?))
        }
        (Statistics::Int64(values), Literal::Number(number)) => {
            Some((compare_integer(*values.min_opt()?, *number)?, compare_integer(*values.max_opt()?, *number)?))
        }
        (Statistics::Int64(values), Literal::Time(time)) => {
            let nanos = |micros: &i64| micros.saturating_mul(1000);
            Some((nanos(values.min_opt()?).cmp(time), nanos(values.max_opt()?).cmp(time)))
        }
        // Row numbers are unsigned; with the values there are it makes no difference.
        (Statistics::Int32(values), Literal::Number(number)) => Some((
            f64::from(*values.min_opt()?).partial_cmp(number)?,
            f64::from(*values.max_opt()?).partial_cmp(number)?,
        )),
        (Statistics::Boolean(values), Literal::Boolean(value)) => {
            Some((values.min_opt()?.cmp(value), values.max_opt()?.cmp(value)))
        }
        // A bound that was cut is still a bound.
        (Statistics::ByteArray(values), Literal::Text(text)) => {
            Some((values.min_opt()?.data().cmp(text.as_bytes()), values.max_opt()?.data().cmp(text.as_bytes())))
        }
        _ => None,
    }
}

fn may_accept(operator: Operator, least: Ordering, greatest: Ordering) -> bool {
    match operator {
        Operator::Equal => least.is_le() && greatest.is_ge(),
        Operator::NotEqual => !(least.is_eq() && greatest.is_eq()),
        Operator::Less => least.is_lt(),
        Operator::LessOrEqual => least.is_le(),
        Operator::Greater => greatest.is_gt(),
        Operator::GreaterOrEqual => greatest.is_ge(),
    }
}

/// Whether the filter of request ids leaves any row that may satisfy the condition.
pub(super) fn may_hold_ids(condition: &Condition, ids: &Sbbf) -> bool {
    match condition {
        Condition::All(terms) => terms.iter().all(|term| may_hold_ids(term, ids)),
        Condition::Any(terms) => terms.iter().any(|term| may_hold_ids(term, ids)),
        Condition::Compare { column, operator: Operator::Equal, literal: Literal::Text(id) }
            if is_request_id(column) =>
        {
            ids.check(id.as_ref())
        }
        Condition::Compare { .. } => true,
    }
}

/// Whether the condition asks for some request id.
pub(super) fn asks_for_id(condition: &Condition) -> bool {
    match condition {
        Condition::All(terms) => terms.iter().any(asks_for_id),
        Condition::Any(terms) => !terms.is_empty() && terms.iter().all(asks_for_id),
        Condition::Compare { column, operator, .. } => is_request_id(column) && *operator == Operator::Equal,
    }
}

fn is_request_id(column: &str) -> bool {
    column == fixed::NAMES[fixed::REQUEST_ID]
}
