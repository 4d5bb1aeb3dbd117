"""What a run needs to be made again: code, entry point, exact packages, Python, system, hardware, chosen environment variables.

Installed beside MLflow (`pip install ./python`), `RunContext` puts it into the tags of every run that the MLflow client
starts, without a line of code. `log(run_id)` adds what is too large for a tag: the differences of a dirty work tree.

Tags, each a JSON text of at most TAG_CHARS characters:
    slipway.record.code         {commit, branch, remote, dirty, diff_sha256}
    slipway.record.entry        {file, arguments}
    slipway.record.system       {os, machine, python, host, cpus, cpu, memory_bytes, gpus}
    slipway.record.packages     {name: version}; continued in slipway.record.packages.1, .2, …
    slipway.record.variables    {name: value}, of the names in SLIPWAY_RECORD_VARIABLES (comma-separated; `*` at an end stands for any rest)

Nothing here fails a training: what cannot be found out is left out.
"""

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

TAG_CHARS = 8000
PACKAGE_TAGS = 20
DIFF_BYTES = 4 * 1024 * 1024
ASK_SECONDS = 10
SECRET_WORDS = ("key", "token", "secret", "password", "passwd", "credential")


def facts() -> dict[str, object]:
    """All sections that could be found out; see the module's text for their shapes."""
    found = {
        "code": code(),
        "entry": entry(),
        "system": system(),
        "packages": packages(),
        "variables": variables(),
    }
    return {name: value for name, value in found.items() if value}


def code() -> dict[str, object]:
    """Of the work tree that holds the started file. {} outside git, or where git is not installed."""
    folder = Path(entry().get("file") or os.getcwd())
    folder = folder if folder.is_dir() else folder.parent
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    diff = difference(folder)
    found: dict[str, object] = {"commit": commit, "dirty": bool(diff)}
    branch, remote = _git(folder, "rev-parse", "--abbrev-ref", "HEAD"), _git(folder, "remote", "get-url", "origin")
    if branch:
        found["branch"] = branch
    if remote:
        found["remote"] = without_password(remote)
    if diff:
        found["diff_sha256"] = hashlib.sha256(diff).hexdigest()
    return found


def difference(folder: Path) -> bytes:
    """What tracked files differ from their commit, at most DIFF_BYTES of it."""
    return _ask("git", "-C", str(folder), "diff", "HEAD", "--no-ext-diff", "--no-color", "--binary")[:DIFF_BYTES]


def entry() -> dict[str, object]:
    started = sys.argv[0] if sys.argv else ""
    if not started or started == "-c":
        return {}
    return {"file": str(Path(started).resolve()), "arguments": [hide(text) for text in sys.argv[1:]]}


def system() -> dict[str, object]:
    found: dict[str, object] = {
        "os": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "host": platform.node(),
        "cpus": os.cpu_count(),
    }
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        found["cpu"] = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    try:
        found["memory_bytes"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        pass
    if shutil.which("nvidia-smi"):
        named = _ask("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader").decode()
        found["gpus"] = [line.strip() for line in named.splitlines() if line.strip()]
    return found


def packages() -> dict[str, str]:
    """Exact versions of what is installed, by normalised name (PEP 503)."""
    found = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name:
            found[re.sub(r"[-_.]+", "-", name).lower()] = one.version
    return dict(sorted(found.items()))


def variables() -> dict[str, str]:
    """Only what SLIPWAY_RECORD_VARIABLES names, and nothing whose name speaks of a secret."""
    allowed = [name.strip() for name in os.environ.get("SLIPWAY_RECORD_VARIABLES", "").split(",") if name.strip()]

    def may(name: str) -> bool:
        if any(word in name.lower() for word in SECRET_WORDS):
            return False
        return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in allowed)

    return {name: value for name, value in sorted(os.environ.items()) if may(name)}


@functools.cache
def tags() -> dict[str, str]:
    """The sections as tags. Found out once a process: a training may start thousands of runs."""
    found: dict[str, str] = {}
    for name, value in facts().items():
        if name != "packages":
            text = json.dumps(value, ensure_ascii=False)
            if len(text) <= TAG_CHARS:
                found[f"slipway.record.{name}"] = text
            continue
        for at, part in enumerate(_parts(value)[:PACKAGE_TAGS]):
            found[f"slipway.record.packages{f'.{at}' if at else ''}"] = json.dumps(part)
    return found


def log(run_id: str | None = None) -> None:
    """Keeps the differences of a dirty work tree as the artifact `slipway/changes.diff` of a run, the active one by default."""
    import mlflow

    folder = Path(entry().get("file") or os.getcwd())
    diff = difference(folder if folder.is_dir() else folder.parent)
    if diff:
        mlflow.log_text(diff.decode("utf-8", "replace"), "slipway/changes.diff", run_id=run_id)


class RunContext:
    """What MLflow asks of an entry point of `mlflow.run_context_provider`."""

    def in_context(self) -> bool:
        return True

    def tags(self) -> dict[str, str]:
        return tags()


def without_password(url: str) -> str:
    """A remote as it may be shown: without who asks."""
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rsplit("@", 1)[1]))


def hide(argument: str) -> str:
    """`--api-key=…` without its value."""
    name, equals, _ = argument.partition("=")
    return f"{name}=***" if equals and any(word in name.lower() for word in SECRET_WORDS) else argument


def _parts(found: object) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = [{}]
    size = 2
    for name, version in dict(found).items():
        more = len(json.dumps({name: version}))
        if size + more > TAG_CHARS:
            parts.append({})
            size = 2
        parts[-1][name] = version
        size += more
    return parts


def _git(folder: Path, *words: str) -> str:
    return _ask("git", "-C", str(folder), *words).decode("utf-8", "replace").strip()


def _ask(*command: str) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if done.returncode == 0 else b""
