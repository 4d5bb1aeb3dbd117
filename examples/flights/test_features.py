"""No feature uses later knowledge: recomputed slowly from what was known, unmoved by any change of what came later."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import features as f
import model
import prepare

MINUTE = pd.Timedelta(minutes=1)
# A stretch with a storm (8 March), the change to daylight saving time (10 March) and many cancellations.
FIRST_DAY, LAST_DAY = '2013-03-04', '2013-03-12'


@pytest.fixture(scope='module')
def raw():
    tables = prepare.raw_tables()
    flights = tables['flights']
    day = pd.to_datetime(flights[['year', 'month', 'day']])
    tables['flights'] = flights[(day >= FIRST_DAY) & (day <= LAST_DAY)].reset_index(drop=True)
    return tables


@pytest.fixture(scope='module')
def rows(raw):
    return f.build(**raw)


@pytest.fixture(scope='module')
def planned(raw):
    return f.schedule(raw['flights'], raw['airports']).set_index('flight_key')


def known_records(planned: pd.DataFrame, weather: pd.DataFrame, moment: pd.Timestamp) -> tuple[list, list]:
    """Departures and weather records that somebody at the airport has at `moment`, as plain dictionaries."""
    left = planned[planned['dep'] <= moment]
    departures = [{'flight': key, 'at': at} for key, at in left['dep'].items()]
    hour = pd.to_datetime(weather['time_hour'], utc=True)
    ended = (hour + pd.Timedelta(hours=1) <= moment) & (hour > moment - pd.Timedelta(hours=12))
    return departures, weather[ended].to_dict('records')


def slow_features(flight: pd.Series, timetable: pd.DataFrame, departures: list, weather: list, planes: dict) -> dict:
    moment = flight['sched_dep'] - pd.Timedelta(hours=1)
    left = {record['flight']: record['at'] for record in departures}
    late = on_time = 0
    near = timetable[
        (timetable['origin'] == flight['origin']) & ((timetable['sched_dep'] - moment).abs() < pd.Timedelta(days=1))
    ]
    for key, due in near['sched_dep'].items():
        overdue = due + 16 * MINUTE
        if key in left and left[key] < overdue:
            on_time += moment - pd.Timedelta(hours=2) < left[key] <= moment
        elif overdue <= moment:
            late += moment - pd.Timedelta(hours=2) < overdue

    newest = None
    for record in weather:
        hour = pd.Timestamp(record['time_hour'])
        if record['origin'] == flight['origin'] and moment - hour <= pd.Timedelta(hours=3):
            newest = record if newest is None or hour > pd.Timestamp(newest['time_hour']) else newest
    local = flight['sched_dep'].tz_convert('America/New_York')
    return {
        'carrier': flight['carrier'],
        'origin': flight['origin'],
        'dest': flight['dest'],
        'dep_hour': local.hour,
        'weekday': local.weekday(),
        'distance': flight['distance'],
        'sched_duration_min': (flight['sched_arr'] - flight['sched_dep']).total_seconds() / 60,
        'known_departures_2h': late + on_time,
        'late_share_2h': late / (late + on_time) if late + on_time else np.nan,
        'plane_age_years': 2013 - planes.get(flight['tailnum'], np.nan),
        **{name: newest[name] if newest else np.nan for name in f.WEATHER},
    }


def test_equal_to_a_slow_computation_from_known_records_only(raw, rows, planned):
    timetable = planned[['origin', 'sched_dep']]
    planes = raw['planes'].set_index('tailnum')['year'].to_dict()
    sample = rows.sample(100, random_state=1)
    assert sample['late'].isna().any(), 'the sample has cancelled flights too'
    for row in sample.to_dict('records'):
        departures, weather = known_records(planned, raw['weather'], row['event_time'])
        expected = slow_features(planned.loc[row['flight_key']], timetable, departures, weather, planes)
        numbers = {name: pytest.approx(row[name], nan_ok=True) for name in f.INTEGER + f.FLOAT}
        assert expected == {name: row[name] for name in f.CATEGORICAL} | numbers


@pytest.mark.parametrize('moment', ['2013-03-06 14:07', '2013-03-08 11:30', '2013-03-10 12:00'])
def test_nothing_that_becomes_known_later_changes_a_feature(raw, rows, moment):
    """Scrambles every departure, arrival and weather record that is known only after the moment."""
    moment = pd.Timestamp(moment, tz=f.NEW_YORK).tz_convert('UTC')
    rng = np.random.default_rng(0)
    flights, weather = raw['flights'].copy(), raw['weather'].copy()
    planned = (
        f.schedule(flights.assign(position=range(len(flights))), raw['airports']).set_index('position').sort_index()
    )

    still_here = (planned['dep'].isna() | (planned['dep'] > moment)).to_numpy()
    earliest = np.maximum(((moment - planned['sched_dep']) / MINUTE).to_numpy() // 1 + 1, -30)
    delay = earliest + rng.integers(0, 300, len(flights))
    delay = np.where(rng.random(len(flights)) < 0.3, np.nan, delay)
    flights['dep_delay'] = np.where(still_here, delay, flights['dep_delay'])
    flights['dep_time'] = np.where(still_here, np.nan, flights['dep_time'])
    in_the_air = (planned['label_time'].isna() | (planned['label_time'] > moment)).to_numpy()
    for name in ('arr_delay', 'arr_time', 'air_time'):
        flights[name] = np.where(in_the_air, rng.integers(0, 500, len(flights)), flights[name])
    later = (pd.to_datetime(weather['time_hour'], utc=True) + pd.Timedelta(hours=1) > moment).to_numpy()
    for name in f.WEATHER:
        weather[name] = np.where(later, rng.normal(size=len(weather)) * 1000, weather[name])

    changed = f.build(flights, weather, raw['planes'], raw['airports'])
    before = rows['event_time'] <= moment
    assert before.sum() > 1000
    pd.testing.assert_frame_equal(rows.loc[before, f.FEATURES], changed.loc[before, f.FEATURES])
    after = ~before
    for name in ('late_share_2h', 'temp', 'late'):
        assert not rows.loc[after, name].equals(changed.loc[after, name]), (
            f'the change must reach {name} of later flights'
        )


def test_the_rows_held_out_come_after_everything_that_a_model_learned_from(rows, monkeypatch):
    begin = pd.Timestamp('2013-03-09', tz=f.NEW_YORK)
    monkeypatch.setattr(prepare, 'HELD_OUT_FROM', begin)
    training, held_out = prepare.hold_out(rows[rows['late'].notna()])
    assert (training['label_time'] < begin).all() and (held_out['event_time'] >= begin).all()
    assert not set(training['flight_key']) & set(held_out['flight_key']) and len(training) and len(held_out)


def test_run_and_endpoint_speak_of_one_threshold():
    project = yaml.safe_load((Path(__file__).parent / 'slipway.yaml').read_text())
    assert project['endpoints']['delay']['threshold'] == model.THRESHOLD


def test_times_are_right_across_zones_and_daylight_saving(planned):
    for day, offset in (('2013-03-08', 5), ('2013-03-11', 4)):
        here = planned[planned['sched_dep'].dt.tz_convert(f.NEW_YORK).dt.strftime('%Y-%m-%d') == day]
        utc_hour = (here['sched_dep_time'] // 100 + offset) % 24
        assert (here['sched_dep'].dt.hour == utc_hour).all()
    assert (pd.to_datetime(planned['time_hour'], utc=True) == planned['sched_dep'].dt.floor('h')).all(), (
        "the package's own UTC hour"
    )
    duration = (planned['sched_arr'] - planned['sched_dep']) / MINUTE
    flown = planned['air_time'].notna()
    taxi = duration[flown] - planned.loc[flown, 'air_time']
    assert duration.between(30, 720).all() and taxi.median() == pytest.approx(35, abs=15)


def test_labels_come_after_landing_and_never_for_flights_that_did_not_arrive(rows, planned):
    of = planned.loc[rows['flight_key']].reset_index()
    arrived = of['arr_delay'].notna()
    assert (rows['late'].notna() == arrived).all() and (rows['label_time'].notna() == arrived).all()
    assert (rows.loc[arrived, 'late'] == (of.loc[arrived, 'arr_delay'] > 30)).all()
    flying = of['dep'] + pd.to_timedelta(of['air_time'], unit='min')
    assert (rows.loc[arrived, 'label_time'] >= flying[arrived]).all()
    assert rows['flight_key'].is_unique and rows['event_time'].is_monotonic_increasing
    assert rows['plane_age_years'].isna().any(), 'unknown planes stay null'
