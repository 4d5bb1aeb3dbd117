"""Why a model answered so: SHAP values per original column.

``python -m slipway.explain global --model DIR --rows FILE --max-rows N --out FILE.json`` tells what matters to the model on
the whole; `Explainer.values` what mattered to single answers. Two ways:

``tree``         the final estimator is a tree model of scikit-learn: exact path-dependent values in the transformed space,
                 summed over the columns that one original column became. Space: probability for forests, log-odds for
                 boosted classifiers, value for regression.
``permutation``  any model: its own answers with columns exchanged against a background sample. Space: what the model
                 answers (probability, value or label).

Attributions and base value add up to the prediction in the stated space.
"""

import argparse
import json
import math
import os
import sys
from typing import Any

from .model import BadInput, Model, ModelError, calm_threads
from .rows import RowsError, plain, read_rows

ROWS_PER_CALL_MAX = 100
BACKGROUND_ROWS = 50
BEESWARM_ROWS_MAX = 500
GLOBAL_ROWS_MAX = 5000
PERMUTATION_ROWS_MAX = 200
#: Orders in which columns are exchanged, forth and back; the sum is exact with one, the shares settle with more.
PERMUTATIONS = 10
ADDS_UP = 1e-6


class NotByTrees(Exception):
    """The model has to be explained by permutation; the message says why."""


def check_rows(columns: Any, rows: Any) -> tuple[list[str], list[list[Any]]]:
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns) or not columns:
        raise BadInput("columns must be a list of names", "columns")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        raise BadInput("rows must be a list of lists, one value for each column", "rows")
    if len(rows) > ROWS_PER_CALL_MAX:
        raise BadInput(f"at most {ROWS_PER_CALL_MAX} rows are explained at a time", "rows")
    return columns, rows


class Explainer:
    """Explains one loaded model. ``background`` is a file of rows for the permutation way."""

    def __init__(self, model: Model, background: str | None = None):
        self.model = model
        self.reason: str | None = None
        self._permutation: Permutation | None = None
        self._background = background
        self._trees: Trees | None = None
        try:
            self._trees = Trees(model)
        except NotByTrees as why:
            self.reason = str(why)

    def method(self, columns: list[str]) -> Any:
        if self._trees:
            return self._trees
        if self._permutation is None:
            self._permutation = Permutation(self.model, self._background_rows(columns), columns)
        return self._permutation

    def _background_rows(self, columns: list[str]) -> list[list[Any]]:
        if self._background is None:
            raise BadInput(f"this model is explained against a background sample, and none was given ({self.reason})", "background")
        try:
            return read_rows(self._background, columns, BACKGROUND_ROWS)[0]
        except RowsError as error:
            raise BadInput(str(error), "background") from error

    def values(self, columns: list[str], rows: list[list[Any]]) -> list[dict]:
        """One explanation per row: ``{method, space, class?, base_value, prediction, attributions: [{feature, value,
        attribution}]}``. Falls back to permutation when the trees' values do not add up. Raises BadInput, ModelError."""
        method = self.method(columns)
        try:
            return method.explain(columns, rows)
        except NotByTrees as why:
            self._trees, self.reason = None, str(why)
            return self.method(columns).explain(columns, rows)


class Trees:
    def __init__(self, model: Model):
        import numpy as np

        from .structure import Opaque, sources, split

        if "sklearn" not in (model.metadata.flavors or {}):
            raise NotByTrees("it is no scikit-learn model")
        self.model = model
        raw = model.raw()
        self.transformers, self.estimator = split(raw)
        kind = type(self.estimator).__name__
        if kind.startswith("HistGradientBoosting"):
            if np.any(getattr(self.estimator, "is_categorical_", None) is not None and self.estimator.is_categorical_):
                raise NotByTrees("native categories are not known to shap")
        elif not kind.startswith(("RandomForest", "ExtraTree", "DecisionTree", "GradientBoosting")):
            raise NotByTrees(f"{kind} is no tree model")
        names = model.schema.input_names() if model.schema is not None and model.schema.has_input_names() else None
        if names is None:
            raise NotByTrees("the model has no signature that names its columns")
        self.columns: list[str] = list(names)
        try:
            made_of = sources(self.transformers, self.columns)
        except Opaque as why:
            raise NotByTrees(str(why)) from why
        if any(len(each) != 1 for each in made_of):
            raise NotByTrees("a column of the matrix is made of several inputs")
        self.owner = np.asarray([self.columns.index(next(iter(each))) for each in made_of])
        self.classes = list(getattr(self.estimator, "classes_", []))
        boosted = "Boosting" in kind
        self.space = "value" if not self.classes else "log-odds" if boosted else "probability"
        try:
            import shap

            self.shap = shap.TreeExplainer(self.estimator, feature_perturbation="tree_path_dependent")
        except ImportError as error:
            raise ModelError(f"shap is not installed beside the model: {error}") from error
        except Exception as error:
            raise NotByTrees(f"shap: {type(error).__name__}: {error}"[:300]) from error
        self.rounds = not kind.startswith("HistGradientBoosting")

    def _matrix(self, columns: list[str], rows: list[list[Any]]) -> Any:
        import numpy as np

        data, _ = self.model.parse("dataframe_split", {"columns": columns, "data": rows})
        matrix: Any = self._enforced(data)
        try:
            for transformer in self.transformers:
                matrix = transformer.transform(matrix)
        except Exception as error:
            raise ModelError(f"{type(error).__name__}: {error}") from error
        matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
        matrix = matrix.astype(np.float64)
        # scikit-learn's own trees compare float32: shap compares what it is given.
        return matrix.astype(np.float32).astype(np.float64) if self.rounds else matrix

    def _enforced(self, data: Any) -> Any:
        """The frame as the model itself gets it. Raises BadInput."""
        from mlflow.exceptions import MlflowException
        from mlflow.models.utils import _enforce_schema

        from .model import field_of

        try:
            return _enforce_schema(data, self.model.schema)
        except MlflowException as error:
            raise BadInput(error.message, field_of(error.message)) from error

    def explain(self, columns: list[str], rows: list[list[Any]]) -> list[dict]:
        import numpy as np

        matrix = self._matrix(columns, rows)
        values = np.asarray(self.shap.shap_values(matrix, check_additivity=False))
        base = np.atleast_1d(np.asarray(self.shap.expected_value, dtype=np.float64)).ravel()
        if values.ndim == 2:
            values = values[:, :, None]
        elif values.shape[0] != len(matrix):
            # Older shap gives a list by class.
            values = np.moveaxis(values, 0, -1)
        predictions = self._predictions(matrix)
        if values.shape[2] == 1 and predictions.shape[1] == 1:
            chosen = np.zeros(len(matrix), dtype=int)
        elif predictions.shape[1] == 2 and values.shape[2] == 2:
            chosen = np.ones(len(matrix), dtype=int)
        else:
            chosen = predictions.argmax(axis=1)
        where = {name: columns.index(name) for name in self.columns}
        found = []
        for index, row in enumerate(rows):
            output = int(chosen[index])
            summed = np.bincount(self.owner, weights=values[index, :, output], minlength=len(self.columns))
            prediction = float(predictions[index, output])
            gap = abs(base[output] + summed.sum() - prediction)
            if not gap <= ADDS_UP * max(1.0, abs(prediction)):
                raise NotByTrees(f"the values of shap miss the prediction by {gap:.3g}")
            found.append({
                "method": "tree", "space": self.space, **self._class(output, values.shape[2]),
                "base_value": float(base[output]), "prediction": prediction,
                "attributions": [
                    {"feature": name, "value": plain(row[where[name]]), "attribution": float(summed[position])}
                    for position, name in enumerate(self.columns)
                ],
            })
        return found

    def _class(self, output: int, width: int) -> dict:
        if not self.classes:
            return {}
        # Two classes with one score: it speaks for the second.
        each = self.classes[output if width > 1 else 1]
        return {"class": each.item() if hasattr(each, "item") else each}

    def _predictions(self, matrix: Any) -> Any:
        import warnings

        import numpy as np

        estimator = self.estimator
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not self.classes:
                answer = estimator._raw_predict(matrix)[:, 0] if hasattr(estimator, "_raw_predict") and self._logged() else estimator.predict(matrix)
            elif self.space == "log-odds":
                answer = estimator.decision_function(matrix)
            else:
                answer = estimator.predict_proba(matrix)
        answer = np.asarray(answer, dtype=np.float64)
        return answer.reshape(len(matrix), -1)

    def _logged(self) -> bool:
        """Regression by the logarithm of its mean (Poisson, gamma): explained before the exponential."""
        logged = type(getattr(getattr(self.estimator, "_loss", None), "link", None)).__name__ == "LogLink"
        if logged:
            self.space = "log-value"
        return logged


class Permutation:
    """Columns become numbers of a table, so that text, nulls and truth values can be exchanged like any other."""

    def __init__(self, model: Model, background: list[list[Any]], columns: list[str]):
        self.model = model
        self.columns = columns
        self.background = background
        self.space, self.classes = self._kind(background[:1])

    def _kind(self, rows: list[list[Any]]) -> tuple[str, list | None]:
        answer = self._raw(rows)
        flavours = self.model.metadata.flavors or {}
        raw = self.model.raw() if "sklearn" in flavours else None
        classes = [each.item() if hasattr(each, "item") else each for each in getattr(raw, "classes_", [])] or None
        if answer.ndim == 2 and answer.shape[1] > 1:
            return "probability", classes or list(range(answer.shape[1]))
        return ("label" if answer.dtype.kind not in "fiub" or classes else "value"), classes

    def _raw(self, rows: list[list[Any]]) -> Any:
        import numpy as np

        answer = self.model.predict(*self.model.parse("dataframe_split", {"columns": self.columns, "data": rows}))
        if hasattr(answer, "select_dtypes"):
            answer = answer.iloc[:, 0] if answer.shape[1] == 1 else answer.select_dtypes("number")
        return np.asarray(answer)

    def _scores(self, rows: list[list[Any]], target: Any) -> Any:
        import numpy as np

        answer = self._raw(rows)
        if self.space == "probability":
            return answer[:, target].astype(np.float64)
        answer = answer.reshape(len(rows))
        return (answer == target).astype(np.float64) if self.space == "label" else answer.astype(np.float64)

    def _target(self, row: list[Any]) -> tuple[Any, dict]:
        if self.space == "value":
            return None, {}
        answer = self._raw([row])
        if self.space == "label":
            label = answer.reshape(-1)[0]
            label = label.item() if hasattr(label, "item") else label
            return label, {"class": label}
        position = 1 if answer.shape[1] == 2 else int(answer[0].argmax())
        return position, {"class": (self.classes or [])[position]}

    def explain(self, columns: list[str], rows: list[list[Any]]) -> list[dict]:
        if set(columns) != set(self.columns):
            raise BadInput(f"the columns must be {', '.join(self.columns)}", "columns")
        order = [columns.index(name) for name in self.columns]
        return [self._one([row[index] for index in order]) for row in rows]

    def _one(self, row: list[Any]) -> dict:
        import numpy as np
        import shap

        target, said = self._target(row)
        tables = [[*{_key(each[index]): each[index] for each in [*self.background, row]}.values()] for index in range(len(row))]
        codes = [{_key(value): code for code, value in enumerate(table)} for table in tables]

        def code(each: list[Any]) -> list[float]:
            return [float(codes[index][_key(value)]) for index, value in enumerate(each)]

        def ask(matrix: Any) -> Any:
            return self._scores([[tables[index][int(cell)] for index, cell in enumerate(line)] for line in matrix], target)

        coded = np.asarray([code(each) for each in self.background])
        masker = shap.maskers.Independent(coded, max_samples=len(coded))
        explain = shap.explainers.Permutation(ask, masker, seed=0)
        result = explain(np.asarray([code(row)]), max_evals=PERMUTATIONS * (2 * len(row) + 2), silent=True)
        values = np.asarray(result.values, dtype=np.float64).reshape(-1)
        prediction = float(self._scores([row], target)[0])
        base = float(np.asarray(result.base_values).reshape(-1)[0])
        # What rounding left over, so that the sum is the prediction to the last digits.
        gap = prediction - base - float(values.sum())
        if not abs(gap) <= ADDS_UP * max(1.0, abs(prediction)):
            raise ModelError(f"the attributions miss the prediction by {gap:.3g}: the model answers the same row differently")
        return {
            "method": "permutation", "space": self.space, **said, "base_value": base, "prediction": prediction,
            "attributions": [
                {"feature": name, "value": plain(row[index]), "attribution": float(values[index])}
                for index, name in enumerate(self.columns)
            ],
        }


def _key(value: Any) -> Any:
    return (type(value).__name__, None if value is None or value != value else value)


def explain_globally(model: Model, rows_path: str, rows_max: int) -> dict:
    """``{method, space, rows, base_value, features: [{feature, mean_abs}], beeswarm: {features, rows: [{value, attribution}…]}}``

    Mean absolute attribution per original column, greatest first; the beeswarm holds up to 500 rows, each a list in the
    order of ``features``. Raises RowsError, BadInput, ModelError.
    """
    if model.schema is None or not model.schema.has_input_names():
        raise BadInput("the model has no signature that names its columns")
    columns = list(model.schema.input_names())
    explainer = Explainer(model, rows_path)
    limit = min(rows_max, GLOBAL_ROWS_MAX if explainer._trees else PERMUTATION_ROWS_MAX)
    rows, total = read_rows(rows_path, columns, limit)
    explained = []
    for start in range(0, len(rows), 500):
        explained += explainer.values(columns, rows[start : start + 500])
        if explained[-1]["method"] == "permutation" and len(rows) > PERMUTATION_ROWS_MAX:
            # The trees' values did not add up: the rest would take too long the other way.
            explained = explainer.values(columns, rows[:PERMUTATION_ROWS_MAX])
            break
    features = [each["feature"] for each in explained[0]["attributions"]]
    sums = dict.fromkeys(features, 0.0)
    for each in explained:
        for part in each["attributions"]:
            sums[part["feature"]] += abs(part["attribution"])
    ranked = sorted(features, key=lambda name: -sums[name])
    step = max(1, math.ceil(len(explained) / BEESWARM_ROWS_MAX))
    sample = []
    for each in explained[::step]:
        parts = {part["feature"]: part for part in each["attributions"]}
        sample.append([{"value": parts[name]["value"], "attribution": parts[name]["attribution"]} for name in ranked])
    return {
        "format": 1,
        "method": explained[0]["method"],
        "reason": explainer.reason,
        "space": explained[0]["space"],
        "class": _common([each.get("class") for each in explained]),
        "rows": len(explained),
        "source_rows": total,
        "base_value": sum(each["base_value"] for each in explained) / len(explained),
        "features": [{"feature": name, "mean_abs": sums[name] / len(explained)} for name in ranked],
        "beeswarm": {"features": ranked, "rows": sample},
    }


def _common(values: list[Any]) -> Any:
    """The class that all explanations speak of, or null when each speaks of its own."""
    return values[0] if values and all(each == values[0] for each in values) else None


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m slipway.explain", description="SHAP values of a model as a whole.")
    commands = parser.add_subparsers(dest="command", required=True)
    overall = commands.add_parser("global", help="mean absolute attribution per column, and a sample of rows")
    overall.add_argument("--model", required=True, help="folder of the MLflow model")
    overall.add_argument("--rows", required=True, help="Parquet or CSV of rows to explain and to compare with")
    overall.add_argument("--max-rows", type=int, default=1000, help="rows explained, spread over the file (default 1000)")
    overall.add_argument("--out", required=True, help="JSON file to write")
    given = parser.parse_args(argv)
    calm_threads()
    try:
        report = explain_globally(Model(given.model), given.rows, max(1, given.max_rows))
    except (BadInput, ModelError, RowsError) as error:
        print(f"slipway-explain: {error}", file=sys.stderr)
        sys.exit(2)
    partial = f"{given.out}.partial"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(report, file, allow_nan=False)
    os.replace(partial, given.out)


if __name__ == "__main__":
    main()
