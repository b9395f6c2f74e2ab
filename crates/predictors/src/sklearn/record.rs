//! An estimator as the pickle describes it: its class and its attributes.

use crate::{
    estimators::{self, Class, SupportedEstimator},
    numpy::{self, Elements, NdArray},
    pickle::{Node, NodeId, Object, Pickle},
};

use super::{Error, version::Version};

/// What looking at one attribute counts for in the budget.
const ATTRIBUTE_COST: usize = 8;

/// An object that is part of an estimator and none itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    LabelBinarizer,
    LabelEncoder,
    RemainderColumns,
    Sigmoid,
    InitialEstimator,
    CalibratedClassifier,
}

/// The record of one estimator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) pickle: &'a Pickle<'a>,
    pub(super) estimator: &'static SupportedEstimator,
    attributes: &'a [(NodeId, NodeId)],
}

impl<'a> Record<'a> {
    /// Reads an object of a supported class.
    pub(super) fn parse(pickle: &'a Pickle<'a>, id: NodeId) -> Result<Self, Error> {
        let not_an_estimator = || Error::NotAnEstimator { found: describe(pickle, id) };
        let object = pickle.object(id).ok_or_else(not_an_estimator)?;
        let class = pickle.class_of(object).ok_or_else(not_an_estimator)?;
        let estimator = estimators::find_class(&class.module, &class.name);
        let estimator = estimator.ok_or_else(not_an_estimator)?;
        if matches!(estimator.class, Class::Part(_)) {
            return Err(Error::UnsupportedEstimator { name: class.display(), others: Vec::new() });
        }
        Self::of(pickle, object, estimator)
    }

    /// Reads a part of an estimator, which must be of this kind.
    pub(super) fn parse_part(attribute: Attribute<'a>, part: Part) -> Result<Self, Error> {
        let pickle = attribute.pickle;
        let unexpected = || attribute.problem(format!("is {}", describe(pickle, attribute.id)));
        let object = pickle.object(attribute.id).ok_or_else(unexpected)?;
        let class = pickle.class_of(object).ok_or_else(unexpected)?;
        let found = estimators::find_class(&class.module, &class.name);
        let found = found.filter(|found| found.class == Class::Part(part)).ok_or_else(unexpected)?;
        Self::of(pickle, object, found)
    }

    fn of(pickle: &'a Pickle<'a>, object: &'a Object, estimator: &'static SupportedEstimator) -> Result<Self, Error> {
        let attributes = match object.state.map(|state| pickle.node(state)) {
            Some(Node::Dict(entries)) => entries.as_slice(),
            _ => &[],
        };
        let cost = attributes.len().saturating_add(16) * ATTRIBUTE_COST;
        pickle.charge(cost).map_err(|_| Error::OverBudget)?;
        Ok(Self { pickle, estimator, attributes })
    }

    /// The attribute, where the estimator has one of this name.
    pub(super) fn find(&self, name: &'static str) -> Option<Attribute<'a>> {
        let id = self.pickle.entry(self.attributes, name)?;
        Some(Attribute { pickle: self.pickle, id, owner: self.estimator.name, name })
    }

    /// The attribute, where the estimator has one of this name that is not `None`.
    pub(super) fn some(&self, name: &'static str) -> Option<Attribute<'a>> {
        self.find(name).filter(|attribute| !attribute.is_none())
    }

    /// The attribute, which the estimator must have.
    pub(super) fn get(&self, name: &'static str) -> Result<Attribute<'a>, Error> {
        self.some(name).ok_or_else(|| self.problem(name, "is missing: was the estimator fitted?"))
    }

    pub(super) fn problem(&self, attribute: &'static str, problem: impl Into<String>) -> Error {
        let estimator = self.estimator.name.to_owned();
        Error::Attribute { estimator, attribute, problem: problem.into() }
    }

    /// A Python function was given to it, which nothing here runs.
    pub(super) fn calls_a_function(&self) -> Error {
        Error::CallsFunction { estimator: self.estimator.name }
    }

    /// The estimator in an attribute.
    pub(super) fn nested(&self, name: &'static str) -> Result<Self, Error> {
        Self::parse(self.pickle, self.get(name)?.id)
    }

    /// The attribute as a number that is finite.
    pub(super) fn number(&self, name: &'static str) -> Result<f64, Error> {
        let attribute = self.get(name)?;
        let number = attribute.float().filter(|number| number.is_finite());
        number.ok_or_else(|| attribute.problem("is not a finite number"))
    }

    /// Whether a switch is on; versions that do not know it leave it off.
    pub(super) fn is_true(&self, name: &'static str) -> Result<bool, Error> {
        self.some(name).map_or(Ok(false), |attribute| attribute.truth())
    }

    pub(super) fn unsupported(&self) -> Error {
        Error::UnsupportedEstimator { name: self.estimator.name.to_owned(), others: Vec::new() }
    }

    /// The version of scikit-learn that wrote it, as text.
    pub(super) fn version_text(&self) -> Option<&'a str> {
        self.find("_sklearn_version").and_then(|version| version.text().ok())
    }

    /// The version of scikit-learn that wrote it.
    pub(super) fn version(&self) -> Option<Version> {
        self.version_text().and_then(Version::parse)
    }

    /// Names of the features, where it was fitted with a data frame.
    pub(super) fn feature_names(&self, features: usize) -> Result<Option<Vec<Box<str>>>, Error> {
        let Some(names) = self.some("feature_names_in_") else { return Ok(None) };
        match names.elements_of(&names.array()?)? {
            Elements::Text(texts) if texts.len() == features => Ok(Some(texts)),
            Elements::Text(_) => Err(names.problem(format!("does not name {features} features"))),
            _ => Err(names.problem("is not a list of names")),
        }
    }

    /// Number of features: an attribute since 0.24.
    pub(super) fn features_in(&self) -> Result<Option<usize>, Error> {
        self.some("n_features_in_").map(|features| features.count()).transpose()
    }
}

/// One attribute of an estimator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) pickle: &'a Pickle<'a>,
    pub(super) id: NodeId,
    owner: &'static str,
    name: &'static str,
}

impl<'a> Attribute<'a> {
    pub(super) fn problem(&self, problem: impl Into<String>) -> Error {
        let estimator = self.owner.to_owned();
        Error::Attribute { estimator, attribute: self.name, problem: problem.into() }
    }

    pub(super) fn numpy_problem(&self, error: numpy::Error) -> Error {
        match error {
            numpy::Error::OverBudget => Error::OverBudget,
            error => self.problem(error.to_string()),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self.pickle.node(self.id), Node::None)
    }

    pub(super) fn text(&self) -> Result<&'a str, Error> {
        self.pickle.text(self.id).ok_or_else(|| self.problem("is not text"))
    }

    /// Text, or `None` where the attribute is something else.
    pub(super) fn text_if_any(&self) -> Option<&'a str> {
        self.pickle.text(self.id)
    }

    /// A Python boolean, integer or NumPy boolean, read as Python reads truth.
    pub(super) fn truth(&self) -> Result<bool, Error> {
        match self.pickle.node(self.id) {
            Node::Boolean(value) => Ok(*value),
            Node::Integer(value) => Ok(*value != 0),
            _ => match self.scalar() {
                Some(Elements::Booleans(values)) => Ok(values.first() == Some(&true)),
                _ => Err(self.problem("is neither true nor false")),
            },
        }
    }

    /// A number of things.
    pub(super) fn count(&self) -> Result<usize, Error> {
        let count = numpy::integer(self.pickle, self.id).and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| self.problem("is not a count"))
    }

    /// A Python float or integer, or a NumPy scalar of one.
    pub(super) fn float(&self) -> Option<f64> {
        match self.pickle.node(self.id) {
            Node::Float(value) => Some(*value),
            Node::Object(_) => NdArray::scalar(self.pickle, self.id)?.floats(self.pickle).ok()?.first().copied(),
            #[expect(clippy::cast_precision_loss, reason = "as Python converts it")]
            Node::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    fn scalar(&self) -> Option<Elements> {
        NdArray::scalar(self.pickle, self.id)?.elements(self.pickle).ok()
    }

    pub(super) fn array(&self) -> Result<NdArray<'a>, Error> {
        NdArray::parse(self.pickle, self.id).map_err(|error| self.numpy_problem(error))
    }

    /// The items of an array of numbers, in C order, and its shape.
    pub(super) fn floats(&self) -> Result<(Vec<f64>, Box<[usize]>), Error> {
        let array = self.array()?;
        let values = array.floats(self.pickle).map_err(|error| self.numpy_problem(error))?;
        Ok((values, array.shape))
    }

    /// The items of an array of objects.
    pub(super) fn objects(&self) -> Result<Vec<Self>, Error> {
        let array = self.array()?;
        let objects = array.objects().ok_or_else(|| self.problem("is not an array of objects"))?;
        self.pickle.charge(32 * objects.len()).map_err(|_| Error::OverBudget)?;
        Ok(objects.iter().map(|id| self.element(*id)).collect())
    }

    /// The items of an array of objects of any shape, in C order, and the shape.
    pub(super) fn grid(&self) -> Result<(Vec<NodeId>, Box<[usize]>), Error> {
        let array = self.array()?;
        let items = array.object_grid().ok_or_else(|| self.problem("is not an array of objects"))?;
        self.pickle.charge(8 * items.len()).map_err(|_| Error::OverBudget)?;
        Ok((items, array.shape))
    }

    /// The items of an array of numbers, which may be an array of objects, and its shape.
    pub(super) fn any_floats(&self) -> Result<(Vec<f64>, Box<[usize]>), Error> {
        let array = self.array()?;
        #[expect(clippy::cast_precision_loss, reason = "as Python converts them")]
        let values = match self.elements_of(&array)? {
            Elements::Floats(values) => values,
            Elements::Integers(values) => values.into_iter().map(|value| value as f64).collect(),
            Elements::Booleans(values) => values.into_iter().map(|value| f64::from(u8::from(value))).collect(),
            Elements::Text(_) => return Err(self.problem("is an array of text, not of numbers")),
        };
        Ok((values, array.shape))
    }

    /// The items of an array of truth values.
    pub(super) fn truths(&self) -> Result<Vec<bool>, Error> {
        match self.elements_of(&self.array()?)? {
            Elements::Booleans(values) => Ok(values),
            _ => Err(self.problem("is not an array of truth values")),
        }
    }

    /// The items of an array of indices, all below a bound.
    pub(super) fn indices(&self, bound: usize) -> Result<Vec<usize>, Error> {
        let index = |value: i64| usize::try_from(value).ok().filter(|index| *index < bound);
        let indices = self.integers()?.into_iter().map(index).collect::<Option<_>>();
        indices.ok_or_else(|| self.problem(format!("has an index that is not below {bound}")))
    }

    /// The items of an array of whole numbers.
    pub(super) fn integers(&self) -> Result<Vec<i64>, Error> {
        match self.elements_of(&self.array()?)? {
            Elements::Integers(values) => Ok(values),
            _ => Err(self.problem("is not an array of whole numbers")),
        }
    }

    /// The items of this attribute's array, of labels.
    pub(super) fn elements_of(&self, array: &NdArray<'_>) -> Result<Elements, Error> {
        array.elements(self.pickle).map_err(|error| self.numpy_problem(error))
    }

    /// The elements of a Python list or tuple.
    pub(super) fn list(&self) -> Result<&'a [NodeId], Error> {
        self.pickle.elements(self.id).ok_or_else(|| self.problem("is not a list"))
    }

    /// An attribute of the object that this attribute is, unless that is `None`.
    pub(super) fn attribute(&self, name: &'static str) -> Option<Self> {
        let state = self.pickle.node(self.pickle.object(self.id)?.state?);
        let Node::Dict(entries) = state else { return None };
        self.pickle.charge(entries.len().saturating_add(16) * ATTRIBUTE_COST).ok()?;
        let id = self.pickle.entry(entries, name)?;
        Some(Self { id, name, ..*self }).filter(|attribute| !attribute.is_none())
    }

    /// The same attribute's element `id`.
    pub(super) fn element(&self, id: NodeId) -> Self {
        Self { id, ..*self }
    }
}

/// What stands at a node, in words.
fn describe(pickle: &Pickle<'_>, id: NodeId) -> String {
    match pickle.node(id) {
        Node::None => "nothing".to_owned(),
        Node::Boolean(_) => "a boolean".to_owned(),
        Node::Integer(_) | Node::BigInteger | Node::Float(_) => "a number".to_owned(),
        Node::Text(_) | Node::DecodedText(_) => "a text".to_owned(),
        Node::Bytes(_) | Node::DecodedBytes(_) => "bytes".to_owned(),
        Node::Tuple(_) => "a tuple".to_owned(),
        Node::List(_) => "a list".to_owned(),
        Node::Set(_) => "a set".to_owned(),
        Node::Dict(_) => "a dictionary".to_owned(),
        Node::Name(_) => "a name".to_owned(),
        Node::InlineArray(_) => "an array".to_owned(),
        Node::Object(object) => match (pickle.class_of(object), pickle.name(object.callee)) {
            (Some(class), _) => format!("an object of `{}`", class.display()),
            (None, Some(callee)) => format!("the result of `{}`", callee.display()),
            (None, None) => "an object".to_owned(),
        },
    }
}
