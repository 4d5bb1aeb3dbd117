"""Trains the flight-delay model on a Parquet of features and labels, tracks the run and registers the model.

python train.py --data out/training.parquet
"""

import argparse
import os

import mlflow

import model as m


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', default=os.environ.get('DATA'), help='Parquet file or folder; default $DATA')
    parser.add_argument('--label', default=os.environ.get('LABEL', 'late'), help='column with 0 or 1, null: not known')
    parser.add_argument('--register', default=m.MODEL_NAME, help='name in the registry; empty: do not register')
    parser.add_argument(
        '--iterations', type=int, default=m.ITERATIONS, help='the most; validation says how many are kept'
    )
    args = parser.parse_args()
    if not args.data:
        parser.error('say which data: --data FILE.parquet or DATA=FILE.parquet')
    return args


def main() -> None:
    args = arguments(__doc__)
    rows = m.read(args.data, args.label)
    with mlflow.start_run() as run:
        trained = m.log_run(args.data, rows, args.label, m.PARAMS, args.iterations)
        info = m.log_model(trained.model, rows, args.register or None)
    print(f'run {run.info.run_id}: {info.model_uri}, {trained.iterations} iterations on {len(rows)} rows')
    print('  '.join(f'{name} {value:.4f}' for name, value in trained.metrics.items()))


if __name__ == '__main__':
    main()
