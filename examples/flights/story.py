"""What is in the data, measured without a server: does the first model fail, when would it show, does a new one help?

    python prepare.py --out out && python story.py --data out

Prints the weeks of the live model, every gate with its paired bootstrap interval, and AUC by month of the frozen model,
of the live one and of one retrained each month. Days, not flights, are drawn anew: flights of one day share their
weather, and an interval over single flights would be too narrow. In a month in which the model changed, AUC pools the
scores of both.
"""

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import model as m
from features import FEATURES, NEW_YORK

WEEK = pd.Timedelta(days=7)


def lines(folder: Path) -> Iterator[list]:
    for path in sorted(folder.glob('*.ndjson.gz')):
        with gzip.open(path) as file:
            yield from map(json.loads, file)


def replayed(folder: Path) -> pd.DataFrame:
    """The labelled flights of the replay, as Slipway's own log of features and labels has them."""
    requests = pd.DataFrame(
        [{'event_time': t, 'flight_key': key, **features} for t, key, features in lines(folder / 'replay')]
    )
    labels = pd.DataFrame(list(lines(folder / 'labels')), columns=['label_time', 'flight_key', 'late'])
    rows = requests.merge(labels, on='flight_key')
    for name in ('event_time', 'label_time'):
        rows[name] = pd.to_datetime(rows[name], unit='ms', utc=True)
    return rows


def trained(rows: pd.DataFrame) -> m.Pipeline:
    return m.train(rows, 'late', m.PARAMS, m.ITERATIONS, lambda metrics, step: None).model


def auc(rows: pd.DataFrame, scores: np.ndarray) -> float:
    return roc_auc_score(rows['late'], scores)


def late(model: m.Pipeline, rows: pd.DataFrame) -> np.ndarray:
    return model.predict_proba(rows[FEATURES])[:, 1]


def interval(rows: pd.DataFrame, ours: np.ndarray, theirs: np.ndarray, by_day: bool, draws: int = 200) -> list[float]:
    """95 % of the difference of AUC, both models on the same draw."""
    rng = np.random.default_rng(0)
    truth = rows['late'].to_numpy()
    day = rows['event_time'].dt.tz_convert(NEW_YORK).dt.day_of_year.to_numpy()
    blocks = [np.flatnonzero(day == one) for one in np.unique(day)] if by_day else np.arange(len(rows)).reshape(-1, 1)
    differences = []
    for _ in range(draws):
        drawn = rng.integers(0, len(blocks), len(blocks))
        at = np.concatenate([blocks[i] for i in drawn]) if by_day else drawn
        differences.append(roc_auc_score(truth[at], ours[at]) - roc_auc_score(truth[at], theirs[at]))
    return [round(float(q), 3) for q in np.quantile(differences, [0.025, 0.975])]


def gate(
    rows: pd.DataFrame, now: pd.Timestamp, champion: m.Pipeline, days: int, replay_days: int
) -> tuple[m.Pipeline, dict]:
    """Trains on what was labelled before the replayed window, and judges both models on that window."""
    start = now - pd.Timedelta(days=replay_days)
    known = rows[(rows['label_time'] < start) & (rows['event_time'] >= start - pd.Timedelta(days=days))]
    window = rows[(rows['event_time'] >= start) & (rows['event_time'] < now) & (rows['label_time'] < now)]
    candidate = trained(known)
    ours, theirs = late(candidate, window), late(champion, window)
    return candidate, {
        'at': str(now.date()), 'rows': len(known), 'replayed': len(window),
        'champion': round(auc(window, theirs), 3), 'candidate': round(auc(window, ours), 3),
        'by_day': interval(window, ours, theirs, True), 'by_flight': interval(window, ours, theirs, False),
    }  # fmt: skip


def loop(rows: pd.DataFrame, first: m.Pipeline, args: argparse.Namespace) -> np.ndarray:
    """Scores of whichever model is live: a breach of the rule retrains, the gate decides, the winner serves on."""
    scores, live, below, quiet_until = np.full(len(rows), np.nan), first, 0, pd.Timestamp.min.tz_localize('UTC')
    start, end = pd.Timestamp('2013-04-01', tz=NEW_YORK).tz_convert('UTC'), rows['event_time'].max()
    while start <= end:
        stop = start + WEEK
        week = ((rows['event_time'] >= start) & (rows['event_time'] < stop)).to_numpy()
        scores[week] = late(live, rows[week])
        figure = auc(rows[week], scores[week])
        below = below + 1 if figure < args.below else 0
        print(f'week of {start.date()}  n {week.sum()}  auc {figure:.3f}{"  below" if below else ""}')
        if below >= args.windows and stop >= quiet_until:
            candidate, verdict = gate(rows, stop, live, args.days, args.replay_days)
            accepted = verdict['by_day'][0] > args.margin
            print(f'  {"accepted" if accepted else "refused"}: {verdict}')
            live, below, quiet_until = candidate if accepted else live, 0, stop + pd.Timedelta(days=28)
        start = stop
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True, help='what prepare.py wrote')
    parser.add_argument('--below', type=float, default=0.73, help='AUC of a week that counts as failing')
    parser.add_argument('--windows', type=int, default=2, help='failing weeks in a row that make a breach')
    parser.add_argument('--days', type=int, default=90, help='of the log to retrain on')
    parser.add_argument('--replay-days', type=int, default=28, help='newest days of the log, kept for the gate')
    parser.add_argument('--margin', type=float, default=0.0, help='the interval by day must lie above it')
    args = parser.parse_args()
    training = pd.concat([pd.read_parquet(args.data / f'{name}.parquet') for name in ('training', 'holdout')])
    rows = replayed(args.data)
    first = trained(m.read(str(args.data / 'training.parquet'), 'late'))
    rows['live'] = loop(rows, first, args)
    rows['frozen'] = late(first, rows)

    everything = pd.concat([training, rows])
    month = rows['event_time'].dt.tz_convert(NEW_YORK).dt.month
    print('month  frozen  live   monthly')
    for number, part in rows.groupby(month):
        begin = pd.Timestamp(year=2013, month=number, day=1, tz=NEW_YORK)
        known = everything[
            (everything['label_time'] < begin) & (everything['event_time'] >= begin - pd.Timedelta(days=90))
        ]
        monthly = auc(part, late(trained(known), part))
        print(f'{number:5}  {auc(part, part["frozen"]):.3f}   {auc(part, part["live"]):.3f}  {monthly:.3f}')


if __name__ == '__main__':
    main()
