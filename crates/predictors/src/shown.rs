//! Text from a model file, made fit for a message.

/// Longest text from a file in a message, in characters.
const MAX_CHARACTERS: usize = 120;

/// The text without control characters and cut to a bounded length.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.escape_debug().take(MAX_CHARACTERS).collect();
    if text.escape_debug().nth(MAX_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_control_characters_and_a_bounded_length() {
        assert_eq!(shown("sétosa"), "sétosa");
        let long = shown(&format!("a\nb\u{1b}[31m{}", "x".repeat(1000)));
        assert!(long.chars().count() == 121 && long.chars().all(|c| !c.is_control()), "{long}");
    }
}
