//! Configuration: a TOML file under an environment, and the units values are written in.

mod secret;

use std::{fmt, path::Path, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use toml::{Table, Value};

pub use secret::Secret;

/// What names of environment variables start with; sections and keys follow, as in
/// `PROVOST_GATEWAY__BODY_MAX`.
const PREFIX: &str = "PROVOST_";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{path}`")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML, or a key or value is wrong.
    #[error("the configuration is wrong: {0}")]
    Content(String),
}

/// Reads the configuration from `file`, if any, with the variables of `environment` over it.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let mut table = match file {
        None => Table::new(),
        Some(path) => {
            let shown = path.display().to_string();
            let text =
                std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
            text.parse().map_err(|error| ConfigError::Content(format!("`{shown}`: {error}")))?
        }
    };
    for (name, text) in environment {
        overlay(&mut table, &name, &text)?;
    }
    table.try_into().map_err(|error: toml::de::Error| ConfigError::Content(error.to_string()))
}

/// Sets the key that a variable names. Variables without a section are not configuration.
fn overlay(table: &mut Table, name: &str, text: &str) -> Result<(), ConfigError> {
    let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|name| name.split_once("__")) else { return Ok(()) };
    let kebab = |name: &str| name.to_lowercase().replace('_', "-");
    let section = table.entry(kebab(section)).or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(section) = section else {
        return Err(ConfigError::Content(format!("`{name}` names no section of the configuration")));
    };
    section.insert(kebab(key), parse_value(text));
    Ok(())
}

/// A value as TOML writes it, or else a text.
fn parse_value(text: &str) -> Value {
    let parsed = format!("v = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("v"));
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A length of time, written as `250ms`, `5s`, `10m`, `2h` or `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// A number of bytes, written as `512KiB`, `64MiB`, `10GiB`, or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const PERIODS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZES: [(&str, u64); 5] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1)];

fn parse_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = units.iter().find(|(name, _)| *name == unit.trim())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn write_unit(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let fits = |(_, factor): &&(&str, u64)| value.is_multiple_of(*factor) && value >= *factor;
    match units.iter().filter(fits).max_by_key(|(_, factor)| *factor) {
        Some((unit, factor)) => write!(f, "{}{unit}", value / factor),
        None => write!(f, "{value}{}", units.iter().min_by_key(|(_, factor)| *factor).map_or("", |(unit, _)| unit)),
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let millis = parse_unit(text, &PERIODS);
        millis
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(|| format!("`{text}` is not a length of time: write a number with ms, s, m, h or d, as in 5s"))
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = parse_unit(text, &SIZES);
        size.map(Self)
            .ok_or_else(|| format!("`{text}` is not a size: write a number with B, KiB, MiB, GiB or TiB, as in 64MiB"))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unit(f, u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), &PERIODS)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_unit(f, self.0, &SIZES)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(bytes) => Ok(Self(bytes)),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+ ?(ms|s|m|h|d)$", "description": "A length of time, as 5s." })
    }
}

impl JsonSchema for ByteSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)$",
            "description": "A number of bytes, as 64MiB.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Section {
        body_max: ByteSize,
        timeout: Period,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        gateway: Section,
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provost.toml");
        std::fs::write(&path, "[gateway]\nbody-max = '1KiB'\ntimeout = '5s'\n").unwrap();
        let environment = [("PROVOST_GATEWAY__BODY_MAX", "64MiB"), ("PROVOST_TOKEN", "x"), ("HOME", "/")];
        let environment = environment.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let config: Config = load(Some(&path), environment).unwrap();
        assert_eq!(config.gateway, Section { body_max: ByteSize(64 << 20), timeout: Period(Duration::from_secs(5)) });
    }

    #[track_caller]
    fn check_error(content: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provost.toml");
        std::fs::write(&path, content).unwrap();
        let error = load::<Config>(Some(&path), []).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn errors_name_the_key_and_say_what_to_write() {
        check_error("[gateway]\nbody-max = 1\ntimeout = '5 years'\n", "write a number with ms, s, m, h or d, as in 5s");
        check_error("[gateway]\nbody-max = '1 GB'\ntimeout = '5s'\n", "64MiB");
        check_error("[gateway]\nbody_max = 1\n", "body_max");
        check_error("[gateway\n", "provost.toml");
    }

    #[test]
    fn units_survive_writing_and_reading() {
        for text in ["0ms", "250ms", "90s", "2m", "36h", "30d"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in ["0B", "1000B", "512KiB", "64MiB", "10GiB"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
    }
}
