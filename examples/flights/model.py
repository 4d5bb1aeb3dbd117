"""The model, its data and its figures, shared by train.py and the candidates."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, Schema, TensorSpec
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, precision_recall_fscore_support, roc_auc_score, roc_curve
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from features import CATEGORICAL, FEATURES, FLOAT, INTEGER

MODEL_NAME = 'flight-delay'
# A flight is called late from this probability on: about one in six is, so 0.5 would hardly ever be reached. The endpoint's
# threshold in slipway.yaml is the same: run and monitor speak of one classifier.
THRESHOLD = 0.3
VALIDATION_SHARE = 0.2
CHUNK = 15
PARAMS = {'learning_rate': 0.06, 'max_leaf_nodes': 15, 'min_samples_leaf': 100}
ITERATIONS = 150
LOCK = Path(__file__).with_name('environment.lock')
# What MLflow's safe format (skops) has to be told to load; nothing of it runs code of ours.
TRUSTED_TYPES = [
    'sklearn._loss._loss.CyHalfBinomialLoss',
    'sklearn._loss.link.Interval',
    'sklearn._loss.link.LogitLink',
    'sklearn._loss.loss.HalfBinomialLoss',
    'sklearn.ensemble._hist_gradient_boosting.binning._BinMapper',
    'sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor',
]


class Trained(NamedTuple):
    model: Pipeline
    iterations: int
    validation_rows: int
    metrics: dict[str, float]
    curves: dict[str, list]


def signature() -> ModelSignature:
    """Inputs by name; floating columns may be null. Output: probabilities of on time and late, shape (rows, 2)."""
    inputs = [
        *[ColSpec('string', name) for name in CATEGORICAL],
        *[ColSpec('long', name) for name in INTEGER],
        *[ColSpec('double', name) for name in FLOAT],
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([TensorSpec(np.dtype('float64'), (-1, 2))]))


def read(path: str, label: str) -> pd.DataFrame:
    """Labelled rows in event order: FEATURES, the label as 0/1 in column `label`.

    `path` is a Parquet file or a folder of them. Raises ValueError naming what is missing.
    """
    rows = pd.read_parquet(path)
    missing = [name for name in [*FEATURES, label] if name not in rows.columns]
    if missing:
        raise ValueError(f'{path} lacks the columns {missing}; it has {list(rows.columns)}')
    rows = rows[rows[label].notna()]
    if 'event_time' in rows.columns:
        rows = rows.sort_values('event_time', kind='stable')
    if rows[label].nunique() < 2:
        raise ValueError(f'{path} has {len(rows)} labelled rows and only one value in {label!r}: nothing to learn from')
    types = {**dict.fromkeys(CATEGORICAL, 'str'), **dict.fromkeys(INTEGER, 'int64'), **dict.fromkeys(FLOAT, 'float64')}
    return rows[[*FEATURES, label]].astype({**types, label: 'int64'}).reset_index(drop=True)


def split(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The older rows to fit, the newest fifth to validate: a model is judged on flights after those it has seen."""
    cut = int(len(rows) * (1 - VALIDATION_SHARE))
    return rows.iloc[:cut], rows.iloc[cut:]


def pipeline(params: dict) -> Pipeline:
    """Ordinal codes in front of gradient boosting; categories never seen and nulls get a code of their own."""
    codes = OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1, encoded_missing_value=-2)
    columns = ColumnTransformer([('codes', codes, CATEGORICAL), ('numbers', 'passthrough', INTEGER + FLOAT)])
    return Pipeline(
        [
            ('columns', columns),
            ('boosting', HistGradientBoostingClassifier(**params, early_stopping=False, random_state=0)),
        ]
    )


def validation_curve(
    older: pd.DataFrame, newest: pd.DataFrame, label: str, params: dict, iterations: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Fits the older rows in chunks; after each: iterations so far, the newest rows' probabilities of being late."""
    trial = pipeline(params)
    x, y = trial[:-1].fit_transform(older[FEATURES]), older[label]
    held_out = trial[:-1].transform(newest[FEATURES])
    boosting = trial[-1].set_params(warm_start=True)
    for step in range(CHUNK, iterations + 1, CHUNK):
        yield step, boosting.set_params(max_iter=step).fit(x, y).predict_proba(held_out)[:, 1]


def train(rows: pd.DataFrame, label: str, params: dict, iterations: int, log: Callable[[dict, int], None]) -> Trained:
    """Finds the number of iterations on the newest fifth, then learns from all rows with it.

    `log(metrics, step)` is told of the validation curve while it grows. The figures are of the newest fifth, judged by
    the model that had not seen it.
    """
    older, newest = split(rows)
    truth = newest[label].to_numpy()
    best = (np.inf, 0, np.empty(0))
    for step, late in validation_curve(older, newest, label, params, iterations):
        loss = log_loss(truth, late)
        log({'validation_log_loss': loss, 'validation_auc': roc_auc_score(truth, late)}, step)
        best = min(best, (loss, step, late), key=lambda tried: tried[0])
    _, chosen, late = best
    model = pipeline({**params, 'max_iter': chosen}).fit(rows[FEATURES], rows[label])
    return Trained(model, chosen, len(newest), figures(truth, late), curves(truth, late))


def figures(truth: np.ndarray, late: np.ndarray) -> dict[str, float]:
    """Quality of predicted probabilities of being late against 0/1 truth."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, late >= THRESHOLD, average='binary', zero_division=0
    )
    return {
        'auc': roc_auc_score(truth, late),
        'log_loss': log_loss(truth, late),
        'accuracy': float(np.mean((late >= THRESHOLD) == truth)),
        'precision': precision,
        'recall': recall,
        'f1': f1,
    }


def curves(truth: np.ndarray, late: np.ndarray) -> dict[str, list]:
    """ROC (at most 101 points) and calibration by tenths of the predictions, as plain lists for a chart."""
    wrong, right, _ = roc_curve(truth, late)
    at = np.linspace(0, len(wrong) - 1, min(101, len(wrong))).astype(int)
    tenths = pd.DataFrame({'truth': truth, 'late': late}).groupby(pd.qcut(late, 10, labels=False, duplicates='drop'))
    return {
        'roc': [
            {'false_positive_rate': float(a), 'true_positive_rate': float(b)}
            for a, b in zip(wrong[at], right[at], strict=True)
        ],
        'calibration': [
            {'predicted': float(g['late'].mean()), 'observed': float(g['truth'].mean()), 'rows': len(g)}
            for _, g in tenths
        ],
    }


def log_run(path: str, rows: pd.DataFrame, label: str, params: dict, iterations: int) -> Trained:
    """Trains inside the active run: params, the dataset as input, the curve while it grows, figures, charts."""
    mlflow.log_params({**params, 'max_iterations': iterations, 'rows': len(rows), 'threshold': THRESHOLD})
    log_data(path, rows, label)
    trained = train(rows, label, params, iterations, lambda metrics, step: mlflow.log_metrics(metrics, step=step))
    mlflow.log_params({'iterations': trained.iterations, 'validation_rows': trained.validation_rows})
    mlflow.log_metrics(trained.metrics)
    mlflow.log_dict(trained.curves, 'curves.json')
    return trained


def log_model(model: Pipeline, rows: pd.DataFrame, register: str | None) -> ModelInfo:
    return mlflow.sklearn.log_model(
        model,
        name='model',
        signature=signature(),
        input_example=rows[FEATURES].tail(5),
        pyfunc_predict_fn='predict_proba',
        skops_trusted_types=TRUSTED_TYPES,
        pip_requirements=str(LOCK),
        registered_model_name=register,
    )


def log_data(path: str, rows: pd.DataFrame, label: str) -> None:
    """Names the dataset as the run's input; a single file by the first 32 hex digits of its SHA-256."""
    digest = None
    if os.path.isfile(path):
        with open(path, 'rb') as file:
            digest = hashlib.file_digest(file, 'sha256').hexdigest()[:32]
    data = mlflow.data.from_pandas(
        rows, source=path, targets=label, name=os.environ.get('DATASET_NAME', 'flights'), digest=digest
    )
    mlflow.log_input(data, context='training')
