//! Conditions of steps: paths of GJSON, of which only whether they find something matters. What of GJSON's syntax is not
//! understood is an error when a condition is read, never a condition that does not hold.
//!
//! Understood: names with `*`, `?` and `\`, indices, `#`, `#(…)` and `#(…)#` with a comparison, `@this`, `[path,…]`, and
//! `.` and `|` between them.

mod parse;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A path of GJSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    text: String,
    path: Path,
}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a condition: {problem}")]
pub struct InvalidCondition {
    text: String,
    problem: String,
}

/// Parts one after another.
type Path = Vec<Part>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// Whether it comes after `|`, so that it is about what was found as a whole.
    is_piped: bool,
    seeks: Seeks,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Seeks {
    /// A field, or an element by its number.
    Name(Pattern),
    /// The elements, or how many.
    Elements,
    /// The first element that fits.
    First(Query),
    /// All that fit.
    All(Query),
    /// What there is.
    This,
    /// A list of what these find.
    List(Vec<Path>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Query {
    /// Empty for the element itself.
    path: Path,
    /// Without, it is enough that the path finds something.
    comparison: Option<(Comparison, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
}

/// A text in which some characters stand for others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<Glyph>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glyph {
    One(char),
    AnyOne,
    Any,
}

/// What a path found.
#[derive(Debug, Clone)]
enum Found<'a> {
    Value(&'a Value),
    List(Vec<Self>),
    Count(usize),
}

impl Condition {
    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, InvalidCondition> {
        match parse::path(text) {
            Ok(path) => Ok(Self { text: text.to_owned(), path }),
            Err(problem) => Err(InvalidCondition { text: text.to_owned(), problem }),
        }
    }

    /// Whether it holds of a body.
    pub fn holds(&self, body: &Value) -> bool {
        find(&self.path, Found::Value(body)).is_some()
    }

    /// The condition as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for Condition {
    type Error = InvalidCondition;

    fn try_from(text: String) -> Result<Self, InvalidCondition> {
        Self::parse(&text)
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text
    }
}

/// What a path finds. Its recursion is no deeper than the path is long.
fn find<'a>(path: &[Part], within: Found<'a>) -> Option<Found<'a>> {
    let Some((part, rest)) = path.split_first() else { return Some(within) };
    // What comes after `.`, not `|`.
    let has_rest = rest.first().is_some_and(|next| !next.is_piped);
    match &part.seeks {
        Seeks::This => find(rest, within),
        Seeks::Name(name) => within.named(name).into_iter().find_map(|found| find(rest, found)),
        Seeks::List(paths) => {
            let found = paths.iter().filter_map(|path| find(path, within.clone()));
            find(rest, Found::List(found.collect()))
        }
        Seeks::First(query) => find(rest, within.elements()?.find(|element| query.fits(element))?),
        Seeks::All(query) => {
            let found: Vec<_> = within.elements()?.filter(|element| query.fits(element)).collect();
            if has_rest { each(rest, found) } else { find(rest, Found::List(found)) }
        }
        Seeks::Elements if has_rest => each(rest, within.elements()?.collect()),
        Seeks::Elements => find(rest, Found::Count(within.elements()?.count())),
    }
}

/// What the path up to the next `|` finds in each of the elements, as a list in which the rest is looked for.
fn each<'a>(path: &[Part], elements: Vec<Found<'a>>) -> Option<Found<'a>> {
    let end = path.iter().position(|part| part.is_piped).unwrap_or(path.len());
    let (of_each, of_list) = path.split_at_checked(end)?;
    let found = elements.into_iter().filter_map(|element| find(of_each, element));
    find(of_list, Found::List(found.collect()))
}

impl<'a> Found<'a> {
    /// The elements of a list.
    fn elements(&self) -> Option<impl Iterator<Item = Self> + use<'a>> {
        let elements: Vec<_> = match self {
            Self::Value(Value::Array(items)) => items.iter().map(Found::Value).collect(),
            Self::List(found) => found.clone(),
            Self::Value(_) | Self::Count(_) => return None,
        };
        Some(elements.into_iter())
    }

    /// What has this name; several where a pattern fits several.
    fn named(&self, name: &Pattern) -> Vec<Self> {
        let one = |found: Option<Self>| found.into_iter().collect();
        match self {
            Self::Value(Value::Object(fields)) => match name.plain() {
                Some(name) => one(fields.get(&name).map(Found::Value)),
                None => fields.iter().filter(|(key, _)| name.fits(key)).map(|(_, value)| Found::Value(value)).collect(),
            },
            Self::Value(Value::Array(items)) => one(name.index().and_then(|index| items.get(index)).map(Found::Value)),
            Self::List(found) => one(name.index().and_then(|index| found.get(index)).cloned()),
            Self::Value(_) | Self::Count(_) => Vec::new(),
        }
    }
}

impl Query {
    fn fits(&self, element: &Found<'_>) -> bool {
        let Some(found) = find(&self.path, element.clone()) else { return false };
        match &self.comparison {
            None => true,
            Some((comparison, with)) => comparison.holds(&found, with),
        }
    }
}

impl Comparison {
    /// Whether it holds: what is compared is of the type of what was found, as in GJSON.
    #[expect(clippy::cast_precision_loss, reason = "a number of elements")]
    fn holds(self, found: &Found<'_>, with: &str) -> bool {
        match found {
            Found::Value(Value::String(text)) => match self {
                Self::Like => Pattern::of(with).fits(text),
                Self::NotLike => !Pattern::of(with).fits(text),
                other => other.is_so(Some(text.as_str().cmp(with))),
            },
            Found::Value(Value::Number(number)) => self.of_numbers(number.as_f64(), with),
            Found::Count(count) => self.of_numbers(Some(*count as f64), with),
            Found::Value(Value::Bool(flag)) => self.of_bools(*flag, with),
            Found::Value(Value::Null | Value::Array(_) | Value::Object(_)) | Found::List(_) => false,
        }
    }

    fn of_numbers(self, number: Option<f64>, with: &str) -> bool {
        let with: Option<f64> = with.parse().ok();
        self.is_so(number.zip(with).and_then(|(one, other)| one.partial_cmp(&other)))
    }

    fn of_bools(self, flag: bool, with: &str) -> bool {
        let with: Option<bool> = with.parse().ok();
        self.is_so(with.map(|with| flag.cmp(&with)))
    }

    /// Whether it holds of two values in this order; of such as have none, only that they differ.
    fn is_so(self, order: Option<std::cmp::Ordering>) -> bool {
        match self {
            Self::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
            Self::NotEqual => !order.is_some_and(std::cmp::Ordering::is_eq),
            Self::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Self::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
            Self::Like | Self::NotLike => false,
        }
    }
}

impl Pattern {
    /// The pattern that a text writes, with `\` before what stands for itself.
    fn of(text: &str) -> Self {
        let mut letters = text.chars();
        let mut glyphs = Vec::new();
        while let Some(letter) = letters.next() {
            glyphs.push(match letter {
                '*' => Glyph::Any,
                '?' => Glyph::AnyOne,
                '\\' => Glyph::One(letters.next().unwrap_or('\\')),
                other => Glyph::One(other),
            });
        }
        Self(glyphs)
    }

    /// The text, if it is the only one that fits.
    fn plain(&self) -> Option<String> {
        let letter = |glyph: &Glyph| if let Glyph::One(letter) = glyph { Some(*letter) } else { None };
        self.0.iter().map(letter).collect()
    }

    fn index(&self) -> Option<usize> {
        self.plain()?.parse().ok()
    }

    /// Whether a text fits: by going back to the last `*` alone, in time of the two lengths' product.
    fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut glyph, mut back) = (0, 0, None);
        while at < text.len() {
            match self.0.get(glyph) {
                Some(Glyph::Any) => {
                    back = Some((glyph + 1, at));
                    glyph += 1;
                }
                Some(Glyph::AnyOne) => (at, glyph) = (at + 1, glyph + 1),
                Some(Glyph::One(letter)) if *letter == text[at] => (at, glyph) = (at + 1, glyph + 1),
                Some(Glyph::One(_)) | None => {
                    let Some((after, from)) = back else { return false };
                    back = Some((after, from + 1));
                    (glyph, at) = (after, from + 1);
                }
            }
        }
        self.0.get(glyph..).unwrap_or_default().iter().all(|glyph| *glyph == Glyph::Any)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn holds(condition: &str) -> bool {
        let body = json!({
            "predictions": ["cat", "dog"],
            "instances": [{"modelId": "1", "size": 3}, {"modelId": 2, "size": null}],
            "scores": [0.2, 0.9],
            "flag": false,
            "al": {"c": 1},
            "a.b": {"c*": 1},
            "empty": [],
            "a name": 1,
        });
        Condition::parse(condition).unwrap().holds(&body)
    }

    #[test]
    fn a_condition_holds_where_its_path_finds_something() {
        for condition in [
            "predictions",
            "predictions.0",
            "predictions.#",
            "flag",
            "@this",
            "@this.predictions|1",
            "pred*s.1",
            "f?*g",
            "*l*.c*",
            "instances.?.size",
            r"a\.b.c\*",
            "empty.#",
            "empty.#.x",
            "[@this].#(predictions.0==\"cat\")",
            "[@this].#(predictions.0=cat)",
            "[@this].#(instances.0.modelId==\"1\")",
            "[@this].#(instances.1.modelId==\"2\")",
            "[predictions.9,scores].#(0<0.5)",
            "instances.#(modelId==2).size",
            "instances.#(size)#.modelId",
            "instances.#(size>5)#",
            "instances.#(size>5)#|#",
            "scores.#(>0.5)",
            "scores.#(<=0.2)",
            "predictions.#(%\"d*\")",
            "predictions.#(!%\"d*\")",
            "predictions.#(!=\"cat\")",
            "[@this].#(flag==false)",
            "[@this].#(predictions.#>1)",
            "[@this].#(instances.#(modelId==\"1\"))",
            "instances.#(size)#|1",
            "[@this].#(a name == 1 )",
        ] {
            // `?` in a path of a list is no index.
            assert_eq!(holds(condition), condition != "instances.?.size", "{condition}");
        }
    }

    #[test]
    fn a_condition_does_not_hold_where_its_path_finds_nothing() {
        for condition in [
            "labels",
            "predictions.2",
            "predictions.cat",
            "flag.x",
            "empty.0",
            "flag.#",
            "[@this].#(predictions.0==\"dog\")",
            "[@this].#(labels==\"dog\")",
            "[@this].#(labels!=\"dog\")",
            "instances.#(size>5)",
            "scores.#(>=1)",
            "scores.#(==\"x\")",
            "predictions.#(%\"e*\")",
            "predictions.#.x|0",
            "[@this].#(predictions==\"cat\")",
            "[@this].#(flag==true)",
            "instances.#(size==null)",
        ] {
            assert!(!holds(condition), "{condition}");
        }
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "abcd", false),
            ("*ab", "aab", true),
            ("a?", "a", false),
            ("**", "", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("", "", true),
        ] {
            assert_eq!(Pattern::of(pattern).fits(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_condition_is_stored_as_it_was_written() {
        let condition = Condition::parse("a.#(b==1)").unwrap();
        let stored = serde_json::to_value(&condition).unwrap();
        assert_eq!(stored, json!("a.#(b==1)"));
        assert_eq!(serde_json::from_value::<Condition>(stored).unwrap(), condition);
    }
}
