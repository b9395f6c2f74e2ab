"""NVIDIA's client, over HTTP (JSON and binary tensors) and gRPC. Arguments: the server's host and port."""

import sys

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

ROWS = np.array([[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]])
MODEL = "classifier"


def expect_refusal(ask, words):
    try:
        ask()
    except InferenceServerException as error:
        assert words in error.message(), error.message()
    else:
        raise AssertionError(f"it was not refused: {words}")


def infer(client, library, datatype, values, **options):
    tensor = library.InferInput("x", values.shape, datatype)
    tensor.set_data_from_numpy(values, **options)
    return client.infer(MODEL, [tensor], request_id="mine")


def check(answer, expected, tolerance):
    got = answer.as_numpy("predict_proba")
    assert got.dtype == np.float64 and got.shape == (2, 3), (got.dtype, got.shape)
    assert np.abs(got - expected).max() <= tolerance, got


def main():
    address, expected = sys.argv[1], np.array(eval(sys.argv[2])).reshape(2, 3)
    single = ROWS.astype(np.float32)

    client = triton_http.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    metadata = client.get_model_metadata(MODEL)
    assert metadata["outputs"][0]["shape"] == [-1, 3], metadata
    index = client.get_model_repository_index()
    assert [(model["name"], model["state"]) for model in index] == [(MODEL, "READY")], index
    client.load_model(MODEL)
    expect_refusal(lambda: client.unload_model(MODEL), "delete the deployment")
    output = triton_http.InferRequestedOutput("predict_proba", binary_data=False)
    tensor = triton_http.InferInput("x", ROWS.shape, "FP64")
    tensor.set_data_from_numpy(ROWS)
    check(client.infer(MODEL, [tensor], outputs=[output]), expected, 1e-12)
    for binary in (False, True):
        check(infer(client, triton_http, "FP64", ROWS, binary_data=binary), expected, 1e-12)
        check(infer(client, triton_http, "FP32", single, binary_data=binary), expected, 1e-6)
    expect_refusal(lambda: client.get_model_metadata("nothing"), "`nothing`")
    expect_refusal(lambda: infer(client, triton_http, "FP64", ROWS[:, :3].copy()), "the model takes 4 features")

    client = triton_grpc.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    assert client.get_model_metadata(MODEL).outputs[0].shape == [-1, 3]
    index = client.get_model_repository_index().models
    assert [(model.name, model.state) for model in index] == [(MODEL, "READY")], index
    client.load_model(MODEL)
    expect_refusal(lambda: client.unload_model(MODEL), "delete the deployment")
    answer = infer(client, triton_grpc, "FP64", ROWS)
    assert answer.get_response().id == "mine"
    check(answer, expected, 1e-12)
    check(infer(client, triton_grpc, "FP32", single), expected, 1e-6)
    expect_refusal(lambda: client.get_model_metadata("nothing"), "`nothing`")
    expect_refusal(lambda: infer(client, triton_grpc, "FP64", ROWS[:, :3].copy()), "the model takes 4 features")


main()
