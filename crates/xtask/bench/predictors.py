"""Train the models that the predictors are measured with, and time their libraries.

    python predictors.py train --out DIR
    python predictors.py time --models DIR --only NAME

30 features, two classes with noise, made from seeds. `train` writes DIR/<name>.<ending>,
what the library answers to all rows as DIR/<name>.f64, the rows as DIR/rows.f64, and
DIR/models.json. `time` prints a line of JSON a number of rows. Input is an array that
is ready, and everything has one thread.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import itertools
import json
import time

import joblib
import numpy as np

FEATURES = 30
ASKED_ROWS = 10_000
# Rows of a call, and calls a sample, so that reading the clock does not count.
BLOCKS = ((1, 20), (1_000, 1), (10_000, 1))
# Of one number of rows, in one turn.
SECONDS = 0.5
SAMPLES_MIN = 3


def data(rows, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, FEATURES))
    score = X[:, :8].sum(axis=1) + 2 * X[:, 8] * X[:, 9] + random.normal(scale=1.5, size=rows)
    return X, (score > 0).astype(np.int64)


def forest(path):
    from sklearn.ensemble import RandomForestClassifier

    joblib.dump(RandomForestClassifier(100, random_state=0).fit(*data(10_000, seed=0)), path)


def boosting(path):
    from sklearn.ensemble import HistGradientBoostingClassifier

    joblib.dump(HistGradientBoostingClassifier(random_state=0).fit(*data(10_000, seed=0)), path)


def lightgbm_text(path):
    from lightgbm import LGBMClassifier

    LGBMClassifier(verbose=-1, n_jobs=1, random_state=0).fit(*data(10_000, seed=0)).booster_.save_model(path)


def xgboost_ubj(path):
    from xgboost import XGBClassifier

    XGBClassifier(n_jobs=1, random_state=0).fit(*data(10_000, seed=0)).save_model(path)


def support_vectors(path):
    from sklearn.svm import SVC

    joblib.dump(SVC().fit(*data(3_000, seed=0)), path)


def neighbors(path):
    from sklearn.neighbors import KNeighborsClassifier

    joblib.dump(KNeighborsClassifier().fit(*data(3_000, seed=0)), path)


def scikit_learn_call(path, method):
    return getattr(joblib.load(path), method)


def lightgbm_call(path, method):
    import lightgbm

    booster = lightgbm.Booster(model_file=path)
    return lambda X: booster.predict(X, num_threads=1)


def xgboost_call(path, method):
    import xgboost

    booster = xgboost.Booster({"nthread": 1}, model_file=path)
    # Without the making of a DMatrix: the faster of its two calls.
    return booster.inplace_predict


def onnx_call(path, method):
    import onnxruntime
    from skl2onnx import to_onnx

    model = joblib.load(path)
    example = np.zeros((1, FEATURES), dtype=np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    text = to_onnx(model, example, options={"zipmap": False}).SerializeToString()
    session = onnxruntime.InferenceSession(text, options, providers=["CPUExecutionProvider"])
    return lambda X: session.run(["probabilities"], {"X": X})[0]


# `tolerance` is to the library's answers: XGBoost's are single precision, other sums are in another order.
MODELS = {
    "rf": dict(file="rf.joblib", method="predict_proba", tolerance=1e-12, train=forest),
    "hgb": dict(file="hgb.joblib", method="predict_proba", tolerance=1e-12, train=boosting),
    "lgb": dict(file="lgb.txt", method="predict_proba", tolerance=1e-12, train=lightgbm_text),
    "xgb": dict(file="xgb.ubj", method="predict_proba", tolerance=1e-6, train=xgboost_ubj),
    "svc": dict(file="svc.joblib", method="decision_function", tolerance=1e-9, train=support_vectors),
    "knn": dict(file="knn.joblib", method="predict_proba", tolerance=1e-12, train=neighbors),
}
# Of a model, the first is its own library, whose answers count.
CALLS = {
    "rf": {"scikit-learn": scikit_learn_call, "onnxruntime": onnx_call},
    "hgb": {"scikit-learn": scikit_learn_call},
    "lgb": {"lightgbm": lightgbm_call},
    "xgb": {"xgboost": xgboost_call},
    "svc": {"scikit-learn": scikit_learn_call},
    "knn": {"scikit-learn": scikit_learn_call},
}


def train(out):
    os.makedirs(out, exist_ok=True)
    rows, _ = data(ASKED_ROWS, seed=1)
    rows.astype("<f8").tofile(os.path.join(out, "rows.f64"))
    for name, model in MODELS.items():
        path = os.path.join(out, model["file"])
        model["train"](path)
        own_library = next(iter(CALLS[name].values()))
        answers = own_library(path, model["method"])(rows)
        answers.astype("<f8").tofile(os.path.join(out, f"{name}.f64"))
    index = {name: {key: model[key] for key in ("file", "method", "tolerance")} for name, model in MODELS.items()}
    with open(os.path.join(out, "models.json"), "w") as file:
        json.dump({"features": FEATURES, "models": index}, file, indent=1)


def nanoseconds_of_calls(call, blocks, calls):
    """CPU time, so that what else the machine does does not count. Each call asks about other rows, as users do."""
    call(blocks[0])
    blocks, end, samples = itertools.cycle(blocks), time.perf_counter() + SECONDS, []
    while time.perf_counter() < end or len(samples) < SAMPLES_MIN:
        start = time.process_time_ns()
        for block in itertools.islice(blocks, calls):
            call(block)
        samples.append((time.process_time_ns() - start) / calls)
    return samples


def check(call, rows, expected, tolerance):
    """A few rows of a single-precision peer may pass a threshold on the other side."""
    far = np.abs(call(rows).ravel() - expected) > tolerance
    assert far.mean() <= 0.001, f"{far.sum()} answers are others"


def version(library):
    return __import__(library.replace("scikit-learn", "sklearn")).__version__


def time_libraries(folder, name):
    model = MODELS[name]
    rows = np.fromfile(os.path.join(folder, "rows.f64"), dtype="<f8").reshape(-1, FEATURES)
    expected = np.fromfile(os.path.join(folder, f"{name}.f64"), dtype="<f8")
    for library, load in CALLS[name].items():
        call = load(os.path.join(folder, model["file"]), model["method"])
        asked = rows.astype(np.float32) if library == "onnxruntime" else rows
        check(call, asked, expected, 1e-5 if library == "onnxruntime" else model["tolerance"])
        for count, calls in BLOCKS:
            samples = nanoseconds_of_calls(call, [asked[at : at + count] for at in range(0, ASKED_ROWS, count)], calls)
            figures = {"library": library, "version": version(library), "rows": count}
            figures |= {"minimum": min(samples), "median": float(np.median(samples))}
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train").add_argument("--out", required=True, help="the folder to write to")
    timing = commands.add_parser("time")
    timing.add_argument("--models", required=True, help="the folder that `train` wrote")
    timing.add_argument("--only", required=True, choices=MODELS, help="the model")
    arguments = parser.parse_args()
    if arguments.command == "train":
        train(arguments.out)
    else:
        time_libraries(arguments.models, arguments.only)
