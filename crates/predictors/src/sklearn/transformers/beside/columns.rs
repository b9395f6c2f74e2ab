//! Columns of a table, in the ways in which a `ColumnTransformer` names them: numbers, names, a mask or a slice.

use crate::{
    numpy::{self, Elements},
    pickle::{Node, NodeId, Pickle},
};

use super::super::super::{
    Error,
    record::{Attribute, Part, Record},
};

/// Names of the columns, where the estimator was fitted on a table that has them.
#[derive(Debug)]
pub(super) struct Names(Vec<Box<str>>);

impl Names {
    pub(super) fn of(record: &Record<'_>) -> Result<Self, Error> {
        let Some(names) = record.some("feature_names_in_") else { return Ok(Self(Vec::new())) };
        match names.elements_of(&names.array()?)? {
            Elements::Text(names) => Ok(Self(names)),
            _ => Err(names.problem("is not a list of names")),
        }
    }

    fn find(&self, name: &str, attribute: Attribute<'_>) -> Result<usize, Error> {
        attribute.pickle.charge(self.0.len()).map_err(|_| Error::OverBudget)?;
        let found = self.0.iter().position(|known| **known == *name);
        found.ok_or_else(|| attribute.problem("names a column that is not in `feature_names_in_`"))
    }
}

/// Number of columns of a `ColumnTransformer`. 0.20 does not tell; there each column is somewhere in the list.
pub(super) fn features(record: &Record<'_>, list: Attribute<'_>) -> Result<usize, Error> {
    if let Some(features) = record.features_in()? {
        return Ok(features);
    }
    if let Some(features) = record.some("_n_features") {
        return features.count();
    }
    let mut most = 0;
    let remainder = record.some("_remainder");
    for (attribute, id) in
        list.list()?.iter().map(|id| (list, *id)).chain(remainder.map(|remainder| (remainder, remainder.id)))
    {
        if let [.., chosen] = attribute.element(id).list()? {
            most = most.max(end(attribute.element(*chosen))?);
        }
    }
    Ok(most)
}

/// One behind the last of the columns.
fn end(attribute: Attribute<'_>) -> Result<usize, Error> {
    let unknown = || attribute.problem("does not tell how many columns there are");
    let after = |id: &NodeId| numpy::integer(attribute.pickle, *id).and_then(|last| usize::try_from(last + 1).ok());
    if attribute.is_none() {
        return Ok(0);
    }
    if let Some([_, stop, _]) = slice(attribute.pickle, attribute.id) {
        return numpy::integer(attribute.pickle, stop).and_then(|stop| usize::try_from(stop).ok()).ok_or_else(unknown);
    }
    let Ok(list) = attribute.list() else {
        return match attribute.elements_of(&attribute.array()?)? {
            Elements::Booleans(mask) => Ok(mask.len()),
            Elements::Integers(columns) => {
                let last = columns.into_iter().max().map_or(Some(0), |last| usize::try_from(last + 1).ok());
                last.ok_or_else(unknown)
            }
            _ => Err(unknown()),
        };
    };
    if matches!(list.first().map(|first| attribute.pickle.node(*first)), Some(Node::Boolean(_))) {
        return Ok(list.len());
    }
    list.iter().map(after).try_fold(0, |most: usize, end| Some(most.max(end?))).ok_or_else(unknown)
}

/// The columns, in the order in which they are given.
pub(super) fn parse(attribute: Attribute<'_>, features: usize, names: &Names) -> Result<Vec<usize>, Error> {
    let pickle = attribute.pickle;
    let attribute = remainder(attribute)?;
    if attribute.is_none() {
        return Ok(Vec::new());
    }
    if let Some(bounds) = slice(pickle, attribute.id) {
        return sliced(attribute, bounds, features, names);
    }
    if let Ok(list) = attribute.list() {
        pickle.charge(16 * list.len()).map_err(|_| Error::OverBudget)?;
        if matches!(list.first().map(|first| pickle.node(*first)), Some(Node::Boolean(_))) {
            let mask = list.iter().map(|id| attribute.element(*id).truth()).collect::<Result<Vec<_>, _>>()?;
            return masked(attribute, &mask, features);
        }
        let column = |id: &NodeId| match pickle.text(*id) {
            Some(name) => names.find(name, attribute),
            None => numpy::integer(pickle, *id)
                .and_then(|index| place(index, features))
                .ok_or_else(|| out_of_range(attribute, features)),
        };
        return list.iter().map(column).collect();
    }
    if attribute.text_if_any().is_some() || numpy::integer(pickle, attribute.id).is_some() {
        return Err(attribute.problem("gives a column as a vector, which is for text only and not supported"));
    }
    match attribute.elements_of(&attribute.array()?)? {
        Elements::Booleans(mask) => masked(attribute, &mask, features),
        Elements::Text(chosen) => chosen.iter().map(|name| names.find(name, attribute)).collect(),
        Elements::Integers(indices) => {
            let columns = indices.into_iter().map(|index| place(index, features)).collect::<Option<_>>();
            columns.ok_or_else(|| out_of_range(attribute, features))
        }
        Elements::Floats(values) if values.is_empty() => Ok(Vec::new()),
        Elements::Floats(_) => Err(attribute.problem("holds numbers that are not whole")),
    }
}

/// 1.5 to 1.7 keep the columns that are left in a list of their own kind.
fn remainder(attribute: Attribute<'_>) -> Result<Attribute<'_>, Error> {
    match Record::parse_part(attribute, Part::RemainderColumns) {
        Ok(list) => Ok(attribute.element(list.get("data")?.id)),
        Err(_) => Ok(attribute),
    }
}

fn masked(attribute: Attribute<'_>, mask: &[bool], features: usize) -> Result<Vec<usize>, Error> {
    if mask.len() != features {
        return Err(attribute.problem(format!("has a mask of {} columns for {features}", mask.len())));
    }
    Ok(mask.iter().enumerate().filter(|(_, is_chosen)| **is_chosen).map(|(index, _)| index).collect())
}

fn out_of_range(attribute: Attribute<'_>, features: usize) -> Error {
    attribute.problem(format!("has a column that is not among {features}"))
}

/// As Python counts: from the end if below 0.
fn place(index: i64, features: usize) -> Option<usize> {
    let from_end = || usize::try_from(index.unsigned_abs()).ok().and_then(|back| features.checked_sub(back));
    let place = if index < 0 { from_end()? } else { usize::try_from(index).ok()? };
    (place < features).then_some(place)
}

/// The bounds and the step of a `slice`.
fn slice(pickle: &Pickle<'_>, id: NodeId) -> Option<[NodeId; 3]> {
    let object = pickle.object(id)?;
    pickle.name(object.callee)?.is(&["builtins", "__builtin__"], "slice").then_some(())?;
    pickle.elements(object.arguments)?.try_into().ok()
}

fn sliced(
    attribute: Attribute<'_>,
    [start, stop, step]: [NodeId; 3],
    features: usize,
    names: &Names,
) -> Result<Vec<usize>, Error> {
    let pickle = attribute.pickle;
    let bound = |id: NodeId, default: usize, after: usize| match pickle.node(id) {
        Node::None => Ok(default),
        _ => match pickle.text(id) {
            // With names, the end is part of it.
            Some(name) => names.find(name, attribute).map(|column| column + after),
            None => numpy::integer(pickle, id)
                .map(|index| match usize::try_from(index) {
                    Ok(index) => index.min(features),
                    Err(_) => place(index, features).unwrap_or(0),
                })
                .ok_or_else(|| attribute.problem("has a slice that is not of numbers or names")),
        },
    };
    if !matches!(pickle.node(step), Node::None | Node::Integer(1)) {
        return Err(attribute.problem("has a slice with a step, which is not supported"));
    }
    pickle.charge(8 * features).map_err(|_| Error::OverBudget)?;
    Ok((bound(start, 0, 0)?..bound(stop, features, 1)?).collect())
}
