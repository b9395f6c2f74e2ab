"""KFServing's SDK of version 0.6.1: creates a service, waits, changes and deletes it, in both of its versions.

Arguments: the server's host and port, where two models are, and the classes that both answer. On a cluster, which
`KUBECONFIG` names, that is host and port of its gateway, and namespace and service account come after.
"""

import json
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from kfserving import (
    KFServingClient,
    V1alpha2EndpointSpec,
    V1alpha2InferenceService,
    V1alpha2InferenceServiceSpec,
    V1alpha2PredictorSpec,
    V1alpha2SKLearnSpec,
    V1beta1InferenceService,
    V1beta1InferenceServiceSpec,
    V1beta1PredictorSpec,
    V1beta1SKLearnSpec,
    V1beta1XGBoostSpec,
    constants,
)
from kubernetes import client
from services import ACCOUNT, IS_ON_CLUSTER, NAMESPACE, ROWS, expect_gone, kubeconfig, wait_for_shares

NEW = constants.KFSERVING_GROUP + "/" + constants.KFSERVING_V1BETA1_VERSION
OLD = constants.KFSERVING_GROUP + "/v1alpha2"


def connect(address):
    if IS_ON_CLUSTER:
        return KFServingClient()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(kubeconfig(address), file)
        file.flush()
        return KFServingClient(config_file=file.name)


def service(version, spec):
    metadata = client.V1ObjectMeta(name="iris", namespace=NAMESPACE)
    kind = V1alpha2InferenceService if version == OLD else V1beta1InferenceService
    return kind(api_version=version, kind="InferenceService", metadata=metadata, spec=spec)


def new(predictor):
    return service(NEW, V1beta1InferenceServiceSpec(predictor=predictor))


def boosted(uri, percent):
    model = V1beta1XGBoostSpec(storage_uri=uri)
    return V1beta1PredictorSpec(xgboost=model, canary_traffic_percent=percent, service_account_name=ACCOUNT)


def old(uri):
    predictor = V1alpha2PredictorSpec(sklearn=V1alpha2SKLearnSpec(storage_uri=uri), service_account_name=ACCOUNT)
    return service(OLD, V1alpha2InferenceServiceSpec(default=V1alpha2EndpointSpec(predictor=predictor)))


def predict(address, url):
    host = urllib.parse.urlsplit(url).netloc
    body = json.dumps({"instances": ROWS}).encode()
    request = urllib.request.Request("http://" + address + "/v1/models/iris:predict", body, {"Host": host})
    for attempt in range(100):
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)["predictions"]
        except urllib.error.HTTPError as error:
            # A gateway learns of a new route a little later.
            if error.code != 404 or attempt == 99:
                raise
            time.sleep(0.1)


def main():
    address, sklearn, xgboost, classes = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    kfserving = connect(address)
    first = V1beta1PredictorSpec(sklearn=V1beta1SKLearnSpec(storage_uri=sklearn), service_account_name=ACCOUNT)
    kfserving.create(new(first), watch=True, timeout_seconds=60)
    kfserving.wait_isvc_ready("iris", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1)
    url = kfserving.get("iris", namespace=NAMESPACE)["status"]["url"]
    assert predict(address, url) == classes

    second = boosted(xgboost, 20)
    kfserving.replace("iris", new(second), namespace=NAMESPACE)
    kfserving.wait_isvc_ready("iris", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1)
    wait_for_shares(kfserving, [80, 20])
    third = boosted(xgboost, 100)
    kfserving.patch("iris", new(third), namespace=NAMESPACE)
    kfserving.wait_isvc_ready("iris", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1)
    assert len(kfserving.get(namespace=NAMESPACE)["items"]) == 1
    kfserving.delete("iris", namespace=NAMESPACE)

    if IS_ON_CLUSTER:
        return  # A cluster has v1beta1 alone.
    kfserving.create(old(sklearn))
    kfserving.wait_isvc_ready("iris", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1, version="v1alpha2")
    # It watches in the newer version.
    kfserving.get("iris", namespace=NAMESPACE, watch=True, timeout_seconds=60)
    assert kfserving.is_isvc_ready("iris", namespace=NAMESPACE)
    stored = kfserving.get("iris", namespace=NAMESPACE, version="v1alpha2")
    assert stored["spec"]["default"]["predictor"]["sklearn"]["storageUri"] == sklearn, stored
    assert predict(address, stored["status"]["url"]) == classes
    kfserving.delete("iris", namespace=NAMESPACE, version="v1alpha2")
    expect_gone(kfserving)


main()
