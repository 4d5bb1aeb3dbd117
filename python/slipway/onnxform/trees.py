"""Tree models as one double TreeEnsemble: thresholds, leaves and sums are the doubles that scikit-learn computes with."""

from dataclasses import dataclass, field
from typing import Any, Iterable

import numpy as np

from .graph import Block, Graph, ML, Unsupported

NODES_MAX = 20_000_000


@dataclass
class Ensemble:
    """Columns of a TreeEnsemble node, filled tree by tree."""

    n_targets: int
    roots: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    yes: list[int] = field(default_factory=list)
    yes_leaf: list[int] = field(default_factory=list)
    no: list[int] = field(default_factory=list)
    no_leaf: list[int] = field(default_factory=list)
    missing_yes: list[int] = field(default_factory=list)
    leaf_target: list[int] = field(default_factory=list)
    leaf_weight: list[float] = field(default_factory=list)

    def add(self, left: Any, right: Any, feature: Any, split: Any, missing_left: Any, value: Any, target: int) -> None:
        """One tree from arrays by node; ``left`` is negative at leaves, whose ``value`` goes to ``target``."""
        leaves = np.flatnonzero(np.asarray(left) < 0)
        inner = np.flatnonzero(np.asarray(left) >= 0)
        if len(self.features) + len(inner) > NODES_MAX:
            raise Unsupported(f"an ensemble of more than {NODES_MAX} nodes")
        leaf_number = {int(node): len(self.leaf_weight) + index for index, node in enumerate(leaves)}
        first = len(self.features)
        node_number = {int(node): first + index for index, node in enumerate(inner)}
        self.leaf_target += [target] * len(leaves)
        self.leaf_weight += [float(value[node]) for node in leaves]
        self.roots.append(first)
        if len(inner) == 0:
            # The format knows no tree that is a leaf: a split whose both sides end in it.
            only = leaf_number[int(leaves[0])]
            self._node(0, 0.0, 0, (only, 1), (only, 1))
            return
        for node in inner:
            sides = [self._side(int(child[node]), node_number, leaf_number) for child in (left, right)]
            self._node(int(feature[node]), float(split[node]), int(missing_left[node]), *sides)

    @staticmethod
    def _side(child: int, node_number: dict, leaf_number: dict) -> tuple[int, int]:
        return (leaf_number[child], 1) if child in leaf_number else (node_number[child], 0)

    def _node(self, feature: int, split: float, missing: int, yes: tuple[int, int], no: tuple[int, int]) -> None:
        self.features.append(feature)
        self.splits.append(split)
        self.missing_yes.append(missing)
        self.yes.append(yes[0])
        self.yes_leaf.append(yes[1])
        self.no.append(no[0])
        self.no_leaf.append(no[1])

    def node(self, graph: Graph, block: Block) -> Block:
        from onnx import numpy_helper

        def tensor(name: str, values: list, dtype: Any) -> Any:
            return numpy_helper.from_array(np.asarray(values, dtype=dtype), name)

        graph.thresholds += list(dict.fromkeys(zip(self.features, self.splits)))
        output = graph.op(
            "TreeEnsemble", block.tensor, domain=ML, aggregate_function=1, post_transform=0, n_targets=self.n_targets,
            tree_roots=self.roots, nodes_featureids=self.features,
            nodes_modes=tensor("modes", [0] * len(self.features), np.uint8), nodes_splits=tensor("splits", self.splits, np.float64),
            nodes_truenodeids=self.yes, nodes_trueleafs=self.yes_leaf, nodes_falsenodeids=self.no, nodes_falseleafs=self.no_leaf,
            nodes_missing_value_tracks_true=self.missing_yes, leaf_targetids=self.leaf_target,
            leaf_weights=tensor("weights", self.leaf_weight, np.float64),
        )
        return Block(output, self.n_targets)


def histogram_scores(graph: Graph, model: Any, block: Block) -> Block:
    """Raw scores of HistGradientBoosting: [N, trees per iteration]."""
    if getattr(model, "is_categorical_", None) is not None and np.any(model.is_categorical_):
        raise Unsupported("native categories of HistGradientBoosting")
    ensemble = Ensemble(int(model.n_trees_per_iteration_))
    for iteration in model._predictors:
        for target, predictor in enumerate(iteration):
            nodes = predictor.nodes
            if np.any(nodes["is_categorical"]):
                raise Unsupported("native categories of HistGradientBoosting")
            left = np.where(nodes["is_leaf"], -1, nodes["left"].astype(np.int64))
            ensemble.add(left, nodes["right"].astype(np.int64), nodes["feature_idx"], nodes["num_threshold"],
                         nodes["missing_go_to_left"], nodes["value"], target)
    scores = ensemble.node(graph, block)
    return graph.arithmetic("Add", scores, np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1))


def forest_values(graph: Graph, trees: Iterable[Any], block: Block, classes: int) -> Block:
    """Mean over trees of what their leaves hold: [N, classes], or [N, 1] for regression (``classes`` 0).

    Two classes need one number: the first one's share is what is left of 1.
    """
    trees = list(trees)
    targets = [0] if classes == 0 else [1] if classes == 2 else list(range(classes))
    ensemble = Ensemble(len(targets))
    for tree in trees:
        inner = tree.tree_
        values = inner.value[:, 0, :]
        if classes:
            sums = values.sum(axis=1, keepdims=True)
            values = values / np.where(sums == 0.0, 1.0, sums)
        missing = _missing_left(inner)
        for index, target in enumerate(targets):
            ensemble.add(inner.children_left, inner.children_right, inner.feature, inner.threshold, missing, values[:, target], index)
    summed = ensemble.node(graph, rounded(graph, block))
    mean = graph.arithmetic("Div", summed, float(len(trees)))
    return with_first_class(graph, mean) if classes == 2 else mean


def boosted_scores(graph: Graph, model: Any, block: Block) -> Block:
    """Raw scores of GradientBoosting: [N, trees per stage]."""
    stages = model.estimators_
    ensemble = Ensemble(stages.shape[1])
    for stage in stages:
        for target, tree in enumerate(stage):
            inner = tree.tree_
            ensemble.add(inner.children_left, inner.children_right, inner.feature, inner.threshold, _missing_left(inner),
                         inner.value[:, 0, 0] * model.learning_rate, target)
    start = model.init_
    if not (isinstance(start, str) and start == "zero") and not type(start).__name__.startswith("Dummy"):
        raise Unsupported("GradientBoosting that starts from another estimator")
    constant = np.asarray(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)), dtype=np.float64)
    return graph.arithmetic("Add", ensemble.node(graph, rounded(graph, block)), constant.reshape(1, -1))


def rounded(graph: Graph, block: Block) -> Block:
    """scikit-learn's own trees read float32, and compare it with double thresholds."""
    return Block(graph.round_single(block.tensor), block.width)


def with_first_class(graph: Graph, second: Block) -> Block:
    first = graph.op("Sub", graph.constant(1.0), second.tensor)
    return Block(graph.op("Concat", first, second.tensor, axis=1), 2)


def _missing_left(inner: Any) -> Any:
    nodes = inner.__getstate__()["nodes"]
    if "missing_go_to_left" in (nodes.dtype.names or ()):
        return nodes["missing_go_to_left"]
    return np.zeros(inner.node_count, dtype=np.uint8)
