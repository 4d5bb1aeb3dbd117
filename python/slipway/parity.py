"""Does the compiled form answer what the Python form answers? Real rows, and those that break compiled models."""

import math
import random
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator

import numpy as np

from .model import BadInput, Model, ModelError
from .onnxform import CompiledForm, Refused

EDGES_MAX = 2000
MIXED_ROWS = 200
LISTED_MAX = 50
LISTED_ALIKE_MAX = 3
SINGLES = 20
#: Rows that the guards refuse, per kind of case, of which the Python form is asked whether it refuses them too.
STOPPED_ASKED = 16
UNSEEN = "never seen before \u2603"
_FLOAT32_MAX = 3.4028234663852886e38
_BOUNDS = (math.inf, 1e300, _FLOAT32_MAX, 1e30)

Row = list[Any]


class NothingToCompare(Exception):
    """The Python form answers nothing that can be compared."""


@dataclass
class Case:
    """Rows of one kind; ``alone``: each is asked by itself too, as a request of one row would be."""

    name: str
    rows: list[Row]
    alone: bool = False
    #: The column that was changed, where it is one.
    columns: list[str | None] = field(default_factory=list)


@dataclass
class Outcome:
    count: int = 0
    compared: int = 0
    refused_by_both: int = 0
    refused_by_one: int = 0
    max_abs: float = 0.0
    sum_abs: float = 0.0
    label_flips: int = 0

    def report(self) -> dict:
        return {
            "count": self.count, "compared": self.compared, "refused_by_both": self.refused_by_both,
            "refused_by_one": self.refused_by_one, "max_abs": number(self.max_abs),
            "mean_abs": number(self.sum_abs / self.compared if self.compared else 0.0), "label_flips": self.label_flips,
        }


def number(value: float) -> float | None:
    """JSON knows no infinity: an answer that is not comparable at all is told as null."""
    return value if math.isfinite(value) else None


class Parity:
    """Compares a form with the model; ``output`` is the form's output that the model's answer corresponds to."""

    def __init__(self, model: Model, form: CompiledForm, columns: list[str], output: dict, tolerance: float):
        self.model = model
        self.form = form
        self.columns = columns
        self.output = output
        self.tolerance = tolerance
        self.cases: dict[str, Outcome] = {}
        self.refused: list[dict] = []
        self.worst: dict | None = None

    # The Python form

    def ask(self, rows: list[Row]) -> np.ndarray:
        """The model's own answer by the way of a request. Raises BadInput and ModelError."""
        raw = self.model.predict(*self.model.parse("dataframe_split", {"columns": self.columns, "data": [list(row) for row in rows]}))
        answer = np.asarray(raw)
        if len(answer) != len(rows):
            raise NothingToCompare(f"the model answers {len(answer)} for {len(rows)} rows")
        return answer.reshape(len(rows), -1) if self.output["kind"] == "probabilities" else answer.reshape(len(rows))

    def ask_each(self, rows: list[Row]) -> list[np.ndarray | Exception]:
        """Each row's answer; a batch that is refused is asked again row by row."""
        try:
            return list(self.ask(rows))
        except (BadInput, ModelError) as error:
            if len(rows) == 1:
                return [error]
        half = len(rows) // 2
        return self.ask_each(rows[:half]) + self.ask_each(rows[half:])

    def narrow(self, base: Row) -> None:
        """Finds what the Python form refuses, column by column, and makes the guards refuse it too."""
        floats = [index for index, guard in enumerate(self.form.inputs) if guard.type in ("double", "float")]
        nullable = [index for index, guard in enumerate(self.form.inputs) if guard.nullable]
        # What is taken in all columns at once is taken in each: most models are done after three questions.
        all_null = not self._refuses(base, {index: None for index in nullable})
        all_infinite = not any(self._refuses(base, {index: sign for index in floats}) for sign in (math.inf, -math.inf))
        for index, guard in enumerate(self.form.inputs):
            if guard.nullable and not all_null and self._refuses(base, {index: None}):
                guard.nullable = False
            if index in floats and guard.values is None and not all_infinite:
                guard.minimum, guard.maximum = self._bound(base, index, -1.0), self._bound(base, index, 1.0)
            if guard.type == "string" and guard.values is None and self.form.compiler != "slipway":
                if self._refuses(base, {index: UNSEEN}):
                    raise NothingToCompare(f"the model refuses unknown values of {guard.name}, and which it knows is not told")

    def _refuses(self, base: Row, changes: dict[int, Any]) -> bool:
        row = [changes.get(index, value) for index, value in enumerate(base)]
        return isinstance(self.ask_each([row])[0], Exception)

    def _bound(self, base: Row, index: int, sign: float) -> float | None:
        for bound in _BOUNDS:
            if not self._refuses(base, {index: sign * bound}):
                # 1e300 stands for every finite double: what takes it minds only the infinities.
                largest = {1e300: float(np.finfo(np.float64).max)}.get(bound, bound)
                return None if math.isinf(bound) else sign * largest
        return sign * _BOUNDS[-1]

    # Comparing

    def compare(self, case: Case) -> None:
        outcome = self.cases.setdefault(case.name, Outcome())
        for start in range(0, len(case.rows), 5000):
            self._compare(case, outcome, case.rows[start : start + 5000], start, self.ask_each)
        if case.alone:
            self._compare(case, outcome, case.rows, 0, lambda rows: [self.ask_each([row])[0] for row in rows])

    def _compare(self, case: Case, outcome: Outcome, rows: list[Row], start: int, ask: Callable) -> None:
        passed: list[tuple[int, Row, Row]] = []
        stopped: list[tuple[int, Row, Refused]] = []
        for position, row in enumerate(rows, start):
            try:
                passed.append((position, row, self.form.admit(row)))
            except Refused as refusal:
                stopped.append((position, row, refusal))
        # One bad row spoils a whole request, so those that are let through are asked without the others.
        if passed:
            got = self.form.run([let for _, _, let in passed], self.output["name"])
            for (position, row, _), expected, answer in zip(passed, ask([row for _, row, _ in passed]), got):
                self._judge(case, outcome, position, row, expected, answer)
        asked = stopped[:: max(1, math.ceil(len(stopped) / STOPPED_ASKED))]
        outcome.count += len(stopped) - len(asked)
        for position, row, refusal in asked:
            self._judge(case, outcome, position, row, self.ask_each([row])[0], refusal)

    def _judge(self, case: Case, outcome: Outcome, position: int, row: Row, expected: Any, got: Any) -> None:
        name, column = case.name, case.columns[position] if case.columns else None
        outcome.count += 1
        refusals = [each for each in (expected, got) if isinstance(each, Exception)]
        if refusals:
            both = len(refusals) == 2
            outcome.refused_by_both += both
            outcome.refused_by_one += not both
            self._list_refusal(name, row, column, expected, got)
            return
        gap, flips = difference(self.output["kind"], expected, got)
        outcome.compared += 1
        outcome.label_flips += flips
        outcome.sum_abs += gap
        outcome.max_abs = max(outcome.max_abs, gap)
        if self.worst is None or gap > (math.inf if self.worst["difference"] is None else self.worst["difference"]):
            self.worst = {"case": name, "row": self._shown(row), "expected": _listed(expected), "got": _listed(got), "difference": number(gap)}

    def _shown(self, row: Row) -> dict:
        return {name: _listed(value) for name, value in zip(self.columns, row)}

    def _list_refusal(self, name: str, row: Row, column: str | None, expected: Any, got: Any) -> None:
        alike = sum(each["case"] == name and each["column"] == column for each in self.refused)
        if len(self.refused) >= LISTED_MAX or alike >= LISTED_ALIKE_MAX:
            return
        words = {"case": name, "column": column, "row": self._shown(row)}
        words["python"] = str(expected)[:300] if isinstance(expected, Exception) else _listed(expected)
        words["onnx"] = str(got)[:300] if isinstance(got, Exception) else _listed(got)
        self.refused.append(words)

    def report(self) -> dict:
        outcomes = self.cases.values()
        compared = sum(each.compared for each in outcomes)
        worst = max((each.max_abs for each in outcomes), default=0.0)
        one_sided = sum(each.refused_by_one for each in outcomes)
        return {
            "rows": sum(each.count for each in outcomes),
            "compared": compared,
            "tolerance": self.tolerance,
            "max_abs": number(worst),
            "mean_abs": number(sum(each.sum_abs for each in outcomes) / compared if compared else 0.0),
            "label_flips": sum(each.label_flips for each in outcomes),
            "refused_by_both": sum(each.refused_by_both for each in outcomes),
            "refused_by_one": one_sided,
            "cases": {name: outcome.report() for name, outcome in self.cases.items()},
            "refused": self.refused,
            "worst": self.worst,
            "ok": bool(compared > 0 and worst <= self.tolerance and one_sided == 0),
        }


def difference(kind: str, expected: Any, got: Any) -> tuple[float, int]:
    """How far two answers to one row are apart, and whether another class wins. Labels are 0 or 1 apart; values are told
    relative to their size where that is over 1."""
    if kind == "label":
        same = _listed(expected) == _listed(got)
        return (0.0 if same else 1.0), int(not same)
    a, b = np.atleast_1d(np.asarray(expected, dtype=np.float64)), np.atleast_1d(np.asarray(got, dtype=np.float64))
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        return math.inf, 1
    with np.errstate(invalid="ignore"):
        gaps = np.where(np.isnan(a) | (a == b), 0.0, np.abs(a - b))
    if kind == "value":
        gaps = gaps / np.maximum(1.0, np.where(np.isfinite(a), np.abs(a), 1.0))
        return float(gaps.max(initial=0.0)), 0
    gap = float(gaps.max(initial=0.0))
    # Two classes that are equal but for the last digit win in turns: no flip anybody could see.
    return gap, int(np.argmax(a) != np.argmax(b) and gap > 1e-12)


def _listed(value: Any) -> Any:
    """An answer or a cell for the report; what JSON has no number for is written as a word."""
    value = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
    if isinstance(value, list):
        return [_listed(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value if not isinstance(value, str) or len(value) < 200 else f"{value[:200]}\u2026"


def changed(row: Row, index: int, value: Any) -> Row:
    return [*row[:index], value, *row[index + 1 :]]


def adversarial(form: CompiledForm, rows: list[Row], edges: Iterator[tuple[int, float]], seed: int = 0) -> list[Case]:
    """The cases beside the given rows. ``edges``: (input, value) next to which a split decides."""
    rng = random.Random(seed)
    bases = [rows[rng.randrange(len(rows))] for _ in range(5)]
    numbers = [index for index, guard in enumerate(form.inputs) if guard.type in ("double", "float")]
    whole = [index for index, guard in enumerate(form.inputs) if guard.type in ("long", "integer")]
    texts = [index for index, guard in enumerate(form.inputs) if guard.type == "string"]
    name_of = [guard.name for guard in form.inputs]

    def by_column(name: str, indexes: list[int], values: Callable[[int], list[Any]], alone: bool) -> Case:
        case = Case(name, [], alone)
        for index in indexes:
            for value in values(index):
                for base in bases[: 2 if alone else 5]:
                    case.rows.append(changed(base, index, value))
                    case.columns.append(name_of[index])
        return case

    def column(index: int) -> list[float]:
        return sorted(row[index] for row in rows if row[index] is not None)

    def extremes(index: int) -> list[Any]:
        seen = column(index) or [0.0]
        span = [seen[0], seen[-1], 0.0, -0.0, seen[0] - 1, seen[-1] + 1, seen[0] * 1000, seen[-1] * 1000]
        if index in whole:
            return [int(each) for each in span] + [2**31 - 1, -(2**31)]
        return span + [1e-300, -1e-300, 1e30, -1e30, _FLOAT32_MAX, -_FLOAT32_MAX, 1e300, -1e300, math.inf, -math.inf]

    def variants(index: int) -> list[str]:
        known = [row[index] for row in rows[:200] if isinstance(row[index], str)]
        word = known[0] if known else "a"
        return [UNSEEN, word.lower() + " ", word.swapcase() + "_", "nan", "None", "0", "\u00e9\U0001f6eb" * 20, "x" * 5000]

    cases = [
        by_column("null", [*numbers, *texts, *whole], lambda _: [None], True),
        by_column("unseen category", texts, variants, True),
        by_column("empty text", texts, lambda _: [""], True),
        by_column("extremes", [*numbers, *whole], extremes, False),
    ]
    near = Case("next to a split", [])
    for index, value in edges:
        near.rows.append(changed(rows[rng.randrange(len(rows))], index, value))
        near.columns.append(name_of[index])
        if len(near.rows) >= EDGES_MAX:
            break
    cases.append(near)
    mixed = Case("several at once", [], False)
    for _ in range(MIXED_ROWS):
        row = list(rows[rng.randrange(len(rows))])
        for index in rng.sample([*numbers, *texts], min(len(numbers) + len(texts), rng.randint(2, 4))):
            others = [each[index] for each in rows[:500] if each[index] is not None]
            row[index] = None if rng.random() < 0.6 else UNSEEN if index in texts else (rng.choice(others) if others else 0.0)
        mixed.rows.append(row)
        mixed.columns.append(None)
    cases.append(mixed)
    return [case for case in cases if case.rows]


def neighbours(value: float) -> list[float]:
    """A value, the doubles and the float32 next to it, and the float32 that it is rounded to."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
        near = [
            value, np.nextafter(value, math.inf), np.nextafter(value, -math.inf), float(single),
            float(np.nextafter(single, np.float32(math.inf))), float(np.nextafter(single, np.float32(-math.inf))),
        ]
    return [float(each) for each in near if math.isfinite(each)]
