"""Looks at a model's files without running anything of them: sizes, formats, and what its pickles would import.

A pickle can import and call anything while it is loaded. Here its instructions are only read (`pickletools.genops`), and
every name that it would import is held against a list of modules that models are usually made of. A name outside is no
proof of harm, and a name inside none of harmlessness: the scan tells people what they are about to load.
"""

import io
import json
import os
import pickletools
import time
import zipfile
from typing import Any, BinaryIO, Iterator

FILES_MAX = 10_000
OPCODES_MAX = 5_000_000
SECONDS_MAX = 60.0
OUTSIDE_MAX = 100

ALLOWED_PACKAGES = frozenset(
    "sklearn numpy scipy pandas pyarrow joblib mlflow xgboost lightgbm catboost category_encoders imblearn skops statsmodels"
    " torch datetime decimal fractions uuid zoneinfo dateutil pytz".split()
)
ALLOWED_NAMES = frozenset(
    """builtins.list builtins.dict builtins.set builtins.frozenset builtins.tuple builtins.int builtins.float builtins.bool
    builtins.complex builtins.bytes builtins.bytearray builtins.str builtins.slice builtins.range builtins.object builtins.type
    builtins.NoneType collections.OrderedDict collections.defaultdict collections.Counter collections.deque
    copyreg._reconstructor copyreg.__newobj__ functools.partial _codecs.encode types.SimpleNamespace operator.itemgetter
    __builtin__.list __builtin__.dict __builtin__.set __builtin__.object __builtin__.slice __builtin__.xrange""".split()
)
# Allowed packages also hold functions that run what they are given; these are told even so.
DANGEROUS_NAMES = frozenset(
    """numpy.testing._private.utils.runstring numpy.f2py.crackfortran.getlincoef joblib.load pandas.read_pickle
    pandas.io.pickle.read_pickle torch.load numpy.load scipy.misc.common.face sklearn.utils._testing.assert_run_python_script_without_output
    pandas.core.computation.eval.eval pandas.eval numpy.distutils.exec_command.exec_command mlflow.pyfunc.load_model""".split()
)

_PICKLE_ENDINGS = (".pkl", ".pickle", ".joblib", ".cloudpickle", ".dill")
_FORMATS = {
    ".pkl": "pickle", ".pickle": "pickle", ".joblib": "pickle", ".cloudpickle": "pickle", ".dill": "pickle",
    ".skops": "skops", ".onnx": "onnx", ".py": "python code", ".json": "json", ".yaml": "yaml", ".yml": "yaml",
    ".txt": "text", ".parquet": "parquet", ".csv": "csv", ".npy": "numpy", ".npz": "numpy", ".ubj": "ubjson",
    ".pt": "torch", ".pth": "torch", ".h5": "hdf5", ".keras": "keras", ".safetensors": "safetensors", ".so": "machine code",
}


def scan(model_dir: str) -> dict:
    """``{files, total_bytes, formats, code, pickles, outside, complete, verdict}``; verdict is ``clean`` (nothing outside
    the list), ``outside`` or ``incomplete`` (something could not be read to its end)."""
    total = 0
    formats: dict[str, int] = {}
    code: list[str] = []
    pickles: list[dict] = []
    deadline = time.monotonic() + SECONDS_MAX
    count = 0
    complete = True
    for path, name in _files(model_dir):
        count += 1
        if count > FILES_MAX:
            complete = False
            break
        if os.path.islink(path):
            pickles.append(_finding(name, [("link", "to " + os.readlink(path))], True, None))
            continue
        total += os.path.getsize(path)
        kind = _format(path)
        formats[kind] = formats.get(kind, 0) + 1
        if kind == "python code":
            code.append(name)
        pickles += _pickles_in(path, name, kind, deadline)
    outside = [{"file": each["file"], "import": found} for each in pickles for found in each["outside"]]
    complete = complete and all(each["complete"] for each in pickles)
    return {
        "files": min(count, FILES_MAX),
        "total_bytes": total,
        "formats": formats,
        "code": code[:OUTSIDE_MAX],
        "pickles": pickles[:OUTSIDE_MAX],
        "outside": outside[:OUTSIDE_MAX],
        "complete": complete,
        "verdict": "outside" if outside else "clean" if complete else "incomplete",
    }


def _files(root: str) -> Iterator[tuple[str, str]]:
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            yield path, os.path.relpath(path, root).replace(os.sep, "/")


def _format(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(4)
    ending = os.path.splitext(path)[1].lower()
    if ending not in _PICKLE_ENDINGS and head[:1] == b"\x80" and len(head) > 1 and 2 <= head[1] <= 5:
        return "pickle"
    return _FORMATS.get(ending, "zip" if head == b"PK\x03\x04" else "other")


def _pickles_in(path: str, name: str, kind: str, deadline: float) -> list[dict]:
    if kind == "pickle" and not zipfile.is_zipfile(path):
        with open(path, "rb") as file:
            return [_look(file, name, deadline)]
    if kind not in ("skops", "torch", "zip", "numpy", "pickle", "keras") or not zipfile.is_zipfile(path):
        return []
    found = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist()[:FILES_MAX]:
            inner = f"{name}!{member.filename}"
            if member.filename.endswith(_PICKLE_ENDINGS):
                with archive.open(member) as file:
                    found.append(_look(file, inner, deadline))
            elif kind == "skops" and member.filename == "schema.json":
                with archive.open(member) as file:
                    found.append(_look_at_skops(file, inner))
    return found


def _look(file: BinaryIO, name: str, deadline: float) -> dict:
    try:
        imports, complete, note = pickle_imports(file, deadline)
    except Exception as error:
        return _finding(name, [], False, f"{type(error).__name__}: {error}"[:300])
    return _finding(name, imports, complete, note)


def _finding(name: str, imports: list[tuple[str, str]], complete: bool, note: str | None) -> dict:
    outside = sorted({f"{module}.{attribute}" for module, attribute in imports if not allowed(module, attribute)})
    return {
        "file": name,
        "imports": len(set(imports)),
        "outside": outside[:OUTSIDE_MAX],
        "complete": complete,
        **({"note": note} if note else {}),
    }


def allowed(module: str, attribute: str) -> bool:
    full = f"{module}.{attribute}"
    if full in DANGEROUS_NAMES:
        return False
    # "sklearn" must not let "os" in by an attribute path such as sklearn.os.system (protocol 4 allows dots).
    if "." in attribute and any(part in ("os", "sys", "subprocess", "builtins", "__globals__") for part in attribute.split(".")):
        return False
    # The losses of scikit-learn before 1.9, compiled code that does not know its package.
    if module == "_loss" and attribute.startswith(("Cy", "__pyx_unpickle_Cy")):
        return True
    return full in ALLOWED_NAMES or module.split(".")[0] in ALLOWED_PACKAGES


def pickle_imports(file: BinaryIO, deadline: float = float("inf")) -> tuple[list[tuple[str, str]], bool, str | None]:
    """Every (module, name) that loading would import; whether the file was read to its end; a note when not.

    joblib writes arrays raw between the instructions of a pickle: there reading goes on behind the array where numpy's
    wrapper tells its size, and otherwise stops, which is said.
    """
    imports: list[tuple[str, str]] = []
    strings: list[Any] = []
    memo: dict[int, Any] = {}
    seen = 0
    raw = file if hasattr(file, "peek") else io.BufferedReader(file)  # type: ignore[arg-type]
    try:
        while True:
            for opcode, argument, _ in pickletools.genops(raw):
                seen += 1
                if seen > OPCODES_MAX or (seen % 4096 == 0 and time.monotonic() > deadline):
                    return imports, False, f"stopped after {seen} instructions"
                _step(opcode.name, argument, imports, strings, memo)
            if not raw.peek(1)[:1]:
                return imports, True, None
            # One file may hold several pickles one after the other.
            strings.clear()
            memo.clear()
    except ValueError as error:
        wrapped = any(name == "NumpyArrayWrapper" for _, name in imports)
        why = "raw arrays of joblib follow" if wrapped else str(error)[:200]
        return imports, False, why


def _step(name: str, argument: Any, imports: list, strings: list, memo: dict) -> None:
    if name in ("GLOBAL", "INST"):
        module, _, attribute = argument.partition(" ")
        imports.append((module, attribute))
        strings.append(None)
    elif name == "STACK_GLOBAL":
        module, attribute = (strings[-2], strings[-1]) if len(strings) > 1 else (None, None)
        known = isinstance(module, str) and isinstance(attribute, str)
        imports.append((module, attribute) if known else ("?", "not written as text"))
        del strings[-2:]
        strings.append(None)
    elif name in ("EXT1", "EXT2", "EXT4"):
        imports.append(("copyreg", f"extension {argument}"))
        strings.append(None)
    elif "UNICODE" in name or name in ("STRING", "BINSTRING", "SHORT_BINSTRING"):
        strings.append(argument if len(argument) < 500 else None)
    elif name == "MEMOIZE":
        memo[len(memo)] = strings[-1] if strings else None
    elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
        memo[int(argument)] = strings[-1] if strings else None
    elif name in ("GET", "BINGET", "LONG_BINGET"):
        strings.append(memo.get(int(argument)))
    elif name not in ("PROTO", "FRAME", "MARK"):
        # Anything else puts something that is no text on the stack, or takes some off: texts below are not next to it.
        strings.append(None)
    if len(strings) > 64:
        del strings[:-8]


def _look_at_skops(file: BinaryIO, name: str) -> dict:
    """skops writes no pickle but names types, which it refuses to load unless they are trusted."""
    imports: list[tuple[str, str]] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            module, cls = node.get("__module__"), node.get("__class__")
            if isinstance(module, str) and isinstance(cls, str):
                imports.append((module, cls))
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    try:
        walk(json.load(file))
    except (ValueError, RecursionError) as error:
        return _finding(name, [], False, f"{type(error).__name__}: {error}"[:300])
    return _finding(name, imports, True, None)
