"""What the journeys share: steps that report themselves as one JSON line each, and expected refusals."""

import json
import sys
import time
import traceback

import mlflow
from mlflow.exceptions import MlflowException

STEPS = []

"""Generation of the client: (2, 9), (2, 22), (3, 17). What a generation lacks, a step leaves out."""
VERSION = tuple(int(part) for part in mlflow.__version__.split(".")[:2])


def step(function):
    STEPS.append(function)
    return function


def refused(code, text, call):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, f"{error.error_code} instead of {code}: {error}"
        assert text in str(error), f"{text!r} is not in {error}"
        return
    raise AssertionError(f"nothing was refused, {code} was expected")


def main():
    """Runs the steps named on the command line, all without a name. A failing step prints its error and the rest goes on."""
    failed = 0
    wanted = set(sys.argv[1:])
    for function in STEPS:
        if wanted and function.__name__ not in wanted:
            continue
        started = time.monotonic()
        try:
            function()
            seconds = round(time.monotonic() - started, 1)
            print(json.dumps({"step": function.__name__, "ok": True, "seconds": seconds}), flush=True)
        except Exception as error:
            failed += 1
            text = "".join(traceback.format_exception(error))[-4000:]
            print(json.dumps({"step": function.__name__, "ok": False, "error": text}), flush=True)
        finally:
            while mlflow.active_run():
                mlflow.end_run()
    return 1 if failed else 0
