//! Instances of V1 put together in one body, and the predictions for them taken apart.

use bytes::Bytes;
use provost_inference::protocol::json::{Cursor, JsonError};

/// The instances of a body that has nothing else, as they are written between their brackets, and how many they are. What
/// else a body says may be meant for its instances alone.
pub(crate) fn of_body(body: &Bytes) -> Option<(Bytes, usize)> {
    let mut found = None;
    let mut cursor = Cursor::new(body).ok()?;
    let read = cursor.object(|cursor, key| {
        if key != "instances" || found.is_some() {
            return Err(cursor.error("there is more than instances"));
        }
        let mut ahead = cursor.clone();
        let text = cursor.raw_with_nan()?;
        let mut count = 0;
        ahead.array(|cursor| {
            count += 1;
            cursor.raw_with_nan().map(drop)
        })?;
        found = Some((text, count));
        Ok::<_, JsonError>(())
    });
    read.and_then(|()| cursor.end()).ok()?;
    let (text, count) = found.filter(|(_, count)| *count > 0)?;
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    Some((body.slice_ref(inner.as_bytes()), count))
}

/// A body with all of them.
pub(crate) fn together<'a>(instances: impl Iterator<Item = &'a Bytes>) -> Vec<u8> {
    let mut body = b"{\"instances\":[".to_vec();
    for (index, each) in instances.enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(each);
    }
    body.extend_from_slice(b"]}");
    body
}

/// The predictions of an answer as they are written; `None` where it has none.
pub(crate) fn predictions(body: &[u8]) -> Option<Vec<&str>> {
    let mut predictions = None;
    let mut cursor = Cursor::new(body).ok()?;
    let read = cursor.object(|cursor, key| {
        if key != "predictions" {
            return cursor.raw_with_nan().map(drop);
        }
        let all = predictions.insert(Vec::new());
        cursor.array(|cursor| {
            all.push(cursor.raw_with_nan()?);
            Ok(())
        })
    });
    read.ok()?;
    predictions
}

/// How the answer to a request of a batch begins, before its `predictions`: as `KServe`'s agent writes it.
pub(crate) fn head(batch: &str) -> String {
    format!("{{\"message\":\"\",\"batchId\":\"{batch}\",")
}

/// The answer to one request of a batch.
pub(crate) fn answer(batch: &str, predictions: &[&str]) -> Vec<u8> {
    [head(batch).as_bytes(), b"\"predictions\":[", predictions.join(",").as_bytes(), b"]}"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(body: &'static str) -> Option<(String, usize)> {
        let (text, count) = of_body(&Bytes::from_static(body.as_bytes()))?;
        Some((String::from_utf8(text.to_vec()).unwrap(), count))
    }

    #[test]
    fn instances_are_put_together_as_they_are_written() {
        let both = [r#"{"instances": [[1, 2.50]]}"#, r#"{"instances":[{"a":"]"},NaN]}"#];
        let both: Vec<Bytes> =
            both.iter().map(|body| of_body(&Bytes::from_static(body.as_bytes())).unwrap().0).collect();
        let body = together(both.iter());
        assert_eq!(String::from_utf8(body).unwrap(), r#"{"instances":[[1, 2.50],{"a":"]"},NaN]}"#);
        assert_eq!(instances(r#"{"instances": [ [1], [2] ]}"#), Some((" [1], [2] ".to_owned(), 2)));
    }

    #[test]
    fn what_has_more_than_instances_is_none() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"instances":[]}"#,
            r#"{"instances":1}"#,
            r#"{"instances":[1],"instances":[1]}"#,
            r#"{"instances":[1],"signature_name":"a"}"#,
            r#"{"inputs":[1]}"#,
            r#"{"instances":[1]} x"#,
        ] {
            assert_eq!(instances(body), None, "{body}");
        }
    }

    #[test]
    fn predictions_are_taken_apart_as_they_are_written() {
        assert_eq!(
            predictions(br#"{"a":1,"predictions":[[0.50],{"b":[1,2]}]}"#).unwrap(),
            ["[0.50]", r#"{"b":[1,2]}"#]
        );
        assert_eq!(predictions(b"{}"), None);
        assert_eq!(predictions(b"<p>"), None);
        assert_eq!(predictions(br#"{"predictions":1}"#), None);
        let body = answer("id", &["[0.5]", "2"]);
        assert_eq!(String::from_utf8(body).unwrap(), r#"{"message":"","batchId":"id","predictions":[[0.5],2]}"#);
    }
}
