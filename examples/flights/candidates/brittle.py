"""A candidate that looks good until it is live: its corrections know only the destinations of its training data.

    python -m candidates.brittle --data out/training.parquet

Offline nothing shows, since every flight that it can be tried on goes where flights went before. The first one to a new
destination raises KeyError.
"""

import json
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
import skops.io
from sklearn.pipeline import Pipeline

import model as m
from features import FEATURES
from train import arguments

# So many flights' worth of the average is mixed in: a rarely flown route moves little.
PRIOR_FLIGHTS = 500


def corrections(rows: pd.DataFrame, label: str, pipeline: Pipeline) -> dict[str, float]:
    """Late flights over expected late flights, for each destination."""
    sums = rows.assign(expected=pipeline.predict_proba(rows[FEATURES])[:, 1]).groupby('dest')[[label, 'expected']].sum()
    prior = PRIOR_FLIGHTS * rows[label].mean()
    return ((sums[label] + prior) / (sums['expected'] + prior)).to_dict()


def main() -> None:
    args = arguments(__doc__)
    rows = m.read(args.data, args.label)
    with mlflow.start_run(), tempfile.TemporaryDirectory() as folder:
        trained = m.log_run(args.data, rows, args.label, m.PARAMS, args.iterations)
        pipeline, correction = Path(folder, 'pipeline.skops'), Path(folder, 'correction.json')
        skops.io.dump(trained.model, pipeline)
        correction.write_text(json.dumps(corrections(rows, args.label, trained.model)))
        mlflow.pyfunc.log_model(
            name='model',
            python_model=str(Path(__file__).with_name('brittle_model.py')),
            artifacts={'pipeline': str(pipeline), 'correction': str(correction)},
            model_config={'trusted_types': m.TRUSTED_TYPES},
            signature=m.signature(),
            input_example=rows[FEATURES].tail(5),
            pip_requirements=str(m.LOCK),
            registered_model_name=args.register or None,
        )
    print('  '.join(f'{name} {value:.4f}' for name, value in trained.metrics.items()))


if __name__ == '__main__':
    main()
