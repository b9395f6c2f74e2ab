"""Seldon's own client, over REST and gRPC.

Arguments: the server's host and port, what the model answers, and the namespace, `default` where it is left out.
"""

import sys

import numpy as np
from seldon_core.seldon_client import SeldonClient
from seldon_core.utils import json_to_seldon_message

ROWS = np.array([[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]])


def numbers(data):
    if "tensor" in data:
        return np.array(data["tensor"]["values"]).reshape(data["tensor"]["shape"])
    return np.array(data["ndarray"])


def main():
    address, expected = sys.argv[1], np.array(eval(sys.argv[2])).reshape(2, 3)
    namespace = sys.argv[3] if len(sys.argv) > 3 else "default"
    for transport in ("rest", "grpc"):
        client = SeldonClient(
            gateway="istio",
            gateway_endpoint=address,
            transport=transport,
            namespace=namespace,
            deployment_name="iris",
            client_return_type="dict",
        )
        for payload in ("ndarray", "tensor"):
            answer = client.predict(data=ROWS, names=["a", "b", "c", "d"], payload_type=payload)
            assert answer.success, answer
            truth = json_to_seldon_message({"data": {"ndarray": [1, 2]}})
            told = client.feedback(None, json_to_seldon_message(answer.response), truth, 1.0)
            assert told.success, told
            data = answer.response["data"]
            assert payload in data and data["names"] == ["t:0", "t:1", "t:2"], data
            assert np.abs(numbers(data) - expected).max() <= 1e-12, data
            assert answer.response["meta"]["requestPath"] == {"classifier": "SKLEARN_SERVER"}, answer.response
        refused = client.predict(data=ROWS[:, :3], payload_type="ndarray")
        assert not refused.success, refused
        assert "the model takes 4 features" in refused.msg + str(refused.response), refused


main()
