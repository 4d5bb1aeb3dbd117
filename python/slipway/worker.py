"""Serves one MLflow model over a Unix socket: ``python -m slipway.worker --socket PATH --model DIR``.

One process, one model. Requests and answers are frames (see `slipway.frames`); each request names its ``op`` and an
``id`` that the answer repeats. Ops:

``hello``     protocol, versions, flavours, signature, time that loading took
``predict``   ``kind`` (dataframe_split, dataframe_records, instances, inputs, csv, or json: a whole request body as
              text), ``payload``, ``params`` → ``predictions`` as MLflow's scoring server writes them, ``took_ms``
``explain``   ``columns``, ``rows`` → ``explanations``, see `slipway.explain`
``ping``      answers at once, also while the model works
``shutdown``  answers, lets running calls end, exits with 0

An answer holds ``error`` {kind: bad-input or model, message, field?, traceback?} when something was wrong. The line
``slipway-worker: {"event": "ready", …}`` on stdout says that the socket listens; ``"event": "failed"`` (exit code 3)
that the model does not load. The process ends when its standard input does: then its server is gone.
"""

import argparse
import json
import os
import signal
import socket
import stat
import sys
import threading
import time
import traceback
from typing import Any

from . import frames
from .model import BadInput, Model, ModelError, TRACEBACK_CHARS_MAX, calm_threads, rendered

PROTOCOL = 1
CONNECTIONS_MAX = 64
SOCKET_PATH_BYTES_MAX = 100
DRAIN_S = 5.0


def say(event: str, **facts: Any) -> None:
    print("slipway-worker: " + json.dumps({"event": event, **facts}), flush=True)


class Worker:
    def __init__(self, model: Model, concurrency: int = 1, background: str | None = None):
        self.model = model
        # scikit-learn and most others may be called by several threads, but gain nothing and some do not bear it.
        self.turn = threading.BoundedSemaphore(concurrency)
        self.places = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self.ending = threading.Event()
        self.busy = 0
        self.count = threading.Condition()
        self.background = background
        self.explainer: Any = None

    def op_hello(self, _: dict) -> dict:
        return {"protocol": PROTOCOL, **self.model.describe()}

    def op_ping(self, _: dict) -> dict:
        return {"pong": True}

    def op_predict(self, request: dict) -> dict:
        data, params = self.model.parse(request.get("kind", ""), request.get("payload"), request.get("params"))
        with self.turn:
            started = time.perf_counter()
            raw = self.model.predict(data, params)
            took_ms = (time.perf_counter() - started) * 1000
        return {"predictions": rendered(raw), "took_ms": round(took_ms, 3)}

    def op_explain(self, request: dict) -> dict:
        from .explain import Explainer, check_rows

        columns, rows = check_rows(request.get("columns"), request.get("rows"))
        with self.turn:
            if self.explainer is None:
                self.explainer = Explainer(self.model, self.background)
            return {"explanations": self.explainer.values(columns, rows)}

    def op_shutdown(self, _: dict) -> dict:
        self.ending.set()
        return {"stopping": True}

    def answer(self, request: dict) -> dict:
        """The answer to one request; whatever goes wrong becomes an error in it."""
        ident = request.get("id")
        op = request.get("op")
        try:
            handler = getattr(self, f"op_{op}", None) if isinstance(op, str) else None
            if handler is None:
                raise BadInput(f"op {op!r} is not known", "op")
            return {"id": ident, **handler(request)}
        except BadInput as error:
            said = {"kind": "bad-input", "message": str(error), **({"field": error.field} if error.field else {})}
        except ModelError as error:
            said = {"kind": "model", "message": str(error), "traceback": error.traceback}
        except Exception as error:
            said = {"kind": "model", "message": f"{type(error).__name__}: {error}"[:2000],
                    "traceback": traceback.format_exc()[-TRACEBACK_CHARS_MAX:]}
        return {"id": ident, "error": said}

    def converse(self, connection: socket.socket) -> None:
        """Answers one connection's requests in their order until it closes or breaks the format."""
        try:
            with connection:
                while (request := frames.receive(connection)) is not None:
                    with self.count:
                        self.busy += 1
                    try:
                        self.reply(connection, self.answer(request))
                    finally:
                        with self.count:
                            self.busy -= 1
                            self.count.notify_all()
        except frames.FrameError as error:
            say("dropped", message=str(error))
        except OSError:
            pass
        finally:
            self.places.release()

    def reply(self, connection: socket.socket, answer: dict) -> None:
        try:
            frames.send(connection, answer)
        except (frames.FrameTooLarge, TypeError, ValueError) as error:
            said = {"kind": "model", "message": f"the answer cannot be sent: {error}"}
            frames.send(connection, {"id": answer.get("id"), "error": said})

    def serve(self, listener: socket.socket) -> None:
        listener.settimeout(0.2)
        while not self.ending.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            if not self.places.acquire(blocking=False):
                with connection:
                    said = {"kind": "model", "message": f"more than {CONNECTIONS_MAX} connections"}
                    frames.send(connection, {"id": None, "error": said})
                continue
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()
        with self.count:
            self.count.wait_for(lambda: self.busy == 0, DRAIN_S)


def listen(path: str) -> socket.socket:
    """A listening socket that only this user can reach: its folder is private, and so is the file."""
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise ValueError(f"the socket's path is longer than {SOCKET_PATH_BYTES_MAX} bytes: {path}")
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.stat(folder)
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(f"{folder} must belong to this user and be closed to others (chmod 700)")
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    listener.listen(CONNECTIONS_MAX)
    return listener


def end_with_parent(path: str) -> None:
    """Ends this process, wherever it stands, when standard input ends."""

    def wait() -> None:
        try:
            while os.read(0, 65536):
                pass
        except OSError:
            pass
        leave(path, 0)

    threading.Thread(target=wait, daemon=True).start()


def leave(path: str, code: int) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
    sys.stdout.flush()
    # Not sys.exit: a model's own threads and exit handlers must not keep a worker that nobody talks to.
    os._exit(code)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m slipway.worker", description="Serve one MLflow model over a Unix socket.")
    parser.add_argument("--socket", required=True, help="path of the socket; its folder is made with mode 0700")
    parser.add_argument("--model", required=True, help="folder of the MLflow model")
    parser.add_argument("--extra-path", action="append", default=[], help="added to sys.path; may be repeated")
    parser.add_argument("--background", help="Parquet or CSV of rows that explanations of any kind of model compare with")
    parser.add_argument("--concurrency", type=int, default=1, help="model calls at a time (default 1)")
    arguments = parser.parse_args(argv)
    sys.path.extend(arguments.extra_path)
    calm_threads()
    end_with_parent(arguments.socket)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: leave(arguments.socket, 0))
    try:
        model = Model(arguments.model)
        worker = Worker(model, max(1, arguments.concurrency), arguments.background)
        listener = listen(arguments.socket)
    except Exception as error:
        trace = traceback.format_exc()[-TRACEBACK_CHARS_MAX:]
        say("failed", error={"message": f"{type(error).__name__}: {error}"[:2000], "traceback": trace})
        leave(arguments.socket, 3)
    say("ready", protocol=PROTOCOL, pid=os.getpid(), load_ms=model.load_ms)
    worker.serve(listener)
    leave(arguments.socket, 0)


if __name__ == "__main__":
    main()
