//! Text of one document to its tree, within limits: an alias cannot make a small text large.

use serde_saphyr::{
    DuplicateKeyPolicy, Error, MessageFormatter as _, NonFiniteFloatPolicy, Options, UserMessageFormatter,
    alias_limits, budget, options,
};

use super::{
    DEPTH_MAX,
    document::{Node, Unplaced},
};

/// Values a document may have beyond its length in bytes, for what aliases repeat.
const REPEATED_VALUES_MAX: usize = 10_000;
/// Bytes of text a document may have beyond twice its length, for what aliases repeat.
const REPEATED_BYTES_MAX: usize = 64 * 1024;

/// Longest message about a text, which may quote from it.
const MESSAGE_MAX: usize = 200;

/// Why a text cannot be read. Lines and columns count from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) message: String,
}

/// Reads a document of YAML or JSON; null when it has no content.
pub(super) fn read(text: &str) -> Result<Node, SyntaxError> {
    let node = if text.trim_start().starts_with('{') { read_json_or_yaml(text)? } else { read_yaml(text)? };
    match node.depth() {
        depth if depth > DEPTH_MAX => Err(too_deep()),
        _ => Ok(node),
    }
}

/// A text that starts with a brace is JSON, unless only YAML can read it.
fn read_json_or_yaml(text: &str) -> Result<Node, SyntaxError> {
    serde_json::from_str(text).map(|Unplaced(node)| node).or_else(|error| {
        let is_json = text.trim_start().trim_start_matches('{').trim_start().starts_with('"');
        read_yaml(text).map_err(|yaml_error| if is_json { json_error(&error) } else { yaml_error })
    })
}

fn read_yaml(text: &str) -> Result<Node, SyntaxError> {
    serde_saphyr::from_str_with_options(text, limits(text.len())).map_err(|error| yaml_error(&error, text))
}

/// Limits in proportion to the text. Words are read as YAML 1.2 does, so that `off` and `yes` stay
/// words; octal numbers as kubectl does, so that `defaultMode: 0644` means what it means there.
fn limits(bytes: usize) -> Options {
    options! {
        budget: budget! {
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX + 1,
            max_events: 4 * bytes + 4 * REPEATED_VALUES_MAX,
            max_nodes: bytes + REPEATED_VALUES_MAX,
            max_total_scalar_bytes: 2 * bytes + REPEATED_BYTES_MAX,
            max_documents: 1,
        },
        alias_limits: alias_limits! { max_total_replayed_events: 2 * REPEATED_VALUES_MAX },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        legacy_octal_numbers: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

fn yaml_error(error: &Error, text: &str) -> SyntaxError {
    let place = error.location();
    let coordinate = |number: u64| u32::try_from(number).ok().filter(|number| *number > 0);
    let line = place.and_then(|place| coordinate(place.line()));
    let advice =
        if line.is_some_and(|line| is_indented_by_tab(text, line)) { "; indent with spaces, not tabs" } else { "" };
    SyntaxError {
        line,
        column: place.and_then(|place| coordinate(place.column())),
        message: format!("{}{advice}", yaml_message(error)),
    }
}

fn yaml_message(error: &Error) -> String {
    let message = match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("duplicate key `{key}`"),
        error => UserMessageFormatter.format_message(error).trim_end_matches('.').to_owned(),
    };
    message.chars().take(MESSAGE_MAX).collect()
}

fn json_error(error: &serde_json::Error) -> SyntaxError {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    SyntaxError {
        line: u32::try_from(error.line()).ok(),
        column: u32::try_from(error.column()).ok(),
        message: message.to_owned(),
    }
}

fn too_deep() -> SyntaxError {
    SyntaxError { line: None, column: None, message: format!("lists and maps are nested more than {DEPTH_MAX} deep") }
}

fn is_indented_by_tab(text: &str, line: u32) -> bool {
    let line = text.lines().nth(line as usize - 1).unwrap_or_default();
    line.chars().take_while(|letter| letter.is_whitespace()).any(|letter| letter == '\t')
}
