"""What scripts of KServe's and KFServing's SDKs share; both of their Pythons read it."""

import sys
import time

ROWS = [[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]]
# On a cluster, which `KUBECONFIG` names, namespace and service account are arguments.
IS_ON_CLUSTER = bool(sys.argv[5:])
NAMESPACE, ACCOUNT = sys.argv[5:] or ("default", None)


def kubeconfig(address):
    context = {"name": "provost", "context": {"cluster": "provost", "user": "anyone"}}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "provost",
        "clusters": [{"name": "provost", "cluster": {"server": "http://" + address}}],
        "users": [{"name": "anyone", "user": {}}],
        "contexts": [context],
    }


def wait_for_shares(client, expected):
    """On a cluster a service goes on being ready until what was asked of it last is seen."""
    for _ in range(600):
        status = client.get("iris", namespace=NAMESPACE)["status"]
        traffic = [share["percent"] for share in status["components"]["predictor"]["traffic"]]
        if traffic == expected:
            return
        time.sleep(0.1)
    raise AssertionError("{} in place of {}".format(traffic, expected))


def expect_gone(client):
    try:
        client.get("iris", namespace=NAMESPACE)
    except RuntimeError as gone:
        assert "NotFound" in str(gone), gone
    else:
        raise AssertionError("the service is there after it was deleted")
