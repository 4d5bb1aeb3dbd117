"""Trains the flight-delay model on a Parquet of features and labels, tracks the run and registers the model.

    python train.py --data out/training.parquet
"""

import argparse
import os

import mlflow

import model as m
from features import FEATURES


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', default=os.environ.get('DATA'), help='Parquet file or folder; default $DATA')
    parser.add_argument('--label', default=os.environ.get('LABEL', 'late'))
    parser.add_argument('--register', default=m.MODEL_NAME, help='name in the registry; empty: do not register')
    parser.add_argument('--iterations', type=int, default=150)
    parser.add_argument('--learning-rate', type=float, default=0.06)
    parser.add_argument('--max-leaf-nodes', type=int, default=15)
    parser.add_argument('--min-samples-leaf', type=int, default=100)
    args = parser.parse_args()
    if not args.data:
        parser.error('say which data: --data FILE.parquet or DATA=FILE.parquet')
    return args


def main() -> None:
    args = arguments()
    params = {
        'learning_rate': args.learning_rate,
        'max_leaf_nodes': args.max_leaf_nodes,
        'min_samples_leaf': args.min_samples_leaf,
    }
    rows = m.read(args.data, args.label)
    older, newest = m.split(rows)
    with mlflow.start_run() as run:
        mlflow.log_params({**params, 'iterations': args.iterations, 'rows': len(rows), 'validation_rows': len(newest), 'threshold': m.THRESHOLD})
        m.log_data(args.data, rows, args.label)
        best, late = m.validate(older, newest, args.label, params, args.iterations)
        metrics = m.figures(newest[args.label].to_numpy(), late)
        mlflow.log_metrics(metrics)
        mlflow.log_dict(m.curves(newest[args.label].to_numpy(), late), 'curves.json')
        # The newest flights are the most telling ones: having served as the exam, they are learned from too.
        final = m.fit(rows, args.label, params, best)
        mlflow.log_param('best_iterations', best)
        info = mlflow.sklearn.log_model(
            final,
            name='model',
            signature=m.signature(),
            input_example=newest[FEATURES].head(5),
            pyfunc_predict_fn='predict_proba',
            skops_trusted_types=m.TRUSTED_TYPES,
            pip_requirements=str(m.LOCK),
            registered_model_name=args.register or None,
        )
    print(f'run {run.info.run_id}: {info.model_uri}, {best} iterations on {len(rows)} rows')
    print('  '.join(f'{name} {value:.4f}' for name, value in metrics.items()))


if __name__ == '__main__':
    main()
