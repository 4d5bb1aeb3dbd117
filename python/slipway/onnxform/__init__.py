"""Compiles scikit-learn pipelines to ONNX in double precision.

Why not skl2onnx alone: it works in float32 and rounds a value that stands next to a split threshold to the other side, it
is silently wrong about missing values in forests, and it has no notion of a null in a text column. Here every number stays
a double, and rounding happens where scikit-learn itself rounds. What is not covered raises `Unsupported`; the caller may
then try skl2onnx and judge the outcome by parity.
"""

from .form import CompiledForm, InputGuard, Refused
from .pipeline import Unsupported, compile_pipeline

__all__ = ["CompiledForm", "InputGuard", "Refused", "Unsupported", "compile_pipeline"]
