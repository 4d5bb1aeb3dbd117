import json
import pathlib
import subprocess
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest
import shap
from mlflow.models import infer_signature
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from conftest import ENCODERS, ESTIMATORS, NUMBERS, NUMERIC, TEXTS, flights, pipeline, save
from slipway.explain import Explainer, explain_globally
from slipway.model import BadInput, Model

COLUMNS = NUMBERS + TEXTS
PACKAGE = str(pathlib.Path(__file__).parents[1])


def cells(frame: pd.DataFrame, rows: int = 12) -> list:
    return [[None if value != value else value for value in row] for row in frame.head(rows).astype(object).values.tolist()]


def total(explanation: dict) -> float:
    return explanation["base_value"] + sum(each["attribution"] for each in explanation["attributions"])


@pytest.mark.parametrize(
    ("estimator", "encoder", "space"),
    [("forest", "one-hot", "probability"), ("boosting", "target", "log-odds"), ("histogram", "one-hot", "log-odds"), ("histogram", "ordinal", "log-odds")],
)
def test_tree_models_are_explained_exactly_by_original_column(estimator, encoder, space, tmp_path):
    frame, late = flights(nulls=estimator in ("forest", "histogram"))
    fitted = pipeline(ENCODERS[encoder](), NUMERIC["as they are"](), ESTIMATORS[estimator]()).fit(frame, late)
    found = Explainer(Model(save(fitted, tmp_path / "m", frame))).values(COLUMNS, cells(frame))
    matrix = fitted[:-1].transform(frame.head(12))
    matrix = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float64)
    theirs = shap.TreeExplainer(fitted[-1]).shap_values(matrix, check_additivity=False)
    theirs = theirs[:, :, 1] if theirs.ndim == 3 else theirs
    owners = [0, 1, 2] + ([3] * 5 + [4] * 3 if encoder == "one-hot" else [3, 4])
    if space == "probability":
        predictions = fitted.predict_proba(frame.head(12))[:, 1]
    else:
        predictions = fitted.decision_function(frame.head(12))
    for index, each in enumerate(found):
        assert (each["method"], each["space"], each["class"]) == ("tree", space, 1)
        assert [part["feature"] for part in each["attributions"]] == COLUMNS
        assert each["prediction"] == pytest.approx(predictions[index], abs=1e-9)
        assert total(each) == pytest.approx(each["prediction"], abs=1e-6)
        wanted = np.bincount(owners, weights=theirs[index], minlength=5)
        assert [part["attribution"] for part in each["attributions"]] == pytest.approx(wanted, abs=1e-6)
        assert [part["value"] for part in each["attributions"]] == cells(frame)[index]


@pytest.mark.parametrize("estimator", ["forest", "histogram"])
def test_several_classes_speak_of_the_one_that_was_predicted(estimator, tmp_path):
    frame, late = flights()
    target = np.where(frame.wind > 14, "windy", np.where(late, "late", "fine"))
    fitted = pipeline(ENCODERS["ordinal"](), NUMERIC["as they are"](), ESTIMATORS[estimator]()).fit(frame, target)
    found = Explainer(Model(save(fitted, tmp_path / "m", frame))).values(COLUMNS, cells(frame))
    assert [each["class"] for each in found] == fitted.predict(frame.head(12)).tolist()
    assert all(total(each) == pytest.approx(each["prediction"], abs=1e-6) for each in found)


@pytest.mark.parametrize(
    ("estimator", "space"),
    [(RandomForestRegressor(10, max_depth=6), "value"), (HistGradientBoostingRegressor(max_iter=10), "value"), (HistGradientBoostingRegressor(max_iter=10, loss="poisson"), "log-value")],
)
def test_regressions(estimator, space, tmp_path):
    frame, late = flights()
    fitted = pipeline(ENCODERS["ordinal"](), NUMERIC["as they are"](), estimator).fit(frame, frame.dist / 100 + late)
    found = Explainer(Model(save(fitted, tmp_path / "m", frame, "predict"))).values(COLUMNS, cells(frame))
    assert {each["space"] for each in found} == {space}
    answers = fitted.predict(frame.head(12))
    shown = [np.exp(each["prediction"]) if space == "log-value" else each["prediction"] for each in found]
    assert shown == pytest.approx(answers, abs=1e-9)
    assert all(total(each) == pytest.approx(each["prediction"], abs=1e-6) for each in found)


def test_other_models_are_explained_against_a_background(tmp_path, rows_with_nulls):
    frame, late = flights(nulls=True)
    fitted = pipeline(ENCODERS["one-hot"](), NUMERIC["scaled"](), ESTIMATORS["logistic"]()).fit(frame, late)
    model = Model(save(fitted, tmp_path / "m", frame))
    with pytest.raises(BadInput, match="background"):
        Explainer(model).values(COLUMNS, cells(frame, 1))
    found = Explainer(model, rows_with_nulls).values(COLUMNS, cells(frame, 4))
    for index, each in enumerate(found):
        assert (each["method"], each["space"], each["class"]) == ("permutation", "probability", 1)
        assert each["prediction"] == pytest.approx(fitted.predict_proba(frame.iloc[[index]])[0, 1], abs=1e-9)
        assert total(each) == pytest.approx(each["prediction"], abs=1e-6)


def test_trees_that_shap_does_not_know_are_explained_the_other_way(tmp_path, rows_file):
    frame, late = flights()
    target = np.where(frame.wind > 14, "windy", np.where(late, "late", "fine"))
    fitted = pipeline(ENCODERS["ordinal"](), NUMERIC["as they are"](), ESTIMATORS["boosting"]()).fit(frame, target)
    explainer = Explainer(Model(save(fitted, tmp_path / "m", frame)), rows_file)
    (found,) = explainer.values(COLUMNS, cells(frame, 1))
    assert "only supported for binary" in explainer.reason
    assert (found["method"], found["space"], found["class"]) == ("permutation", "probability", fitted.predict(frame.head(1))[0])
    assert total(found) == pytest.approx(found["prediction"], abs=1e-6)


def test_a_pyfunc_of_code_is_explained_too(tmp_path, rows_file):
    (tmp_path / "code.py").write_text(
        "import mlflow\nclass M(mlflow.pyfunc.PythonModel):\n    def predict(self, context, model_input, params=None):\n"
        "        return (model_input['dep'] * 2 + (model_input['carrier'] == 'B6') * 10).to_numpy()\nmlflow.models.set_model(M())\n"
    )
    frame, _ = flights()
    signature = infer_signature(frame.head(3), np.asarray([1.0]))
    mlflow.pyfunc.save_model(str(tmp_path / "m"), python_model=str(tmp_path / "code.py"), signature=signature, pip_requirements=[])
    (found,) = Explainer(Model(str(tmp_path / "m")), rows_file).values(COLUMNS, [[20.0, 1.0, 1.0, "B6", "JFK"]])
    assert found["space"] == "value" and found["prediction"] == 50.0
    parts = {each["feature"]: each["attribution"] for each in found["attributions"]}
    assert parts["dist"] == parts["wind"] == parts["origin"] == pytest.approx(0.0, abs=1e-9)
    assert parts["carrier"] > 5 and total(found) == pytest.approx(50.0, abs=1e-6)


def test_what_matters_on_the_whole(tmp_path, rows_with_nulls):
    frame, late = flights(nulls=True)
    fitted = pipeline(ENCODERS["one-hot"](), NUMERIC["as they are"](), ESTIMATORS["histogram"]()).fit(frame, late)
    path = save(fitted, tmp_path / "m", frame)
    out = tmp_path / "global.json"
    command = [sys.executable, "-m", "slipway.explain", "global", "--model", path, "--rows", rows_with_nulls, "--max-rows", "1200", "--out", str(out)]
    subprocess.run(command, cwd=PACKAGE, check=True, capture_output=True)
    report = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert (report["method"], report["space"], report["class"], report["rows"], report["source_rows"]) == ("tree", "log-odds", 1, 1200, 1500)
    means = [each["mean_abs"] for each in report["features"]]
    assert means == sorted(means, reverse=True) and report["features"][0]["feature"] in ("dep", "wind")
    assert len(report["beeswarm"]["rows"]) == 400
    assert report["beeswarm"]["features"] == [each["feature"] for each in report["features"]]
    column = report["beeswarm"]["features"].index("wind")
    assert any(row[column]["value"] is None for row in report["beeswarm"]["rows"])
    bad = subprocess.run([*command, "--rows", "no.csv"], cwd=PACKAGE, capture_output=True, text=True)
    assert bad.returncode == 2 and "no.csv cannot be read" in bad.stderr


def test_any_model_on_the_whole(tmp_path, rows_file):
    frame, late = flights()
    fitted = pipeline(ENCODERS["ordinal"](), NUMERIC["scaled"](), ESTIMATORS["logistic"]()).fit(frame, late)
    report = explain_globally(Model(save(fitted, tmp_path / "m", frame)), rows_file, 8)
    assert (report["method"], report["rows"]) == ("permutation", 8)
    assert "is no tree model" in report["reason"]
