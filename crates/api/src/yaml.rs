//! Writing YAML.

use serde::Serialize;

/// A value as YAML, with its keys in their order.
pub fn to_yaml(value: &impl Serialize) -> String {
    // Values that came from JSON always have a form in YAML.
    serde_saphyr::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn texts_that_look_like_something_else_are_quoted() {
        let value = json!({"b": ["off", "1", "null", "a: b", "", "-", "x\ny"], "a": {"n": 1, "f": 0.5, "t": true, "e": {}, "l": []}});
        let read: Value = serde_saphyr::from_str(&to_yaml(&value)).unwrap();
        assert_eq!(read, value, "{}", to_yaml(&value));
        assert!(to_yaml(&value).starts_with("b:"));
    }
}
