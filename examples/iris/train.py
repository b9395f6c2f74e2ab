"""Train the two iris models which the example serves.

    pip install -r requirements.txt
    python train.py

Writes sklearn/model.joblib, xgboost/model.bst and expected.json, which holds
what the libraries themselves answer to requests/two-rows.json.
"""

import json
import os

import joblib
import numpy as np
import sklearn
import xgboost
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

HERE = os.path.dirname(os.path.abspath(__file__))


def beside(*parts):
    return os.path.join(HERE, *parts)


def train_sklearn(X, y):
    """Fitted on plain arrays, so the model holds no feature names."""
    model = LogisticRegression(max_iter=1000).fit(X, y)
    joblib.dump(model, beside("sklearn", "model.joblib"))
    return model


def train_xgboost(X, y):
    """UBJSON, which is what xgboost writes to a file that ends in .bst today."""
    params = {"objective": "multi:softprob", "num_class": 3, "max_depth": 3,
              "seed": 0, "nthread": 1}
    booster = xgboost.train(params, xgboost.DMatrix(X, label=y), num_boost_round=20)
    with open(beside("xgboost", "model.bst"), "wb") as out:
        out.write(booster.save_raw(raw_format="ubj"))
    return booster


def write_expected(model, booster):
    with open(beside("requests", "two-rows.json")) as request:
        rows = np.array(json.load(request)["data"]["ndarray"])
    answers = {
        "sklearn": {"version": sklearn.__version__,
                    "predict_proba": model.predict_proba(rows).tolist()},
        "xgboost": {"version": xgboost.__version__,
                    "predict_proba": booster.predict(xgboost.DMatrix(rows)).tolist()},
    }
    with open(beside("expected.json"), "w") as out:
        json.dump(answers, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    data = load_iris()
    write_expected(train_sklearn(data.data, data.target),
                   train_xgboost(data.data, data.target))
