//! Takes a text of several YAML documents apart, at the lines that YAML itself takes for their ends,
//! so that an error in one does not hide those in others.

/// One document of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    /// Lines of the text before it.
    pub(super) lines_before: u32,
}

/// The documents of a text, including those without content.
///
/// A line that starts with `---` or `...`, alone or before white space, ends a document wherever it
/// stands: even inside a quoted or literal text, YAML forbids it to mean anything else.
pub(super) fn documents(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines_before = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, after) = rest.split_at(end_of_first(rest));
        let found = Part { text: part, lines_before };
        lines_before += u32::try_from(part.matches('\n').count()).unwrap_or(u32::MAX);
        rest = after;
        Some(found)
    })
}

/// Where the first document ends: before a `---` that is not its own start, or after a `...`.
fn end_of_first(text: &str) -> usize {
    let (mut end, mut has_begun) = (0, false);
    for line in text.split_inclusive('\n') {
        let starts_document = is_marker(line, "---");
        if starts_document && has_begun {
            return end;
        }
        has_begun |= starts_document || !is_preamble(line);
        end += line.len();
        if is_marker(line, "...") {
            return end;
        }
    }
    text.len()
}

/// Whether a line may stand before the `---` of a document: nothing, a comment or a directive.
fn is_preamble(line: &str) -> bool {
    line.starts_with('%') || line.trim_start().is_empty() || line.trim_start().starts_with('#')
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}
