"""Train the models that the benchmarks serve, and write rows to ask them about.

    python models.py --out DIR

12 features, three classes, made from a seed. Writes DIR/<name>/ for each model and
DIR/rows.json.
"""

import argparse
import json
import os

import joblib
import numpy as np
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

FEATURES = 12
CLASSES = 3
TRAINING_ROWS = 5000
ASKED_ROWS = 1600


def data(rows, seed):
    """Four decimals, so that all servers read the same short numbers."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, FEATURES)).round(4)
    score = X[:, :4].sum(axis=1) + X[:, 4] * X[:, 5] + random.normal(scale=0.5, size=rows)
    return X, np.digitize(score, [-1.0, 1.0])


def folder(out, name):
    path = os.path.join(out, name)
    os.makedirs(path, exist_ok=True)
    return path


def write_models(out):
    X, y = data(TRAINING_ROWS, seed=0)
    joblib.dump(LogisticRegression(max_iter=1000).fit(X, y), os.path.join(folder(out, "lr"), "model.joblib"))
    forest = RandomForestClassifier(100, max_depth=8, random_state=0).fit(X, y)
    joblib.dump(forest, os.path.join(folder(out, "rf"), "model.joblib"))
    # A tree a class and round: 300 in all.
    boosted = xgboost.XGBClassifier(n_estimators=300 // CLASSES, max_depth=3, random_state=0).fit(X, y)
    boosted.save_model(os.path.join(folder(out, "xgb"), "model.json"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="the folder to write to")
    out = parser.parse_args().out
    write_models(out)
    with open(os.path.join(out, "rows.json"), "w") as file:
        json.dump(data(ASKED_ROWS, seed=1)[0].tolist(), file)
