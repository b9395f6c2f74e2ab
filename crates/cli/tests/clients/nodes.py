"""Programs made with Seldon's Python wrapper as nodes of a graph. Runs in a network namespace of its own, since the wrapper
listens everywhere. Arguments: the program `provost`, and the program `seldon-core-microservice`."""

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SERVER = "http://127.0.0.1:8000"
UNITS = {"Sum": "MODEL", "Double": "TRANSFORMER", "Choose": "ROUTER", "Merge": "COMBINER", "Shift": "OUTPUT_TRANSFORMER"}


def raise_loopback():
    """A new network namespace has its loopback down: SIOCSIFFLAGS with IFF_UP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 1))


def post(path, body):
    request = urllib.request.Request(SERVER + path, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def eventually(check, what):
    deadline = time.monotonic() + 60
    while True:
        try:
            if check():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def node(name, children=()):
    index = list(UNITS).index(name)
    endpoint = {"service_host": "127.0.0.1", "httpPort": 9000 + index, "grpcPort": 9500 + index}
    return {"name": name.lower(), "type": UNITS[name], "endpoint": endpoint, "children": list(children)}


def start(microservice, folder):
    for index, (name, kind) in enumerate(UNITS.items()):
        environment = dict(os.environ)
        environment.update(
            PREDICTIVE_UNIT_HTTP_SERVICE_PORT=str(9000 + index),
            PREDICTIVE_UNIT_GRPC_SERVICE_PORT=str(9500 + index),
            PREDICTIVE_UNIT_METRICS_SERVICE_PORT=str(6000 + index),
            PREDICTIVE_UNIT_ID=name.lower(),
            PREDICTIVE_UNIT_IMAGE=f"{name.lower()}:0.1",
            GUNICORN_WORKERS="1",
        )
        # The wrapper has one service for both kinds of transformers.
        service = "TRANSFORMER" if kind == "OUTPUT_TRANSFORMER" else kind
        command = [sys.executable, microservice, f"units.{name}", "--service-type", service]
        yield subprocess.Popen(command, cwd=folder, env=environment, stdout=sys.stderr)


def predict(rows, tags=None):
    body = {"data": {"ndarray": rows}, "meta": {"puid": "p", "tags": tags or {}}}
    return post("/seldon/default/graph/api/v1.0/predictions", body)


def check():
    # The first number is not above 10: doubled, then summed; and a sum with 100 added.
    status, answer = predict([[1.0, 2.5]])
    assert status == 200, answer
    assert answer["data"]["ndarray"] == [[7.0, 103.5]], answer
    meta = answer["meta"]
    assert meta["puid"] == "p" and meta["routing"] == {"choose": 0} and meta["tags"]["sum"], answer
    path = {name: f"{name}:0.1" for name in ("choose", "merge", "double", "sum", "shift")}
    # One program is two nodes, and tells one name.
    assert meta["requestPath"] == path, answer
    assert [metric["key"] for metric in meta["metrics"]] == ["rows_seen", "rows_seen"], answer
    # Above 10 the other child answers.
    status, answer = predict([[11.0, 2.5]])
    assert (status, answer["data"]["ndarray"]) == (200, [[13.5]]), answer
    # What the wrapper refuses is the caller's.
    status, answer = predict([["a", 1]])
    assert status == 500, (status, answer)
    with urllib.request.urlopen(SERVER + "/metrics") as text:
        measured = [line for line in text.read().decode().splitlines() if line.startswith("rows_seen_total{")]
    assert len(measured) == 3 and all('model_image=""' in line for line in measured), measured
    # Feedback goes the way of its request; the wrapper answers with nothing.
    feedback = {"reward": 1.0, "response": {"meta": {"puid": "p", "routing": {"choose": 1}}}}
    status, answer = post("/seldon/default/graph/api/v1.0/feedback", feedback)
    assert status == 200 and "choose" in answer["meta"]["requestPath"], (status, answer)


def apply(provost, folder, transport):
    other = {**node("Sum"), "name": "other"}
    merge = node("Merge", [node("Double", [node("Sum")]), node("Shift", [other])])
    plain = {**node("Sum"), "name": "plain"}
    manifest = {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {"name": "graph", "namespace": "default"},
        "spec": {"transport": transport, "predictors": [{"name": "main", "graph": node("Choose", [merge, plain])}]},
    }
    applied = subprocess.run([provost, "apply", "--data-dir", folder, "-f", "-"], input=json.dumps(manifest).encode())
    assert applied.returncode == 0
    waited = subprocess.run([provost, "wait", "sdep/graph", "--for", "condition=Ready", "--data-dir", folder])
    assert waited.returncode == 0


def main():
    provost, microservice = sys.argv[1:]
    raise_loopback()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(os.path.dirname(__file__), "units.py"), folder)
        programs = list(start(microservice, folder))
        programs.append(subprocess.Popen([provost, "serve", "--data-dir", folder], stdout=sys.stderr))
        try:
            eventually(lambda: urllib.request.urlopen(SERVER + "/-/live").status == 200, "the server starts")
            for transport in ("rest", "grpc"):
                apply(provost, folder, transport)
                eventually(lambda: predict([[1.0, 2.5]])[0] == 200, f"the graph answers over {transport}")
                check()
        finally:
            for program in programs:
                program.kill()
                program.wait()


main()
