"""A candidate that must not pass: trained like the real one, on labels that were dealt out anew.

python -m candidates.shuffled --data out/training.parquet
"""

import mlflow
import numpy as np

import model as m
from train import arguments


def main() -> None:
    args = arguments(__doc__)
    rows = m.read(args.data, args.label)
    rows[args.label] = np.random.default_rng(0).permutation(rows[args.label].to_numpy())
    with mlflow.start_run():
        trained = m.log_run(args.data, rows, args.label, m.PARAMS, args.iterations)
        m.log_model(trained.model, rows, args.register or None)
    print('  '.join(f'{name} {value:.4f}' for name, value in trained.metrics.items()))


if __name__ == '__main__':
    main()
