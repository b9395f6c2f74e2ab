//! What the pod-security level `restricted` asks for, where the user says nothing of it.

use serde_json::{Map, Value, json};

use super::merge::fill;

/// Makes a container secure as far as its user does not say otherwise.
pub(super) fn secure(container: &mut Map<String, Value>) {
    let security = container.entry("securityContext").or_insert(Value::Null);
    // Kubernetes refuses what is privileged and must not gain privileges.
    if security["privileged"] != true {
        fill(security, json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}));
    }
    allow_root(security);
}

/// Makes pods secure as far as their user does not say otherwise.
pub(super) fn secure_pod(security: &mut Value, user_id: i64) {
    allow_root(security);
    fill(
        security,
        json!({
            "runAsNonRoot": true,
            "runAsUser": user_id,
            "fsGroup": user_id,
            "seccompProfile": {"type": "RuntimeDefault"},
        }),
    );
}

/// Who asks for root would be refused by what pods say.
fn allow_root(security: &mut Value) {
    if security["runAsUser"] == 0 {
        fill(security, json!({"runAsNonRoot": false}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_restricted_but_for_what_its_user_says() {
        let restricted = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
        for (written, expected) in [
            (json!({}), restricted.clone()),
            (json!({"securityContext": null}), restricted),
            (
                json!({"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}}),
                json!({"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}, "allowPrivilegeEscalation": false}),
            ),
            (json!({"securityContext": {"privileged": true}}), json!({"privileged": true})),
            (
                json!({"securityContext": {"runAsUser": 0, "allowPrivilegeEscalation": true, "capabilities": {"drop": []}}}),
                json!({"runAsUser": 0, "allowPrivilegeEscalation": true, "capabilities": {"drop": []}, "runAsNonRoot": false}),
            ),
        ] {
            let mut container = written.as_object().unwrap().clone();
            secure(&mut container);
            assert_eq!(container["securityContext"], expected, "{written}");
        }
    }
}
