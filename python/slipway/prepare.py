"""Prepares a model version: ``python -m slipway.prepare --model DIR --rows FILE --out DIR``.

Scans the files without running them, loads the model once, asks it for its input example, compiles it to ONNX where it is a
scikit-learn model, and compares the two forms. Writes ``report.json`` and, when the compiled form may serve, ``model.onnx``
into the output folder. Exits with 0 when a report was written, whatever it says; ``form`` is ``onnx``, ``python`` or
``none`` (the model does not load), ``reason`` says why it is not ``onnx``.
"""

import argparse
import json
import os
import sys
import time
import traceback
from typing import Any, Iterator

from . import __version__
from .model import BadInput, Model, ModelError, TRACEBACK_CHARS_MAX, calm_threads, installed, json_of, python_version, rendered
from .scan import scan

ROWS_MIN = 1000
ROWS_MAX = 5000
TOLERANCE = 1e-5
REPORT_FORMAT = 1


class NotCompiled(Exception):
    """Why the Python form serves; the message is the report's reason."""

    def __init__(self, reason: str, parity: dict | None = None):
        super().__init__(reason)
        self.parity = parity


def prepare(model_dir: str, out_dir: str, rows: str | None, tolerance: float = TOLERANCE, rows_max: int = ROWS_MAX,
            rows_min: int = ROWS_MIN, compile_form: bool = True) -> dict:
    """Does all of it and answers the report, which is also written."""
    started = time.monotonic()
    os.makedirs(out_dir, exist_ok=True)
    report: dict[str, Any] = {"format": REPORT_FORMAT, "form": "none", "reason": None, "slipway": __version__, "python": python_version()}
    note("scanning the files")
    report["scan"] = scan(model_dir)
    note("loading the model")
    try:
        model = Model(model_dir)
    except Exception as error:
        report["reason"] = f"the model does not load: {type(error).__name__}: {error}"[:2000]
        report["traceback"] = traceback.format_exc()[-TRACEBACK_CHARS_MAX:]
        return write(out_dir, report, started)
    report["versions"] = installed(
        ("mlflow", "mlflow-skinny", "scikit-learn", "numpy", "pandas", "scipy", "onnx", "onnxruntime", "skl2onnx")
    )
    report["flavours"] = sorted(model.metadata.flavors or {})
    report["signature"] = json_of(model.metadata.signature) if model.metadata.signature else None
    report["load_ms"] = model.load_ms
    report["example"] = ask_example(model)
    report["form"] = "python"
    try:
        if not compile_form:
            raise NotCompiled("compiling was not asked for")
        form, facts = compiled(model, rows, tolerance, rows_max, rows_min)
        report.update(facts)
        report["form"] = "onnx"
        partial = os.path.join(out_dir, "model.onnx.partial")
        with open(partial, "wb") as file:
            file.write(form.model)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, os.path.join(out_dir, "model.onnx"))
    except NotCompiled as why:
        report["reason"] = str(why)[:2000]
        if why.parity:
            report["parity"] = why.parity
    return write(out_dir, report, started)


def ask_example(model: Model) -> dict | None:
    """The model's answer to the example that it was saved with; None when there is none."""
    try:
        text = model.metadata.get_serving_input(model.path)
    except Exception as error:
        return {"ok": False, "message": f"the input example cannot be read: {error}"[:2000]}
    if not text:
        return None
    try:
        started = time.perf_counter()
        answer = rendered(model.predict(*model.parse("json", text)))
        return {"ok": True, "took_ms": round((time.perf_counter() - started) * 1000, 3), "answer": bounded(answer)}
    except (BadInput, ModelError) as error:
        return {"ok": False, "message": str(error), "traceback": getattr(error, "traceback", None)}


def bounded(answer: Any) -> Any:
    from .frames import _take_out

    plain = _take_out(answer, [], [])
    return plain if len(json.dumps(plain)) < 10_000 else None


def compiled(model: Model, rows_path: str | None, tolerance: float, rows_max: int, rows_min: int) -> tuple[Any, dict]:
    """The compiled form and what the report says of it. Raises NotCompiled."""
    columns, raw, kind = compilable(model)
    rows, total = parity_rows(rows_path, [name for name, _ in columns], rows_max, rows_min)
    rows = [[typed(value, column_type) for value, (_, column_type) in zip(row, columns)] for row in rows]
    reasons: list[str] = []
    judged: dict | None = None
    for compiler in (own, second):
        try:
            form = compiler(raw, columns)
        except Exception as error:
            reasons.append(f"not compiled: {error}" if type(error).__name__ == "Unsupported" else f"not compiled: {type(error).__name__}: {error}")
            continue
        note(f"comparing the two forms ({form.compiler})")
        output = next((each for each in form.outputs if each["kind"] == kind), None)
        if output is None:
            reasons.append(f"the model answers {kind}, the compiled form does not")
            continue
        try:
            parity = judge(model, raw, form, columns, output, rows, tolerance)
        except Exception as error:
            reasons.append(f"the compiled form ({form.compiler}) cannot be compared: {type(error).__name__}: {error}")
            continue
        parity["source_rows"] = total
        parity["compiler"] = form.compiler
        if parity["ok"]:
            inputs = [guard.describe() for guard in form.inputs]
            return form, {"compiler": form.compiler, "inputs": inputs, "outputs": form.outputs, "answer": answer_of(output),
                          "parity": parity, "notes": reasons}
        judged = judged or parity
        reasons.append(verdict(parity))
    raise NotCompiled("; ".join(dict.fromkeys(reasons)), judged)


def own(raw: Any, columns: list[tuple[str, str]]) -> Any:
    from .onnxform import compile_pipeline

    return compile_pipeline(raw, columns)


def second(raw: Any, columns: list[tuple[str, str]]) -> Any:
    from .onnxform.by_skl2onnx import compile_by_skl2onnx

    return compile_by_skl2onnx(raw, columns)


def verdict(parity: dict) -> str:
    if parity["refused_by_one"]:
        return f"{parity['refused_by_one']} rows are answered by one form and refused by the other ({parity['compiler']})"
    worst = parity["worst"] or {}
    gap = "incomparable" if parity["max_abs"] is None else f"{parity['max_abs']:.3g}"
    return f"the forms differ by {gap} (tolerance {parity['tolerance']:g}), most in the case {worst.get('case')!r} ({parity['compiler']})"


def compilable(model: Model) -> tuple[list[tuple[str, str]], Any, str]:
    """Columns of the signature, the scikit-learn model, and which output the pyfunc answers with. Raises NotCompiled."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise NotCompiled(f"{error.name} is not installed beside the model") from error
    flavours = model.metadata.flavors or {}
    if "sklearn" not in flavours:
        raise NotCompiled(f"only scikit-learn models are compiled; this one is {', '.join(sorted(flavours)) or 'of no flavour'}")
    if model.schema is None or not model.schema.has_input_names() or model.schema.is_tensor_spec():
        raise NotCompiled("the model has no signature that names and types its input columns")
    columns = []
    for spec in model.schema.inputs:
        kind = getattr(spec.type, "name", None)
        if kind is None or not isinstance(spec.name, str):
            raise NotCompiled(f"the input {spec.name!r} is no plain column")
        columns.append((spec.name, kind))
    raw = model.raw()
    called = flavours.get("python_function", {}).get("predict_fn") or "predict"
    if called == "predict_proba":
        return columns, raw, "probabilities"
    if called != "predict":
        raise NotCompiled(f"the model answers by {called}; predict and predict_proba are compiled")
    return columns, raw, "label" if hasattr(raw, "classes_") else "value"


def parity_rows(path: str | None, columns: list[str], rows_max: int, rows_min: int) -> tuple[list[list[Any]], int]:
    from .rows import RowsError, read_rows

    if path is None:
        raise NotCompiled(f"no rows were given to compare the forms on; at least {rows_min} are needed")
    try:
        rows, total = read_rows(path, columns, rows_max)
    except RowsError as error:
        raise NotCompiled(str(error)) from error
    if total < rows_min:
        raise NotCompiled(f"{total} rows were given to compare the forms on; at least {rows_min} are needed")
    return rows, total


def typed(value: Any, kind: str) -> Any:
    """A stored cell as a client would send it for a column of that type."""
    if value is None:
        return None
    if kind in ("double", "float") and isinstance(value, (int, float)):
        return float(value)
    if kind in ("long", "integer") and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "boolean" and value in (0, 1):
        return bool(value)
    return value


def judge(model: Model, raw: Any, form: Any, columns: list[tuple[str, str]], output: dict, rows: list[list[Any]], tolerance: float) -> dict:
    from .parity import SINGLES, Case, Parity, adversarial

    parity = Parity(model, form, [name for name, _ in columns], output, tolerance)
    answers = parity.ask_each(rows[:200])
    good = next((row for row, answer in zip(rows, answers) if not isinstance(answer, Exception)), None)
    if good is None:
        raise NotCompiled(f"the model refuses the given rows: {answers[0]}")
    parity.narrow(good)
    parity.compare(Case("given rows", rows))
    parity.compare(Case("given rows, one by one", rows[:SINGLES], alone=True))
    for case in adversarial(form, rows, edges_of(raw, form, columns, rows)):
        parity.compare(case)
    return parity.report()


def edges_of(raw: Any, form: Any, columns: list[tuple[str, str]], rows: list[list[Any]]) -> Iterator[tuple[int, float]]:
    """Values of single inputs that stand on, or next to, a split threshold of the trees behind the transformers."""
    from .edges import thresholds_by_input
    from .parity import neighbours

    for index, value in thresholds_by_input(raw, form, columns, rows):
        for near in neighbours(value):
            yield index, near


def answer_of(output: dict) -> dict:
    """How the pyfunc's answer is made from the outputs: row n of ``output`` is prediction n."""
    return {"output": output["name"], "kind": output["kind"], "row": "array" if output["kind"] == "probabilities" else "value"}


def note(words: str) -> None:
    print(f"slipway-prepare: {words}", flush=True)


def write(out_dir: str, report: dict, started: float) -> dict:
    report["seconds"] = round(time.monotonic() - started, 2)
    partial = os.path.join(out_dir, "report.json.partial")
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1, allow_nan=False, default=str)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, os.path.join(out_dir, "report.json"))
    return report


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m slipway.prepare", description="Scan, load, compile and compare a model version.")
    parser.add_argument("--model", required=True, help="folder of the MLflow model")
    parser.add_argument("--rows", help="Parquet or CSV with rows that the model was trained on")
    parser.add_argument("--out", required=True, help="folder for report.json and model.onnx")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="largest difference between the forms (default 1e-5)")
    parser.add_argument("--rows-max", type=int, default=ROWS_MAX, help="rows compared, spread over the file (default 5000)")
    parser.add_argument("--rows-min", type=int, default=ROWS_MIN, help="below so many nothing is compiled (default 1000)")
    parser.add_argument("--no-compile", action="store_true", help="scan, load and ask the example only")
    parser.add_argument("--scan-only", action="store_true", help="print the scan and load nothing")
    given = parser.parse_args(argv)
    calm_threads()
    if given.scan_only:
        json.dump(scan(given.model), sys.stdout, indent=1)
        return
    report = prepare(given.model, given.out, given.rows, given.tolerance, given.rows_max, given.rows_min, not given.no_compile)
    note(f"form {report['form']}" + (f": {report['reason']}" if report["reason"] else ""))


if __name__ == "__main__":
    main()
