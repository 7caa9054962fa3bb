"""The text network as an ONNX graph, written node by node: the GRU's lengths follow from the input itself.

The table of pieces, nine tenths of all weights, is stored as int8 with one scale per column; the rest is float32.
PyTorch's gates stand in the order reset, update, new; ONNX wants update, reset, new (`linear_before_reset` = 1).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IDS, SEGMENTS, ATTENTION = "ids", "segments", "attention"

# Outside the softmax of attention; as in `TextNetwork.read`.
_ABSENT = -1e4


def text_graph(weights: Mapping[str, NDArray[Any]], names: Sequence[str], *, int8: bool = True) -> bytes:
    """An ONNX model with inputs `ids` (N, units, pieces) and `segments` (N, units) int32.

    Args:
        weights: of a `TextNetwork`, by name.
        names: its heads in order, category first; outputs are named so, and `attention` (N, heads, units).
        int8: store the pieces as int8; else everything is float32.
    """
    graph = _Graph()
    table, scale = _quantized(weights["pieces.weight"]) if int8 else (weights["pieces.weight"], None)
    rows = graph.add("Gather", [graph.constant(table), IDS], axis=0)
    if scale is not None:
        rows = graph.add("Mul", [graph.add("Cast", [rows], to=TensorProto.FLOAT), graph.constant(scale)])
    summed = graph.add("ReduceSum", [rows, graph.integers(2)], keepdims=0)
    pieces = graph.add("Cast", [graph.add("Greater", [IDS, graph.constant(np.int32(0))])], to=TensorProto.FLOAT)
    pieces = graph.add("ReduceSum", [pieces, graph.integers(2)], keepdims=1)
    pieces = graph.add("Sqrt", [graph.add("Max", [pieces, graph.constant(np.float32(1))])])
    of_segment = graph.add("Gather", [graph.constant(weights["segments.weight"]), SEGMENTS], axis=0)
    embedded = graph.add("Add", [graph.add("Div", [summed, pieces]), of_segment])
    present = graph.add("Greater", [SEGMENTS, graph.constant(np.int32(0))])
    lengths = graph.add(
        "ReduceSum", [graph.add("Cast", [present], to=TensorProto.INT32), graph.integers(1)], keepdims=0
    )
    lengths = graph.add("Max", [lengths, graph.constant(np.int32(1))])
    shaped = graph.add("Transpose", [embedded], perm=[0, 2, 1])
    kernel = graph.constant(weights["convolution.weight"]), graph.constant(weights["convolution.bias"])
    shaped = graph.add("Relu", [graph.add("Conv", [shaped, *kernel], kernel_shape=[3], pads=[1, 1])])
    states = graph.add("Concat", [_gru(graph, weights, shaped, lengths), _by_unit(graph, shaped)], axis=2)
    hidden = _linear(graph, weights, "attend", states)
    scores = graph.add("MatMul", [graph.add("Tanh", [hidden]), graph.constant(weights["score.weight"].T)])
    absent = graph.add("Unsqueeze", [graph.add("Not", [_first_present(graph, present)]), graph.integers(2)])
    scores = graph.add("Where", [absent, graph.constant(np.float32(_ABSENT)), scores])
    graph.add("Softmax", [graph.add("Transpose", [scores], perm=[0, 2, 1])], axis=2, output=ATTENTION)
    contexts = graph.add("MatMul", [ATTENTION, states])
    for number, name in enumerate(names):
        context = graph.add("Gather", [contexts, graph.constant(np.int64(number))], axis=1)
        _linear(graph, weights, f"heads.{name}", context, output=name)
    return graph.model(names, len(names))


def _gru(graph: _Graph, weights: Mapping[str, NDArray[Any]], shaped: str, lengths: str) -> str:
    """(N, units, 2 * hidden) from (N, channels, units)."""
    directions = ("", "_reverse")
    inner = np.stack([_reordered(weights[f"gru.weight_ih_l0{one}"]) for one in directions])
    recurrent = np.stack([_reordered(weights[f"gru.weight_hh_l0{one}"]) for one in directions])
    bias = np.stack(
        [
            np.concatenate([_reordered(weights[f"gru.bias_{kind}_l0{one}"]) for kind in ("ih", "hh")])
            for one in directions
        ]
    )
    hidden = recurrent.shape[2]
    sequence = graph.add("Transpose", [shaped], perm=[2, 0, 1])
    inputs = [sequence, *(graph.constant(one) for one in (inner, recurrent, bias)), lengths]
    # (units, 2, N, hidden) to (N, units, 2, hidden).
    by_direction = graph.add("GRU", inputs, hidden_size=hidden, direction="bidirectional", linear_before_reset=1)
    by_text = graph.add("Transpose", [by_direction], perm=[2, 0, 1, 3])
    return graph.add("Reshape", [by_text, graph.integers(0, 0, 2 * hidden)])


def _by_unit(graph: _Graph, shaped: str) -> str:
    return graph.add("Transpose", [shaped], perm=[0, 2, 1])


def _first_present(graph: _Graph, present: str) -> str:
    """The first unit counts as present, so that a row without any attends to something."""
    units = graph.add("Shape", [present], start=1)
    first = graph.add(
        "Range", [graph.constant(np.int64(0)), graph.add("Squeeze", [units]), graph.constant(np.int64(1))]
    )
    return graph.add("Or", [present, graph.add("Equal", [first, graph.constant(np.int64(0))])])


def _linear(
    graph: _Graph, weights: Mapping[str, NDArray[Any]], name: str, source: str, output: str | None = None
) -> str:
    product = graph.add("MatMul", [source, graph.constant(weights[f"{name}.weight"].T)])
    return graph.add("Add", [product, graph.constant(weights[f"{name}.bias"])], output=output)


def _reordered(gates: NDArray[Any]) -> NDArray[Any]:
    reset, update, new = np.split(gates, 3, axis=0)
    return np.concatenate([update, reset, new], axis=0)


def _quantized(table: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scale = np.maximum(np.abs(table).max(axis=0), 1e-8) / 127
    return np.rint(table / scale).astype(np.int8), scale.astype(np.float32)


class _Graph:
    """Collects nodes and constants; names are numbers."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def add(self, operator: str, inputs: Sequence[str], *, output: str | None = None, **attributes: Any) -> str:
        name = output or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def model(self, names: Sequence[str], heads: int) -> bytes:
        inputs = [
            helper.make_tensor_value_info(IDS, TensorProto.INT32, ["batch", "units", "pieces"]),
            helper.make_tensor_value_info(SEGMENTS, TensorProto.INT32, ["batch", "units"]),
        ]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", None]) for name in names]
        outputs.append(helper.make_tensor_value_info(ATTENTION, TensorProto.FLOAT, ["batch", heads, "units"]))
        graph = helper.make_graph(self._nodes, "text", inputs, outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        buffer = io.BytesIO()
        onnx.save(model, buffer)
        return buffer.getvalue()
