"""Programs as data scientists write them for Seldon's Python wrapper."""


class Sum:
    def predict(self, X, names, meta=None):
        return [[sum(row)] for row in X]
    def tags(self):
        return {"sum": True}
    def metrics(self):
        return [{"type": "COUNTER", "key": "rows_seen", "value": 1}]


class Double:
    def transform_input(self, X, names, meta=None):
        return X * 2


class Choose:
    def route(self, X, names, meta=None):
        return int(X[0][0] > 10)


class Merge:
    def aggregate(self, Xs, names, metas=None):
        return [[float(X[0][0]) for X in Xs]]


class Shift:
    def transform_output(self, X, names, meta=None):
        return X + 100
