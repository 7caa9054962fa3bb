"""Reads the nodes of a serialized ONNX model and lets it return more of its tensors, without the `onnx` package.

Only what that takes of the protobuf wire format (https://protobuf.dev/programming-guides/encoding) and of onnx.proto3:
the graph is field 7 of a model; nodes and outputs are fields 1 and 12 of a graph; inputs, outputs and the operator of a
node are its fields 1, 2 and 4. Parsers merge repeated occurrences of a message field, so outputs are added by appending
a second graph that holds nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_GRAPH = 7
_NODE, _OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_NAME = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Only pass values on or write them otherwise.
_PASSING = frozenset({"QuantizeLinear", "DequantizeLinear", "Identity", "Cast", "Flatten", "Squeeze", "Reshape"})


class OnnxGraphError(ValueError):
    """Bytes that are no ONNX model, or a graph without what was asked for."""


@dataclass(frozen=True)
class Node:
    """One operation.

    Args:
        operator: its type, e.g. Conv.
        inputs: names of its input tensors.
        outputs: names of its output tensors.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class OnnxGraph:
    """Nodes and outputs of a model, in file order."""

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def maker(self, tensor: str) -> Node | None:
        """The node that makes a tensor; None for inputs and constants."""
        return next((node for node in self.nodes if tensor in node.outputs), None)

    def source(self, tensor: str) -> Node | None:
        """The node that makes a tensor, looked for behind nodes that only pass values on (quantize, flatten, ...)."""
        node = self.maker(tensor)
        while node is not None and node.operator in _PASSING:
            node = self.maker(node.inputs[0])
        return node


def read_graph(model: bytes) -> OnnxGraph:
    """Nodes and outputs of a serialized model.

    Raises:
        OnnxGraphError: the bytes are no ONNX model.
    """
    nodes: list[Node] = []
    outputs: list[str] = []
    found = False
    for field, graph in _fields(memoryview(model)):
        if field != _GRAPH:
            continue
        found = True
        for part, content in _fields(graph):
            if part == _NODE:
                nodes.append(_node(content))
            elif part == _OUTPUT:
                outputs += [_text(value) for name, value in _fields(content) if name == _NAME]
    if not found:
        raise OnnxGraphError("the bytes hold no ONNX graph")
    return OnnxGraph(tuple(nodes), tuple(outputs))


def with_outputs(model: bytes, tensors: Iterable[str]) -> bytes:
    """The model with more outputs: any tensors of its graph, constants too."""
    graph = b"".join(_message(_OUTPUT, _message(_NAME, name.encode())) for name in tensors)
    return model + _message(_GRAPH, graph)


def _node(content: memoryview) -> Node:
    inputs: list[str] = []
    outputs: list[str] = []
    operator = ""
    for field, value in _fields(content):
        if field == _NODE_INPUT:
            inputs.append(_text(value))
        elif field == _NODE_OUTPUT:
            outputs.append(_text(value))
        elif field == _NODE_OPERATOR:
            operator = _text(value)
    return Node(operator, tuple(inputs), tuple(outputs))


def _fields(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Length-delimited fields of a message; numbers are passed over."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        field, kind = key >> 3, key & 7
        if kind == _BYTES:
            length, place = _varint(content, place)
            if place + length > len(content):
                raise OnnxGraphError("the bytes end within a field: the model is cut off, or no model at all")
            yield field, content[place : place + length]
            place += length
        elif kind == _VARINT:
            _, place = _varint(content, place)
        elif kind in {_FIXED32, _FIXED64}:
            place += 4 if kind == _FIXED32 else 8
        else:
            raise OnnxGraphError(f"wire type {kind} is none that ONNX uses: the bytes are no model")


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(content) and shift < 64:
        byte = content[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise OnnxGraphError("the bytes end within a number: the model is cut off, or no model at all")


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8", errors="replace")


def _message(field: int, content: bytes) -> bytes:
    return _encoded(field << 3 | _BYTES) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
