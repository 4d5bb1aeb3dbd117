"""Final estimators: from a block of numbers to label, probabilities or value."""

from typing import Any

import numpy as np

from . import trees
from .graph import Block, Graph, Unsupported

_FORESTS = ("RandomForest", "ExtraTrees")
_LINEAR = frozenset("LinearRegression Ridge RidgeCV Lasso LassoCV ElasticNet ElasticNetCV Lars LassoLars BayesianRidge HuberRegressor".split())


def add_estimator(graph: Graph, model: Any, block: Block) -> list[dict]:
    """Adds the estimator and its outputs; answers what they are, as prepare's report shows them. Raises Unsupported."""
    kind = type(model).__name__
    if getattr(model, "n_outputs_", 1) != 1:
        raise Unsupported("an estimator of several outputs")
    if hasattr(model, "predict_proba") and hasattr(model, "classes_"):
        probabilities, label = _classifier(graph, model, kind, block)
        return _class_outputs(graph, model, probabilities, label)
    value = _regressor(graph, model, kind, block)
    return _value_output(graph, value)


def _classifier(graph: Graph, model: Any, kind: str, block: Block) -> tuple[Block, str]:
    classes = len(model.classes_)
    if classes < 2:
        raise Unsupported("a classifier of one class")
    if kind == "HistGradientBoostingClassifier":
        probabilities = _link(graph, trees.histogram_scores(graph, model, block), 1.0)
        return probabilities, _argmax(graph, probabilities)
    if kind.startswith(_FORESTS):
        probabilities = trees.forest_values(graph, model.estimators_, block, classes)
        return probabilities, _argmax(graph, probabilities)
    if kind in ("DecisionTreeClassifier", "ExtraTreeClassifier"):
        probabilities = trees.forest_values(graph, [model], block, classes)
        return probabilities, _argmax(graph, probabilities)
    if kind == "GradientBoostingClassifier":
        scores = trees.boosted_scores(graph, model, block)
        probabilities = _link(graph, scores, 2.0 if model.loss == "exponential" else 1.0)
        # Here scikit-learn decides by the scores, where 0 goes to the second class.
        return probabilities, _not_negative(graph, scores) if scores.width == 1 else _argmax(graph, scores)
    if kind in ("LogisticRegression", "LogisticRegressionCV"):
        return _logistic(graph, model, block)
    raise Unsupported(kind)


def _logistic(graph: Graph, model: Any, block: Block) -> tuple[Block, str]:
    scores = _linear(graph, model.coef_, model.intercept_, block)
    if scores.width > 1:
        # One against the rest, or all together: the versions disagree on how they say so, the model itself does not.
        probe = np.linspace(-1.0, 1.0, 7).reshape(-1, 1) * np.ones((1, model.coef_.shape[1]))
        decided = probe @ model.coef_.T + model.intercept_
        together = np.exp(decided - decided.max(axis=1, keepdims=True))
        together /= together.sum(axis=1, keepdims=True)
        names = getattr(model, "feature_names_in_", None)
        asked = probe if names is None else __import__("pandas").DataFrame(probe, columns=names)
        if not np.allclose(model.predict_proba(asked), together, atol=1e-9):
            raise Unsupported("LogisticRegression of one class against the rest")
        return Block(graph.op("Softmax", scores.tensor, axis=1), scores.width), _argmax(graph, scores)
    if getattr(model, "multi_class", None) == "multinomial":
        raise Unsupported("LogisticRegression of two classes with multi_class='multinomial'")
    return _link(graph, scores, 1.0), _positive(graph, scores)


def _regressor(graph: Graph, model: Any, kind: str, block: Block) -> Block:
    if kind == "HistGradientBoostingRegressor":
        scores = trees.histogram_scores(graph, model, block)
        link = type(model._loss.link).__name__
        if link == "IdentityLink":
            return scores
        if link == "LogLink":
            return Block(graph.op("Exp", scores.tensor), 1)
        raise Unsupported(f"HistGradientBoostingRegressor with {link}")
    if kind == "GradientBoostingRegressor":
        return trees.boosted_scores(graph, model, block)
    if kind.startswith(_FORESTS):
        return trees.forest_values(graph, model.estimators_, block, 0)
    if kind in ("DecisionTreeRegressor", "ExtraTreeRegressor"):
        return trees.forest_values(graph, [model], block, 0)
    if kind in _LINEAR:
        if np.ndim(model.coef_) != 1:
            raise Unsupported("a linear model of several outputs")
        return _linear(graph, np.asarray(model.coef_).reshape(1, -1), np.asarray(model.intercept_).reshape(-1), block)
    raise Unsupported(kind)


def _linear(graph: Graph, coefficients: Any, intercept: Any, block: Block) -> Block:
    weights = graph.constant(np.asarray(coefficients, dtype=np.float64).T)
    product = Block(graph.op("MatMul", block.tensor, weights), np.shape(coefficients)[0])
    return graph.arithmetic("Add", product, np.asarray(intercept, dtype=np.float64).reshape(1, -1))


def _link(graph: Graph, scores: Block, factor: float) -> Block:
    if scores.width > 1:
        return Block(graph.op("Softmax", scores.tensor, axis=1), scores.width)
    scaled = scores if factor == 1.0 else graph.arithmetic("Mul", scores, factor)
    return trees.with_first_class(graph, Block(graph.op("Sigmoid", scaled.tensor), 1))


def _argmax(graph: Graph, block: Block) -> str:
    return graph.op("ArgMax", block.tensor, axis=1, keepdims=0)


def _positive(graph: Graph, scores: Block) -> str:
    return _chosen(graph, graph.op("Greater", scores.tensor, graph.constant(0.0)))


def _not_negative(graph: Graph, scores: Block) -> str:
    return _chosen(graph, graph.op("GreaterOrEqual", scores.tensor, graph.constant(0.0)))


def _chosen(graph: Graph, second: str) -> str:
    from onnx import TensorProto

    index = graph.op("Cast", second, to=TensorProto.INT64)
    return graph.op("Reshape", index, graph.constant(np.asarray([-1], dtype=np.int64)))


def _class_outputs(graph: Graph, model: Any, probabilities: Block, label: str) -> list[dict]:
    from onnx import TensorProto

    classes = np.asarray(model.classes_)
    kinds = {"i": TensorProto.INT64, "u": TensorProto.INT64, "b": TensorProto.BOOL, "f": TensorProto.DOUBLE}
    if classes.dtype.kind in kinds:
        kind = kinds[classes.dtype.kind]
        array = classes.astype({"b": np.bool_, "f": np.float64}.get(classes.dtype.kind, np.int64))
    elif all(isinstance(each, str) for each in classes.tolist()):
        kind, array = TensorProto.STRING, np.asarray(classes.tolist(), dtype=object)
    else:
        raise Unsupported("class labels that are neither numbers nor text")
    graph.output(graph.op("Gather", graph.constant(array, "classes"), label, axis=0), "label", kind, [None])
    graph.output(probabilities.tensor, "probabilities", TensorProto.DOUBLE, [None, len(classes)])
    return [
        {"name": "label", "kind": "label", "shape": [None], "classes": classes.tolist()},
        {"name": "probabilities", "kind": "probabilities", "shape": [None, len(classes)], "classes": classes.tolist()},
    ]


def _value_output(graph: Graph, value: Block) -> list[dict]:
    from onnx import TensorProto

    flat = graph.op("Reshape", value.tensor, graph.constant(np.asarray([-1], dtype=np.int64)))
    graph.output(flat, "value", TensorProto.DOUBLE, [None])
    return [{"name": "value", "kind": "value", "shape": [None]}]
