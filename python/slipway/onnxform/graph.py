"""A small builder of ONNX graphs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Old enough for every ONNX Runtime of the last years, new enough for double tree ensembles (ai.onnx.ml 5).
OPSET = 18
ML_OPSET = 5
IR_VERSION = 9
ML = "ai.onnx.ml"


class Unsupported(Exception):
    """The pipeline holds something that is not compiled here; the message names it."""


@dataclass
class Block:
    """A number tensor of shape [N, width]: always double in the graph. ``held`` is how scikit-learn holds the same numbers:
    ``single`` means float32, so that every result of arithmetic on them is rounded to float32."""

    tensor: str
    width: int
    held: str = "double"

    @property
    def single(self) -> bool:
        return self.held == "single"


def together(held: list[str]) -> str:
    """What numpy makes of several columns in one array: truth values give way to float32, whole numbers do not."""
    kinds = set(held)
    if len(kinds) == 1:
        return held[0]
    return "single" if kinds == {"single", "bool"} else "double"


@dataclass
class TextColumn:
    """A text input of shape [N, 1] that no encoder has turned into numbers yet. ``null`` is what a null stands for:
    missing (None), or the text that an imputer put in its place."""

    tensor: str
    null: str | None = None


@dataclass
class Graph:
    nodes: list = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    #: Split thresholds by feature of the matrix that a tree model reads; parity puts its hardest cases next to them.
    thresholds: list[tuple[int, float]] = field(default_factory=list)
    _count: int = 0

    def name(self, hint: str) -> str:
        self._count += 1
        return f"{hint}_{self._count}"

    def constant(self, value: Any, hint: str = "c") -> str:
        array = np.asarray(value)
        if array.dtype.kind == "U":
            array = array.astype(object)
        name = self.name(hint)
        self.constants[name] = array
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = self.name(kind.lower())
        self.nodes.append(helper.make_node(kind, list(inputs), [output], domain=domain, **attributes))
        return output

    def input(self, name: str, text: bool) -> str:
        from onnx import TensorProto, helper

        kind = TensorProto.STRING if text else TensorProto.DOUBLE
        self.inputs.append(helper.make_tensor_value_info(name, kind, [None, 1]))
        return name

    def output(self, tensor: str, name: str, kind: int, shape: list) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [tensor], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def round_single(self, tensor: str) -> str:
        """Rounds doubles to the nearest float32."""
        from onnx import TensorProto

        return self.op("Cast", self.op("Cast", tensor, to=TensorProto.FLOAT), to=TensorProto.DOUBLE)

    def arithmetic(self, kind: str, block: Block, operand: Any) -> Block:
        tensor = self.op(kind, block.tensor, self.constant(np.asarray(operand, dtype=np.float64)))
        held = "single" if block.single else "double"
        return Block(self.round_single(tensor) if block.single else tensor, block.width, held)

    def concat(self, blocks: list[Block]) -> Block:
        if not blocks:
            raise Unsupported("a step without columns")
        if len(blocks) == 1:
            return blocks[0]
        tensor = self.op("Concat", *[block.tensor for block in blocks], axis=1)
        return Block(tensor, sum(block.width for block in blocks), together([block.held for block in blocks]))

    def pick(self, block: Block, where: list[int]) -> Block:
        if where == list(range(block.width)):
            return block
        index = self.constant(np.asarray(where, dtype=np.int64))
        return Block(self.op("Gather", block.tensor, index, axis=1), len(where), block.held)

    def serialize(self) -> bytes:
        from onnx import checker, helper, numpy_helper

        initializers = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(self.nodes, "slipway", self.inputs, self.outputs, initializers)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="slipway")
        checker.check_model(model)
        return model.SerializeToString()
