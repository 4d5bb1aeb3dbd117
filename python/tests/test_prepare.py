"""The compiled form is proven, or the Python form serves: never a third thing."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder

import conftest
from conftest import ENCODERS, ESTIMATORS, NUMBERS, NUMERIC, TEXTS, flights, pipeline, save
from slipway import prepare as preparing
from slipway.model import Model
from slipway.onnxform import Unsupported
from slipway.prepare import prepare


def fitted(encoder="ordinal", numeric="scaled", estimator="logistic", nulls=False):
    frame, late = flights(nulls=nulls)
    return pipeline(ENCODERS[encoder](), NUMERIC[numeric](), ESTIMATORS[estimator]()).fit(frame, late), frame


def prepared(model, frame, tmp_path, rows, predict_fn="predict_proba", **options):
    path = save(model, tmp_path / "m", frame, predict_fn)
    return prepare(path, str(tmp_path / "out"), rows, **options)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(
    ("estimator", "numeric", "nulls"),
    [("logistic", "scaled", False), ("forest", "as they are", True), ("boosting", "scaled", False), ("histogram", "as they are", True), ("histogram", "scaled", False)],
)
def test_usual_pipelines_compile_exactly(encoder, estimator, numeric, nulls, tmp_path, rows_file, rows_with_nulls):
    model, frame = fitted(encoder, numeric, estimator, nulls)
    report = prepared(model, frame, tmp_path, rows_with_nulls if nulls else rows_file)
    assert (report["form"], report["compiler"]) == ("onnx", "slipway"), report["reason"]
    parity = report["parity"]
    assert parity["ok"] and parity["max_abs"] < 1e-12 and parity["label_flips"] == 0
    assert parity["cases"]["given rows"]["compared"] == 1500
    wanted = {"null", "unseen category", "empty text", "extremes", "several at once", "given rows, one by one"}
    assert wanted <= set(parity["cases"])
    if estimator != "logistic":
        assert parity["cases"]["next to a split"]["compared"] > 100
    assert [each["name"] for each in report["inputs"]] == NUMBERS + TEXTS
    assert report["answer"] == {"output": "probabilities", "kind": "probabilities", "row": "array"}
    assert report["signature"]["inputs"][0]["name"] == "dep" and report["versions"]["scikit-learn"]


def test_the_report_is_all_that_a_server_needs(tmp_path, rows_with_nulls):
    """Reads nothing but report.json and model.onnx, as the server does, and gives the answers of the pyfunc."""
    import onnxruntime

    model, frame = fitted("one-hot", "as they are", "histogram", True)
    path = save(model, tmp_path / "m", frame)
    prepare(path, str(tmp_path / "out"), rows_with_nulls)
    report = json.loads((tmp_path / "out" / "report.json").read_text(), parse_constant=pytest.fail)
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"))
    rows = [
        {"dep": 5.5, "dist": 1000, "wind": None, "carrier": "B6", "origin": "JFK"},
        {"dep": None, "dist": 250.25, "wind": 7.0, "carrier": None, "origin": "never seen"},
    ]
    feeds = {}
    for each in report["inputs"]:
        null = {"NaN": math.nan}.get(each["null_as"], each["null_as"])
        values = [null if row[each["name"]] is None else row[each["name"]] for row in rows]
        feeds[each["onnx_name"]] = np.asarray(values, dtype=object if each["type"] == "string" else each["type"]).reshape(-1, 1)
    got = session.run([report["answer"]["output"]], feeds)[0].tolist()
    assert got == [pytest.approx(row, abs=1e-12) for row in Model(path).answer("dataframe_records", rows)]


@pytest.mark.parametrize("labels", [["on time", "late"], [False, True], [10, 20], [1.0, 2.0]])
def test_labels_of_any_type_are_answered(labels, tmp_path, rows_file):
    frame, late = flights()
    model = pipeline(ENCODERS["ordinal"](), NUMERIC["scaled"](), ESTIMATORS["histogram"]()).fit(frame, np.asarray(labels)[late])
    report = prepared(model, frame, tmp_path, rows_file, "predict")
    assert report["form"] == "onnx", report["reason"]
    assert report["answer"] == {"output": "label", "kind": "label", "row": "value"}
    assert report["outputs"][0]["classes"] == sorted(labels)
    assert report["parity"]["label_flips"] == 0


@pytest.mark.parametrize("estimator", [ESTIMATORS["forest"], ESTIMATORS["boosting"], ESTIMATORS["histogram"], ESTIMATORS["logistic"]])
def test_several_classes(estimator, tmp_path, rows_file):
    frame, late = flights()
    target = np.where(frame.wind > 14, "windy", np.where(late, "late", "fine"))
    report = prepared(pipeline(ENCODERS["one-hot"](), NUMERIC["scaled"](), estimator()).fit(frame, target), frame, tmp_path, rows_file)
    assert report["form"] == "onnx", report["reason"]
    assert report["compiler"] == "slipway" and report["parity"]["max_abs"] < 1e-12
    assert report["outputs"][1]["classes"] == ["fine", "late", "windy"]


@pytest.mark.parametrize(
    "estimator",
    [LinearRegression(), HistGradientBoostingRegressor(max_iter=20), HistGradientBoostingRegressor(max_iter=10, loss="poisson"), RandomForestRegressor(10, max_depth=6)],
)
def test_regressions(estimator, tmp_path, rows_file):
    frame, late = flights()
    target = frame.dist / 100 + late
    report = prepared(pipeline(ENCODERS["target"](), NUMERIC["scaled"](), estimator).fit(frame, target), frame, tmp_path, rows_file, "predict")
    assert report["form"] == "onnx", report["reason"]
    assert report["answer"]["kind"] == "value" and report["parity"]["max_abs"] < 1e-9


def test_whole_numbers_truth_values_single_precision_and_imputed_text(tmp_path):
    rng = np.random.default_rng(0)
    rows = 1200
    frame = pd.DataFrame(
        {
            "hour": rng.integers(0, 24, rows),
            "holiday": rng.random(rows) < 0.1,
            "share": rng.random(rows).astype(np.float32),
            "gate": rng.choice(["A", "B"], rows),
        }
    )
    target = (frame.hour + 10 * frame.share > 15).astype(int)
    columns = ColumnTransformer(
        [
            ("hour", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["hour"]),
            ("rest", MinMaxScaler(clip=True), ["holiday", "share"]),
            ("gate", Pipeline([("fill", SimpleImputer(strategy="constant", fill_value="A")), ("code", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))]), ["gate"]),
        ]
    )
    frame.to_parquet(tmp_path / "rows.parquet")
    model = Pipeline([("columns", columns), ("model", HistGradientBoostingClassifier(max_iter=10))]).fit(frame, target)
    report = prepared(model, frame, tmp_path, str(tmp_path / "rows.parquet"))
    hour, holiday, share, _ = report.get("inputs") or [{}] * 4
    assert report["form"] == "onnx", report["reason"]
    if report["form"] == "onnx":
        assert (hour["signature_type"], hour["nullable"]) == ("long", False)
        assert (holiday["minimum"], holiday["maximum"], share["signature_type"]) == (0.0, 1.0, "float")


def test_what_both_forms_refuse_is_equal_and_listed(tmp_path, rows_file):
    frame, late = flights()
    model = pipeline(OneHotEncoder(handle_unknown="error"), NUMERIC["scaled"](), ESTIMATORS["logistic"]()).fit(frame, late)
    report = prepared(model, frame, tmp_path, rows_file)
    assert report["form"] == "onnx", report["reason"]
    parity = report["parity"]
    assert parity["cases"]["unseen category"]["compared"] == 0
    assert parity["refused_by_both"] > 10 and parity["refused_by_one"] == 0
    assert any(each["column"] == "carrier" and "unknown categories" in each["python"] for each in parity["refused"])
    carrier = next(each for each in report["inputs"] if each["name"] == "carrier")
    assert carrier["values"] == ["AA", "B6", "DL", "UA", "éé"] and carrier["nullable"] is False
    dep = report["inputs"][0]
    assert dep["nullable"] and dep["maximum"] > 1e300


def no_own_compiler(monkeypatch):
    def refuse(*_):
        raise Unsupported("switched off")

    monkeypatch.setattr(preparing, "own", refuse)


def test_a_forest_trained_with_nulls_that_skl2onnx_gets_wrong_is_caught(tmp_path, monkeypatch, rows_with_nulls):
    no_own_compiler(monkeypatch)
    model, frame = fitted("ordinal", "as they are", "forest", True)
    report = prepared(model, frame, tmp_path, rows_with_nulls)
    assert report["form"] == "python" and not (tmp_path / "out" / "model.onnx").exists()
    assert report["parity"]["compiler"] == "skl2onnx" and report["parity"]["max_abs"] > 0.2
    assert "differ by" in report["reason"]


def test_values_that_float32_rounds_over_a_split_are_caught(tmp_path, monkeypatch, rows_file):
    no_own_compiler(monkeypatch)
    model, frame = fitted("ordinal", "as they are", "histogram")
    report = prepared(model, frame, tmp_path, rows_file)
    assert report["form"] == "python"
    assert report["parity"]["cases"]["given rows"]["max_abs"] < 1e-5 < report["parity"]["cases"]["next to a split"]["max_abs"]


def test_native_categories_of_histogram_boosting_stay_in_python(tmp_path, rows_file):
    frame, late = flights()
    columns = ColumnTransformer([("texts", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), TEXTS), ("numbers", "passthrough", NUMBERS)])
    late = (frame.carrier.isin(["AA", "DL"]) ^ (late == 1)).astype(int)
    model = Pipeline([("columns", columns), ("model", HistGradientBoostingClassifier(max_iter=20, categorical_features=[0, 1]))]).fit(frame, late)
    report = prepared(model, frame, tmp_path, rows_file)
    assert report["form"] == "python"
    assert "native categories" in report["reason"]


def test_skl2onnx_serves_where_it_is_proven(tmp_path, monkeypatch, rows_file):
    no_own_compiler(monkeypatch)
    model, frame = fitted("one-hot", "scaled", "logistic")
    report = prepared(model, frame, tmp_path, rows_file)
    assert report["form"] == "python" or report["compiler"] == "skl2onnx"
    assert report["parity"]["compiler"] == "skl2onnx"


def test_too_few_rows_no_rows_and_wrong_rows_leave_the_python_form(tmp_path, rows_file):
    model, frame = fitted()
    path = save(model, tmp_path / "m", frame, example=True)
    flights(999)[0].to_csv(tmp_path / "few.csv", index=False)
    flights(1100)[0].drop(columns=["wind"]).to_parquet(tmp_path / "lacking.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    wanted = {None: "no rows were given", "few.csv": "999 rows were given", "lacking.parquet": "lack the columns wind", "broken.parquet": "cannot be read"}
    for name, words in wanted.items():
        report = prepare(path, str(tmp_path / "out"), name and str(tmp_path / name))
        assert report["form"] == "python" and words in report["reason"]
    assert report["example"]["ok"] and len(report["example"]["answer"]) == 2
    assert report["scan"]["verdict"] == "clean"


def test_rows_of_csv_serve_as_well(tmp_path):
    model, frame = fitted("ordinal", "as they are", "histogram", True)
    flights(nulls=True)[0].to_csv(tmp_path / "rows.csv", index=False)
    assert prepared(model, frame, tmp_path, str(tmp_path / "rows.csv"))["form"] == "onnx"


def test_a_model_that_does_not_load_is_told_with_its_own_words(tmp_path, rows_file):
    model, frame = fitted()
    path = save(model, tmp_path / "m", frame)
    (tmp_path / "m" / "model.pkl").write_bytes(b"\x80\x04cno_such_module\nThing\n.")
    report = prepare(path, str(tmp_path / "out"), rows_file)
    assert report["form"] == "none" and "no_such_module" in report["reason"] and "Traceback" in report["traceback"]
    assert report["scan"]["outside"] == [{"file": "model.pkl", "import": "no_such_module.Thing"}]


def test_models_without_signature_and_of_other_flavours_stay_in_python(tmp_path, rows_file):
    import mlflow

    model, frame = fitted()
    mlflow.sklearn.save_model(model, str(tmp_path / "bare"), serialization_format="cloudpickle", pip_requirements=[])
    assert "no signature" in prepare(str(tmp_path / "bare"), str(tmp_path / "a"), rows_file)["reason"]
    (tmp_path / "code.py").write_text(
        "import mlflow\nclass M(mlflow.pyfunc.PythonModel):\n    def predict(self, context, model_input, params=None):\n"
        "        return [1.0] * len(model_input)\nmlflow.models.set_model(M())\n"
    )
    mlflow.pyfunc.save_model(str(tmp_path / "other"), python_model=str(tmp_path / "code.py"), pip_requirements=[])
    report = prepare(str(tmp_path / "other"), str(tmp_path / "b"), rows_file)
    assert report["form"] == "python" and "only scikit-learn models are compiled" in report["reason"]
    assert report["scan"]["code"] == ["code.py"]


def test_an_estimator_without_a_pipeline(tmp_path, rows_with_nulls):
    frame, late = flights(nulls=True)
    model = RandomForestClassifier(10, max_depth=6, random_state=0).fit(frame[NUMBERS], late)
    report = prepared(model, frame[NUMBERS], tmp_path, rows_with_nulls)
    assert report["form"] == "onnx", report["reason"]
    assert report["parity"]["max_abs"] < 1e-12


def test_a_model_that_answers_by_chance_is_not_compiled(tmp_path, rows_file, monkeypatch):
    model, frame = fitted()
    path = save(model, tmp_path / "m", frame)
    rng = np.random.default_rng(0)
    plain = Model.predict
    monkeypatch.setattr(Model, "predict", lambda self, data, params=None: plain(self, data, params) + rng.normal(0, 1e-3, (len(data), 1)))
    report = prepare(path, str(tmp_path / "out"), rows_file)
    assert report["form"] == "python" and report["parity"]["max_abs"] > 1e-5


def test_the_command_writes_the_report(tmp_path, rows_file):
    import subprocess
    import sys

    model, frame = fitted("ordinal", "scaled", "logistic")
    path = save(model, tmp_path / "m", frame)
    command = [sys.executable, "-m", "slipway.prepare", "--model", path, "--rows", rows_file, "--out", str(tmp_path / "out"), "--rows-max", "1100"]
    done = subprocess.run(command, cwd=str(conftest.pathlib.Path(__file__).parents[1]), capture_output=True, text=True, check=True)
    assert "slipway-prepare: form onnx" in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["parity"]["cases"]["given rows"]["count"] == 1100 and report["parity"]["source_rows"] == 1500
    assert report["seconds"] > 0 and not list((tmp_path / "out").glob("*.partial"))


def test_logistic_without_probabilities_of_text_only(tmp_path):
    frame, late = flights(1200)
    frame[TEXTS].to_parquet(tmp_path / "rows.parquet")
    model = Pipeline([("code", OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=250)), ("model", LogisticRegression())]).fit(frame[TEXTS], late)
    report = prepared(model, frame[TEXTS], tmp_path, str(tmp_path / "rows.parquet"), "predict")
    assert report["form"] == "onnx", report["reason"]
