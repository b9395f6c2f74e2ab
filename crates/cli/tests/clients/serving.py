"""TensorFlow Serving's stubs, gRPC's health check, and a client that knows of services by reflection alone.

Arguments: the server's host and port, what the model answers, and the namespace, `default` where it is left out.
"""

import json
import sys
import urllib.request

import grpc
import numpy as np
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import MessageFactory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

ROWS = np.array([[6.8, 2.8, 4.8, 1.4], [6.1, 3.4, 4.5, 1.6]])
MODEL = "classifier"
NAMESPACE = sys.argv[3] if len(sys.argv) > 3 else "default"


def fill(tensor, values, dtype, as_bytes):
    tensor.dtype = dtype
    for size in values.shape:
        tensor.tensor_shape.dim.add(size=size)
    if as_bytes:
        tensor.tensor_content = values.tobytes()
    elif dtype == types_pb2.DT_FLOAT:
        tensor.float_val.extend(values.ravel())
    else:
        tensor.double_val.extend(values.ravel())


def numbers(tensor):
    return np.array(tensor.double_val).reshape([dim.size for dim in tensor.tensor_shape.dim])


def expect_refusal(ask, code, words):
    try:
        ask()
    except grpc.RpcError as error:
        assert error.code() == code and words in error.details(), (error.code(), error.details())
    else:
        raise AssertionError(f"it was not refused: {words}")


def predict(stub, model, values, dtype, as_bytes):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    fill(request.inputs["inputs"], values, dtype, as_bytes)
    return stub.Predict(request, timeout=10)


def over_rest(address):
    body = json.dumps({"instances": ROWS.tolist()}).encode()
    with urllib.request.urlopen(f"http://{address}/v1/models/{MODEL}:predict", body) as reply:
        return np.array(json.load(reply)["predictions"])


def check_predictions(stub, address, expected):
    for dtype, kind, tolerance in ((types_pb2.DT_DOUBLE, np.float64, 1e-12), (types_pb2.DT_FLOAT, np.float32, 1e-6)):
        for as_bytes in (False, True):
            answer = predict(stub, MODEL, ROWS.astype(kind), dtype, as_bytes)
            got = numbers(answer.outputs["predict_proba"])
            assert got.shape == (2, 3) and np.abs(got - expected).max() <= tolerance, got
            assert answer.model_spec.name == MODEL and answer.model_spec.version.value == 1, answer.model_spec
            if dtype == types_pb2.DT_DOUBLE:
                assert (got == over_rest(address)).all(), got
    expect_refusal(
        lambda: predict(stub, MODEL, ROWS[:, :3].copy(), types_pb2.DT_DOUBLE, True),
        grpc.StatusCode.INVALID_ARGUMENT,
        "the model takes 4 features",
    )
    expect_refusal(
        lambda: predict(stub, "nothing", ROWS, types_pb2.DT_DOUBLE, True),
        grpc.StatusCode.NOT_FOUND,
        "`nothing`",
    )


def check_examples(stub, expected):
    def of(request):
        request.model_spec.name = MODEL
        for row in ROWS:
            example = request.input.example_list.examples.add()
            example.features.feature["x"].float_list.value.extend(row)
        return request

    answer = stub.Classify(of(classification_pb2.ClassificationRequest()), timeout=10)
    for row, classes in zip(expected, answer.result.classifications, strict=True):
        assert [one.label for one in classes.classes] == ["0", "1", "2"], classes
        assert np.abs(np.array([one.score for one in classes.classes]) - row).max() <= 1e-6, classes
    expect_refusal(
        lambda: stub.Regress(of(regression_pb2.RegressionRequest()), timeout=10),
        grpc.StatusCode.INVALID_ARGUMENT,
        "not one number for each example",
    )


def check_descriptions(channel, stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = MODEL
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert stub.GetModelMetadata(request, timeout=10).metadata["signature_def"].Unpack(signatures)
    default = signatures.signature_def["serving_default"]
    assert default.method_name == "tensorflow/serving/predict", default
    assert [dim.size for dim in default.outputs["predict_proba"].tensor_shape.dim] == [-1, 3], default
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    status = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, timeout=10)
    assert [(one.version, one.state) for one in status.model_version_status] == [
        (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    ], status
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert health.status == health_pb2.HealthCheckResponse.SERVING, health


def check_reflection(channel, expected):
    """Predicts in Seldon's protocol with nothing but what the server tells of its messages."""
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    assert {"seldon.protos.Seldon", "tensorflow.serving.PredictionService"} <= services, services
    pool = DescriptorPool(database)
    method = pool.FindServiceByName("seldon.protos.Seldon").FindMethodByName("Predict")
    message = MessageFactory(pool).GetPrototype(method.input_type)
    request = message()
    fill(request.data.tftensor, ROWS, types_pb2.DT_DOUBLE, as_bytes=True)
    call = channel.unary_unary(
        "/seldon.protos.Seldon/Predict",
        request_serializer=message.SerializeToString,
        response_deserializer=message.FromString,
    )
    answer = call(request, timeout=10, metadata=(("seldon", "iris"), ("namespace", NAMESPACE)))
    assert np.abs(numbers(answer.data.tftensor) - expected).max() <= 1e-12, answer


def main():
    address, expected = sys.argv[1], np.array(eval(sys.argv[2])).reshape(2, 3)
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        check_predictions(stub, address, expected)
        check_examples(stub, expected)
        check_descriptions(channel, stub)
        check_reflection(channel, expected)


main()
