"""The second try: skl2onnx, in float32, for what is not compiled here. It is believed only as far as parity goes."""

from typing import Any

from .form import CompiledForm, InputGuard
from .graph import Unsupported


def compile_by_skl2onnx(model: Any, columns: list[tuple[str, str]]) -> CompiledForm:
    """Raises Unsupported with skl2onnx's own words, also when it is not installed."""
    try:
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import BooleanTensorType, FloatTensorType, Int64TensorType, StringTensorType
    except ImportError as error:
        raise Unsupported(f"skl2onnx is not installed: {error}") from error
    kinds = {
        "double": ("float32", FloatTensorType), "float": ("float32", FloatTensorType), "long": ("int64", Int64TensorType),
        "integer": ("int64", Int64TensorType), "boolean": ("bool", BooleanTensorType), "string": ("string", StringTensorType),
    }
    guards = []
    types = []
    for name, kind in columns:
        if kind not in kinds:
            raise Unsupported(f"an input of type {kind}")
        tensor, make = kinds[kind]
        guards.append(InputGuard(name, name, kind, tensor))
        types.append((name, make([None, 1])))
    named = hasattr(model, "transform") or hasattr(model, "steps")
    if not named:
        if len({kind for _, kind in columns}) != 1 or columns[0][1] not in ("double", "float"):
            raise Unsupported("an estimator alone, over inputs of several types")
        raise Unsupported("an estimator alone, without a pipeline that names its inputs")
    classifier = hasattr(model, "predict_proba") and hasattr(model, "classes_")
    try:
        onnx = to_onnx(model, initial_types=types, options={id(model): {"zipmap": False}} if classifier else None)
    except Exception as error:
        first = (str(error).strip() or "no message").split("\n")[0]
        raise Unsupported(f"skl2onnx: {type(error).__name__}: {first[:300]}") from error
    # Later inputs of the same content keep their name; a graph may leave out what the model does not read.
    names = [each.name for each in onnx.graph.output]
    if classifier:
        classes = [each.item() if hasattr(each, "item") else each for each in model.classes_]
        outputs = [
            {"name": names[0], "kind": "label", "shape": [None], "classes": classes},
            {"name": names[1], "kind": "probabilities", "shape": [None, len(classes)], "classes": classes},
        ]
    else:
        outputs = [{"name": names[0], "kind": "value", "shape": [None]}]
    return CompiledForm(onnx.SerializeToString(), guards, outputs, "skl2onnx")
