"""From raw flights, weather and planes to one row a flight: what was known one hour before its scheduled departure.

Every record has a moment at which it becomes known, and a feature may only use records known by the moment of the
prediction:

- the schedule (carrier, route, times, tail number assigned) and the planes' register: always;
- a weather record labelled with hour H was taken somewhere in [H, H + 1 h): known when that hour has ended;
- a departure: at the moment the plane leaves;
- that a flight is late: as soon as it is still there more than `LATE_DEPARTURE_MIN` minutes after its time, so one that
  never leaves counts as late too.

Times are UTC (`datetime64[ns, UTC]`), durations minutes unless the name says otherwise.
"""

import numpy as np
import pandas as pd

NEW_YORK = 'America/New_York'
# The package's airports lack the four Caribbean ones; all keep UTC-4 through the year.
CARIBBEAN = {
    'BQN': 'America/Puerto_Rico',
    'PSE': 'America/Puerto_Rico',
    'SJU': 'America/Puerto_Rico',
    'STT': 'America/St_Thomas',
}

LEAD = pd.Timedelta(hours=1)
WINDOW = pd.Timedelta(hours=2)
WEATHER_HOUR = pd.Timedelta(hours=1)
WEATHER_MAX_AGE = pd.Timedelta(hours=3)
LATE_ARRIVAL_MIN = 30
LATE_DEPARTURE_MIN = 15

CATEGORICAL = ['carrier', 'origin', 'dest']
INTEGER = ['dep_hour', 'weekday', 'distance', 'sched_duration_min', 'known_departures_2h']
WEATHER = ['temp', 'dewp', 'humid', 'wind_dir', 'wind_speed', 'wind_gust', 'precip', 'pressure', 'visib']
FLOAT = [*WEATHER, 'plane_age_years', 'late_share_2h']
FEATURES = [*CATEGORICAL, *INTEGER, *FLOAT]


def _local(date: pd.Series, hhmm: pd.Series) -> pd.Series:
    """Naive local time from a date and a number such as 1754 (2400 is the next midnight)."""
    return date + pd.to_timedelta((hhmm // 100) * 60 + hhmm % 100, unit='min')


def _utc(local: pd.Series, zone: str) -> pd.Series:
    # An hour that occurs twice is read as its first (daylight) one; a time that does not exist moves to the next.
    first = np.ones(len(local), dtype=bool)
    utc = local.dt.tz_localize(zone, ambiguous=first, nonexistent='shift_forward').dt.tz_convert('UTC')
    return utc.astype('datetime64[ns, UTC]')


def _utc_by_zone(local: pd.Series, zones: pd.Series) -> pd.Series:
    parts = [_utc(local[zones == zone], zone) for zone in zones.unique()]
    return pd.concat(parts).reindex(local.index)


def schedule(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """Flights with their scheduled and actual moments in UTC, in event order.

    Adds `flight_key`, `sched_dep`, `sched_arr`, `event_time`, `dep` (NaT: never left), `label_time` and `late` (both
    null for cancelled and diverted flights, which never get a label).
    """
    f = flights.copy()
    date = pd.to_datetime(f[['year', 'month', 'day']])
    f['sched_dep'] = _utc(_local(date, f['sched_dep_time']), NEW_YORK)

    zones = f['dest'].map({**airports.set_index('faa')['tzone'].to_dict(), **CARIBBEAN})
    if zones.isna().any():
        raise ValueError(f'no time zone for {sorted(f.loc[zones.isna(), "dest"].unique())}: add it to CARIBBEAN')
    arr_local = _local(date, f['sched_arr_time'])
    arr = _utc_by_zone(arr_local, zones)
    # The arrival has no date of its own: it is the first one after the departure, by the calendar of its own airport.
    f['sched_arr'] = arr.where(arr > f['sched_dep'], _utc_by_zone(arr_local + pd.Timedelta(days=1), zones))

    f['event_time'] = f['sched_dep'] - LEAD
    f['dep'] = f['sched_dep'] + pd.to_timedelta(f['dep_delay'], unit='min')
    f['label_time'] = f['sched_arr'] + pd.to_timedelta(f['arr_delay'], unit='min')
    f['late'] = (f['arr_delay'] > LATE_ARRIVAL_MIN).astype('float').where(f['arr_delay'].notna())
    f['flight_key'] = (
        date.dt.strftime('%Y-%m-%d')
        + '-'
        + f['carrier'].astype(str)
        + f['flight'].astype(str)
        + '-'
        + f['origin'].astype(str)
    )
    return f.sort_values(['event_time', 'flight_key']).reset_index(drop=True)


def known_lateness(s: pd.DataFrame) -> pd.DataFrame:
    """Per flight, whether it left late and the moment from which that is known.

    On time: known at its departure. Late: known in the first minute in which it is overdue.
    """
    on_time = s['dep_delay'] <= LATE_DEPARTURE_MIN
    overdue = s['sched_dep'] + pd.Timedelta(minutes=LATE_DEPARTURE_MIN + 1)
    return pd.DataFrame({'origin': s['origin'], 'late': ~on_time, 'known': s['dep'].where(on_time, overdue)})


def _ns(times: pd.Series) -> np.ndarray:
    return times.dt.tz_convert('UTC').dt.tz_localize(None).to_numpy(dtype='datetime64[ns]').astype('int64')


def late_share(s: pd.DataFrame) -> pd.DataFrame:
    """`late_share_2h` (null when nothing is known) and `known_departures_2h` at the airport in (t - 2 h, t]."""
    out = pd.DataFrame({'late_share_2h': np.nan, 'known_departures_2h': 0}, index=s.index)
    known = known_lateness(s)
    for origin in s['origin'].unique():
        at = known[known['origin'] == origin].sort_values('known')
        moments = _ns(at['known'])
        late_before = np.concatenate([[0], np.cumsum(at['late'].to_numpy(dtype='int64'))])
        here = (s['origin'] == origin).to_numpy()
        t = _ns(s.loc[here, 'event_time'])
        first = np.searchsorted(moments, t - WINDOW.value, side='right')
        last = np.searchsorted(moments, t, side='right')
        n = last - first
        share = np.divide(late_before[last] - late_before[first], n, out=np.full(len(n), np.nan), where=n > 0)
        out.loc[here, 'late_share_2h'] = share
        out.loc[here, 'known_departures_2h'] = n
    return out


def latest_weather(s: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The airport's newest weather record whose hour has ended by the prediction, nulls if it began over 3 h before."""
    w = weather[['origin', *WEATHER]].copy()
    w['known'] = pd.to_datetime(weather['time_hour'], utc=True).astype('datetime64[ns, UTC]') + WEATHER_HOUR
    left = s[['origin', 'event_time']].reset_index().sort_values('event_time', kind='stable')
    joined = pd.merge_asof(
        left,
        w.sort_values('known'),
        left_on='event_time',
        right_on='known',
        by='origin',
        tolerance=WEATHER_MAX_AGE - WEATHER_HOUR,
    )
    return joined.set_index('index').sort_index()[WEATHER]


def build(flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """The feature table, a row a flight in event order: `flight_key`, `event_time`, FEATURES, `late`, `label_time`."""
    s = schedule(flights, airports)
    local = s['sched_dep'].dt.tz_convert(NEW_YORK)
    made = s['tailnum'].map(planes.drop_duplicates('tailnum').set_index('tailnum')['year'])
    rows = pd.DataFrame(
        {
            'flight_key': s['flight_key'],
            'event_time': s['event_time'],
            **{name: s[name].astype(str) for name in CATEGORICAL},
            'dep_hour': local.dt.hour,
            'weekday': local.dt.day_of_week,
            'distance': s['distance'],
            'sched_duration_min': (s['sched_arr'] - s['sched_dep']) // pd.Timedelta(minutes=1),
            'plane_age_years': (s['year'] - made).astype('float64'),
        }
    )
    rows = rows.join(late_share(s)).join(latest_weather(s, weather))
    rows['late'] = s['late']
    rows['label_time'] = s['label_time']
    rows[INTEGER] = rows[INTEGER].astype('int64')
    rows[FLOAT] = rows[FLOAT].astype('float64')
    return rows[['flight_key', 'event_time', *FEATURES, 'late', 'label_time']]
