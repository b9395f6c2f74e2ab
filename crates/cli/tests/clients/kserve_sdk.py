"""KServe's SDK: creates a service, waits, predicts over V1, V2 and gRPC, through a graph, too, changes and deletes it.

Arguments: the server's host and port, where two models are, and the classes that both answer. On a cluster, which
`KUBECONFIG` names, that is host and port of its gateway, and namespace and service account come after.
"""

import asyncio
import json
import sys
import time

import httpx
from kserve import (
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
    KServeClient,
    RESTConfig,
    V1alpha1InferenceGraph,
    V1alpha1InferenceGraphSpec,
    V1alpha1InferenceRouter,
    V1alpha1InferenceStep,
    V1beta1InferenceService,
    V1beta1InferenceServiceSpec,
    V1beta1ModelFormat,
    V1beta1ModelSpec,
    V1beta1PredictorSpec,
    constants,
)
from kubernetes import client
from services import ACCOUNT, IS_ON_CLUSTER, NAMESPACE, ROWS, expect_gone, kubeconfig, wait_for_shares


def service(model_format, uri, percent=None):
    model = V1beta1ModelSpec(model_format=V1beta1ModelFormat(name=model_format), storage_uri=uri)
    predictor = V1beta1PredictorSpec(model=model, canary_traffic_percent=percent, service_account_name=ACCOUNT)
    return V1beta1InferenceService(
        api_version=constants.KSERVE_V1BETA1,
        kind="InferenceService",
        metadata=client.V1ObjectMeta(name="iris", namespace=NAMESPACE),
        spec=V1beta1InferenceServiceSpec(predictor=predictor),
    )


async def predict(address, host, classes):
    base, headers = f"http://{address}", {"Host": host}
    for protocol in ("v1", "v2"):
        rest = InferenceRESTClient(RESTConfig(protocol=protocol, timeout=30))
        assert await rest.is_model_ready(base, "iris", headers=headers)
        if protocol == "v1":
            answer = await rest.infer(base, {"instances": ROWS}, model_name="iris", headers=headers)
            assert answer["predictions"] == classes, answer
            continue
        assert await rest.is_server_live(base, headers=headers)
        assert await rest.is_server_ready(base, headers=headers)
        for use_binary in (False, True):
            tensor = InferInput(name="x", shape=[2, 4], datatype="FP64")
            if use_binary:
                import numpy as np

                tensor.set_data_from_numpy(np.array(ROWS), binary_data=True)
            else:
                tensor.data = [value for row in ROWS for value in row]
            request = InferRequest(model_name="iris", infer_inputs=[tensor])
            answer = await rest.infer(base, request, model_name="iris", headers=headers)
            assert list(answer.outputs[0].as_numpy().flatten()) == classes, answer.outputs
    grpc = InferenceGRPCClient(address, channel_args=[("grpc.default_authority", host)])
    assert await grpc.is_server_live() and await grpc.is_server_ready() and await grpc.is_model_ready("iris")
    tensor = InferInput(name="x", shape=[2, 4], datatype="FP64", data=[value for row in ROWS for value in row])
    answer = await grpc.infer(InferRequest(model_name="iris", infer_inputs=[tensor]))
    assert list(answer.outputs[0].as_numpy().flatten()) == classes, answer
    await grpc.close()


def wait_for_gateway(address, host):
    """A gateway learns of a new route a little later."""
    for _ in range(100):
        if httpx.get(f"http://{address}/v1/models/iris", headers={"Host": host}).status_code == 200:
            return
        time.sleep(0.1)
    raise AssertionError("the gateway knows no route")


def call_through_graph(kserve, address, classes):
    steps = [V1alpha1InferenceStep(name=name, service_name="iris") for name in ("one", "two")]
    graph = V1alpha1InferenceGraph(
        api_version="serving.kserve.io/v1alpha1",
        kind="InferenceGraph",
        metadata=client.V1ObjectMeta(name="flow", namespace=NAMESPACE),
        spec=V1alpha1InferenceGraphSpec(nodes={"root": V1alpha1InferenceRouter(router_type="Ensemble", steps=steps)}),
    )
    kserve.create_inference_graph(graph)
    kserve.wait_ig_ready("flow", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1)
    url = kserve.get_inference_graph("flow", namespace=NAMESPACE)["status"]["url"]
    host = url.removeprefix("http://").rstrip("/")
    answer = httpx.post(f"http://{address}/", json={"instances": ROWS}, headers={"Host": host})
    assert answer.json() == {name: {"predictions": classes} for name in ("one", "two")}, answer.text
    kserve.delete_inference_graph("flow", namespace=NAMESPACE)


def main():
    address, sklearn, xgboost, classes = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    kserve = KServeClient() if IS_ON_CLUSTER else KServeClient(config_dict=kubeconfig(address))
    kserve.create(service("sklearn", sklearn), watch=True, timeout_seconds=60)
    kserve.wait_isvc_ready("iris", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1)
    url = kserve.get("iris", namespace=NAMESPACE)["status"]["url"]
    host = url.removeprefix("http://")
    wait_for_gateway(address, host)
    asyncio.run(predict(address, host, classes))

    body = {"instances": ROWS}
    answer = httpx.post(f"http://{address}/v1/models/iris:predict", json=body, headers={"Host": host})
    assert answer.json() == {"predictions": classes}, answer.text

    if not IS_ON_CLUSTER:  # Graphs are not on clusters yet.
        call_through_graph(kserve, address, classes)
    kserve.replace("iris", service("xgboost", xgboost, percent=20), namespace=NAMESPACE)
    kserve.wait_isvc_ready("iris", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1)
    wait_for_shares(kserve, [80, 20])
    kserve.patch("iris", service("xgboost", xgboost, percent=100), namespace=NAMESPACE)
    kserve.wait_isvc_ready("iris", namespace=NAMESPACE, timeout_seconds=60, polling_interval=1)
    assert len(kserve.get(namespace=NAMESPACE)["items"]) == 1
    kserve.delete("iris", namespace=NAMESPACE)
    expect_gone(kserve)


main()
