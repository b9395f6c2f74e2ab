//! Feedback to predictions, beside the request log of a deployment and of itself.

use std::collections::{HashMap, HashSet};

use provost_api::{
    problem::Problem,
    rest::v1::requests::{RequestPage, RequestParameters},
};
use provost_domain::DeploymentId;
use provost_inference::{
    filter::{Filter, Operator, Value as Compared},
    record::{Column, Columns, FEEDBACK_COLUMNS, LogQuery, Timestamp, feedback_of, instance_id},
};

use super::App;

/// Most rows of feedback that are read for one page of requests.
const FEEDBACK_MAX: usize = 10_000;
/// The columns that requests are given.
const GIVEN: [&str; 2] = [FEEDBACK_COLUMNS[0], FEEDBACK_COLUMNS[1]];

impl App {
    /// A page of the feedback to a deployment's predictions, newest first.
    pub async fn feedback(&self, id: &DeploymentId, parameters: &RequestParameters) -> Result<RequestPage, Problem> {
        let mut query = self.query(id, parameters)?;
        query.deployment = feedback_of(&query.deployment);
        query.filter = query.filter.map(in_log);
        let mut page = self.page(query).await?;
        page.columns.names.iter_mut().for_each(|name| *name = plain(name));
        Ok(super::requests::request_page(page))
    }

    /// Adds reward and truth to rows of which any feedback tells.
    pub(super) async fn add_feedback(&self, id: &DeploymentId, requests: &mut Columns) -> Result<(), Problem> {
        let ids = ids(requests);
        let all: HashSet<&String> = ids.iter().flatten().collect();
        let Some(since) = oldest(requests).filter(|_| !all.is_empty()) else { return Ok(()) };
        let query = LogQuery {
            namespace: id.namespace.to_string(),
            deployment: feedback_of(id.name.as_str()),
            since: Some(since),
            filter: Some(Filter::Or(
                all.into_iter().map(|id| compare("request_id", Compared::Text(id.clone()))).collect(),
            )),
            limit: FEEDBACK_MAX,
            ..LogQuery::default()
        };
        let feedback = self.page(query).await?.columns;
        if let Some(found) = Found::of(&feedback) {
            found.add_to(requests, &ids);
        }
        Ok(())
    }
}

/// What feedback says of instances, by id and row.
struct Found<'a> {
    rows: HashMap<(&'a str, i64), usize>,
    given: [Option<&'a Column>; 2],
}

impl<'a> Found<'a> {
    /// `None` where there is no feedback.
    fn of(feedback: &'a Columns) -> Option<Self> {
        let (Column::Text(ids), Column::Integer(rows)) = (find(feedback, "request_id")?, find(feedback, "row")?) else {
            return None;
        };
        let mut places = HashMap::new();
        for (place, (id, row)) in ids.iter().zip(rows).enumerate() {
            // The newest comes first, and is what holds.
            places.entry((id.as_deref()?, (*row)?)).or_insert(place);
        }
        let given = GIVEN.map(|name| feedback.names.iter().position(|of| plain(of) == name));
        let given = given.map(|place| place.and_then(|place| feedback.columns.get(place)));
        (!places.is_empty()).then_some(Self { rows: places, given })
    }

    fn add_to(&self, requests: &mut Columns, ids: &[[String; 2]]) {
        let row_of = match find(requests, "row") {
            Some(Column::Integer(rows)) => rows.clone(),
            _ => return,
        };
        let of_request = |[request, instance]: &[String; 2], row: Option<i64>| {
            let of_request = row.and_then(|row| self.rows.get(&(request.as_str(), row)));
            // Feedback to a whole request, of which nothing is said by instance, stands in its first row.
            of_request.or_else(|| self.rows.get(&(instance.as_str(), 0))).copied()
        };
        let places: Vec<_> = ids.iter().zip(row_of).map(|(ids, row)| of_request(ids, row)).collect();
        for (name, column) in GIVEN.iter().zip(self.given) {
            if let Some(column) = column {
                requests.names.push((*name).to_owned());
                requests.columns.push(chosen(column, &places));
            }
        }
    }
}

/// The values at these places.
fn chosen(column: &Column, places: &[Option<usize>]) -> Column {
    fn at<T: Clone>(values: &[Option<T>], places: &[Option<usize>]) -> Vec<Option<T>> {
        places.iter().map(|place| values.get((*place)?)?.clone()).collect()
    }
    match column {
        Column::Float(values) => Column::Float(at(values, places)),
        Column::Integer(values) => Column::Integer(at(values, places)),
        Column::Boolean(values) => Column::Boolean(at(values, places)),
        Column::Text(values) => Column::Text(at(values, places)),
    }
}

/// By which ids feedback may mean each row: that of its request, and that of its features.
fn ids(requests: &Columns) -> Vec<[String; 2]> {
    let Some(Column::Text(request_ids)) = find(requests, "request_id") else { return Vec::new() };
    let columns = requests.names.iter().zip(&requests.columns).filter(|(name, _)| name.starts_with("x."));
    let features: Vec<_> = columns
        .filter_map(|(_, column)| if let Column::Float(values) = column { Some(values) } else { None })
        .collect();
    let instance = |row: usize| instance_id(features.iter().filter_map(|values| *values.get(row)?));
    request_ids
        .iter()
        .enumerate()
        .map(|(row, id)| [id.as_deref().unwrap_or_default().to_owned(), instance(row)])
        .collect()
}

/// When the oldest row was answered: no feedback to it is older.
fn oldest(requests: &Columns) -> Option<Timestamp> {
    match find(requests, "time") {
        Some(Column::Integer(times)) => times.iter().filter_map(|time| *time).min().map(Timestamp),
        _ => None,
    }
}

fn find<'a>(columns: &'a Columns, name: &str) -> Option<&'a Column> {
    let place = columns.names.iter().position(|of| of == name)?;
    columns.columns.get(place)
}

/// The name of a column of feedback without what tells features and outputs apart in the log.
fn plain(name: &str) -> String {
    let rest = name.strip_prefix("x.").or_else(|| name.strip_prefix("y."));
    rest.filter(|rest| FEEDBACK_COLUMNS.contains(rest)).unwrap_or(name).to_owned()
}

/// The filter with the names of columns as they are in the log.
fn in_log(filter: Filter) -> Filter {
    let all = |filters: Vec<Filter>| filters.into_iter().map(in_log).collect();
    match filter {
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Compare { column, operator, value } => {
            let [reward, truth, prediction] = FEEDBACK_COLUMNS;
            let column = match &column {
                name if name == reward => format!("x.{name}"),
                name if name == truth || name == prediction => format!("y.{name}"),
                _ => column,
            };
            Filter::Compare { column, operator, value }
        }
    }
}

fn compare(column: &str, value: Compared) -> Filter {
    Filter::Compare { column: column.to_owned(), operator: Operator::Equal, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(of: Vec<(&str, Column)>) -> Columns {
        let (names, columns) = of.into_iter().map(|(name, column)| (name.to_owned(), column)).unzip();
        Columns { names, columns }
    }

    fn texts(values: &[&str]) -> Column {
        Column::Text(values.iter().map(|value| Some((*value).into())).collect())
    }

    #[test]
    fn rows_get_what_the_newest_feedback_to_their_request_or_instance_says() {
        let mut requests = columns(vec![
            ("request_id", texts(&["a", "a", "b", "c"])),
            ("row", Column::Integer(vec![Some(0), Some(1), Some(0), Some(0)])),
            ("x.w", Column::Float(vec![Some(1.0), Some(2.0), Some(3.0), None])),
        ]);
        let of_instance = instance_id([3.0].into_iter());
        let feedback = columns(vec![
            ("request_id", texts(&["a", "a", &of_instance])),
            ("row", Column::Integer(vec![Some(1), Some(1), Some(0)])),
            ("x.reward", Column::Float(vec![Some(1.0), Some(0.0), Some(0.5)])),
            ("y.truth", texts(&["yes", "no", "maybe"])),
            ("y.prediction", texts(&["yes", "yes", "no"])),
        ]);
        let ids = ids(&requests);
        Found::of(&feedback).unwrap().add_to(&mut requests, &ids);
        assert_eq!(requests.names[3..], ["reward", "truth"]);
        assert_eq!(requests.columns[3], Column::Float(vec![None, Some(1.0), Some(0.5), None]));
        let truths = Column::Text(vec![None, Some("yes".into()), Some("maybe".into()), None]);
        assert_eq!(requests.columns[4], truths);
    }

    #[test]
    fn columns_of_feedback_have_plain_names_in_filters() {
        let filter: Filter = "truth = 1 AND (reward > 0 OR predictor = main)".parse().unwrap();
        let expected: Filter = "y.truth = 1 AND (x.reward > 0 OR predictor = main)".parse().unwrap();
        assert_eq!(in_log(filter), expected);
        assert_eq!((plain("y.truth"), plain("x.other")), ("truth".to_owned(), "x.other".to_owned()));
    }
}
