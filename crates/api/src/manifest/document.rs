//! The tree a manifest's text is read into: JSON values that know their lines.

use std::{collections::HashSet, fmt, marker::PhantomData};

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// A value and where it stands. Lines count from 1 at the start of the text.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Content {
    Scalar(Value),
    List(Vec<Node>),
    /// With its keys in the order they were written, each once.
    Map(Vec<(String, Node)>),
}

/// The lines of a document's values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lines {
    line: u32,
    inside: Inside,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    List(Vec<Lines>),
    Map(Vec<(String, Lines)>),
}

impl Node {
    /// The value and, in the same shape, its lines moved down by `offset`.
    pub(super) fn into_parts(self, offset: u32) -> (Value, Lines) {
        let line = if self.line == 0 { 0 } else { self.line + offset };
        let (value, inside) = match self.content {
            Content::Scalar(value) => (value, Inside::Nothing),
            Content::List(items) => {
                let (values, lines): (Vec<_>, _) = items.into_iter().map(|item| item.into_parts(offset)).unzip();
                (Value::Array(values), Inside::List(lines))
            }
            Content::Map(entries) => map_parts(entries, offset),
        };
        (value, Lines { line, inside })
    }

    /// How many levels of lists and maps it has.
    pub(super) fn depth(&self) -> usize {
        match &self.content {
            Content::Scalar(_) => 0,
            Content::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Content::Map(entries) => 1 + entries.iter().map(|(_, node)| node.depth()).max().unwrap_or(0),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Null))
    }
}

fn map_parts(entries: Vec<(String, Node)>, offset: u32) -> (Value, Inside) {
    let mut values = Map::new();
    let mut lines = Vec::with_capacity(entries.len());
    for (key, node) in entries {
        let (value, line) = node.into_parts(offset);
        lines.push((key.clone(), line));
        values.insert(key, value);
    }
    (Value::Object(values), Inside::Map(lines))
}

impl Lines {
    /// The line on which the value starts, where it is known.
    pub(super) fn line(&self) -> Option<u32> {
        (self.line > 0).then_some(self.line)
    }

    /// The line of the value at `path`, or of the nearest value around it.
    pub(super) fn find(&self, path: &str) -> Option<u32> {
        let below = segments(path).next().and_then(|(segment, rest)| self.child(segment)?.find(rest));
        below.or_else(|| self.line())
    }

    /// The lines of the items of the list called `key`.
    pub(super) fn items(&self, key: &str) -> &[Self] {
        match self.child(key).map(|child| &child.inside) {
            Some(Inside::List(items)) => items,
            _ => &[],
        }
    }

    fn child(&self, segment: &str) -> Option<&Self> {
        match &self.inside {
            Inside::Nothing => None,
            Inside::List(items) => items.get(segment.parse::<usize>().ok()?),
            Inside::Map(entries) => entries.iter().find(|(key, _)| key == segment).map(|(_, lines)| lines),
        }
    }
}

/// The first segment of a path and what follows it, while there is one.
fn segments(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    let bracketed = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let plain = || path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    (!path.is_empty()).then(|| bracketed.unwrap_or_else(plain)).into_iter()
}

/// A node of a JSON text, which knows no line.
pub(super) struct Unplaced(pub(super) Node);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        let line = u32::try_from(spanned.referenced.line()).unwrap_or(0);
        Ok(Self { line, content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor::<Node>(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Unplaced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let content = deserializer.deserialize_any(ContentVisitor::<Self>(PhantomData))?;
        Ok(Self(Node { line: 0, content }))
    }
}

impl From<Unplaced> for Node {
    fn from(node: Unplaced) -> Self {
        node.0
    }
}

/// Reads any value, with what is inside read as `T`.
struct ContentVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Into<Node>> Visitor<'de> for ContentVisitor<T> {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Bool(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content, E> {
        Ok(Content::Scalar(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content, E> {
        Ok(Content::Scalar(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Content, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number is not finite; put it in quotes"))?;
        Ok(Content::Scalar(Value::Number(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Scalar(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content::Scalar(text.into()))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<T>()? {
            list.push(item.into());
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let (mut map, mut seen) = (Vec::new(), HashSet::new());
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom(format!("duplicate key `{}`", shortened(&key))));
            }
            map.push((key, entries.next_value::<T>()?.into()));
        }
        Ok(Content::Map(map))
    }
}

fn shortened(key: &str) -> String {
    key.chars().take(60).collect()
}
