"""Reads the nodes of a serialized ONNX model, lets it return more of its tensors, and takes out of it what only costs
time, without the `onnx` package.

Only what that takes of the protobuf wire format (https://protobuf.dev/programming-guides/encoding) and of onnx.proto3:
the graph is field 7 of a model; nodes, constants and outputs are fields 1, 5 and 12 of a graph; inputs, outputs and the
operator of a node are its fields 1, 2 and 4; a constant has its type in field 2, its name in 8, its values in 4, 5 or
9. Parsers merge repeated occurrences of a message field, so outputs are added by appending a second graph that holds
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_GRAPH = 7
_NODE, _CONSTANT, _OUTPUT = 1, 5, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4
_METADATA, _KEY, _VALUE = 14, 1, 2
_NAME = 1
_CONSTANT_TYPE, _CONSTANT_FLOATS, _CONSTANT_INTEGERS, _CONSTANT_NAME, _CONSTANT_BYTES = 2, 4, 5, 8, 9
_BYTE_VALUES = 256
_FLOAT32 = 1
_TYPES: dict[int, np.dtype[Any]] = {_FLOAT32: np.dtype("<f4"), 2: np.dtype("u1")}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Only pass values on or write them otherwise.
_SCALING = ("Cast", "Sub", "Div", "QuantizeLinear")
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


def read_metadata(model: bytes) -> dict[str, str]:
    """What the maker of a serialized model noted in it: its metadata, by key (field 14, keys and values 1 and 2)."""
    noted: dict[str, str] = {}
    for field, entry in _fields(memoryview(model)):
        if field == _METADATA:
            pair = {part: _text(content) for part, content in _fields(entry)}
            noted[pair.get(_KEY, "")] = pair.get(_VALUE, "")
    return noted


def with_outputs(model: bytes, tensors: Iterable[str]) -> bytes:
    """The model with more outputs: any tensors of its graph, constants too."""
    graph = b"".join(_message(_OUTPUT, _message(_NAME, name.encode())) for name in tensors)
    return model + _message(_GRAPH, graph)


def without_input_scaling(model: bytes) -> bytes:
    """The model without the scaling of its 8-bit input to floats that quantization turns back into the same bytes.

    Pictures come as bytes; `Cast`, `Sub` and `Div` bring them to the range that the network was trained on, and
    `QuantizeLinear` back to bytes. Where each of the 256 values comes back as itself, the four passes over the picture
    are left out: the same outputs, a twentieth of the time. Any other model is returned as it is.
    """
    graph = read_graph(model)
    chain = _scaling(graph)
    constants = {name: _constant(model, name) for node in chain for name in node.inputs[1:]}
    if not chain or any(value is None for value in constants.values()) or not _gives_bytes_back(chain, constants):
        return model
    source, result = chain[0].inputs[0], chain[-1].outputs[0]
    made = {node.outputs[0] for node in chain}
    unused = constants.keys() - {name for node in graph.nodes if node not in chain for name in node.inputs}
    kept: list[bytes] = []
    for field, whole, content in _parts(_graph(model)):
        if field == _NODE and made.isdisjoint((node := _node(content)).outputs):
            kept.append(_message(_NODE, _renamed(content, result, source)) if result in node.inputs else bytes(whole))
        elif field != _NODE and not (field == _CONSTANT and _constant_name(content) in unused):
            kept.append(bytes(whole))
    lean = _message(_GRAPH, b"".join(kept))
    return b"".join(lean if field == _GRAPH else bytes(whole) for field, whole, _ in _parts(memoryview(model)))


def without_subnormals(model: bytes) -> bytes:
    """The model with weights too small for a normal float32 (below 1.2e-38) set to 0.

    Training with weight decay leaves them in channels that do nothing, and products with them take some CPUs a hundred
    times as long (measured in finding lines of text: 16.5 to 5 ms per picture on an Intel Xeon). The outputs stay.
    """
    flushed = bytearray(model)
    for field, content in _fields(_graph(flushed)):
        if field != _CONSTANT or (_CONSTANT_TYPE, _FLOAT32) not in _numbers(content):
            continue
        for part, values in _fields(content):
            if part in {_CONSTANT_BYTES, _CONSTANT_FLOATS}:
                weights = np.frombuffer(values, _TYPES[_FLOAT32])
                weights[np.abs(weights) < np.finfo(np.float32).tiny] = 0
    return bytes(flushed)


def _scaling(graph: OnnxGraph) -> tuple[Node, ...]:
    """The nodes that scale an input and quantize it, each feeding the next and nothing else; empty without such."""
    users: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            users.setdefault(name, []).append(node)
    for node in graph.nodes:
        chain = [node]
        while len(chain) < len(_SCALING) and len(after := users.get(chain[-1].outputs[0], [])) == 1:
            chain += after
        of_one = all(one.inputs[0] == before.outputs[0] for before, one in pairwise(chain))
        if tuple(one.operator for one in chain) == _SCALING and of_one:
            return tuple(chain) if not {one.outputs[0] for one in chain}.intersection(graph.outputs) else ()
    return ()


def _gives_bytes_back(chain: tuple[Node, ...], constants: dict[str, NDArray[Any] | None]) -> bool:
    values = [[constants[name] for name in node.inputs[1:]] for node in chain]
    (offset,), (divisor,), (scale, zero) = values[1:]
    every = np.arange(_BYTE_VALUES, dtype=np.float32)
    back = np.rint((every - offset) / divisor / scale) + zero  # type: ignore[operator]
    return zero.dtype == np.uint8 and np.array_equal(back, every)  # type: ignore[union-attr]


def _graph(model: bytes | bytearray) -> memoryview:
    graphs = [content for field, content in _fields(memoryview(model)) if field == _GRAPH]
    if len(graphs) != 1:
        raise OnnxGraphError(f"the bytes hold {len(graphs)} ONNX graphs")
    return graphs[0]


def _constant(model: bytes, name: str) -> NDArray[Any] | None:
    """A constant of the graph, of floats or bytes, flat; None where there is no such."""
    for field, content in _fields(_graph(model)):
        if field != _CONSTANT or _constant_name(content) != name:
            continue
        kind = _TYPES.get(next((number for part, number in _numbers(content) if part == _CONSTANT_TYPE), 0))
        for part, value in _fields(content):
            if kind is not None and part in {_CONSTANT_BYTES, _CONSTANT_FLOATS}:
                return np.frombuffer(value, kind)
            if kind is not None and part == _CONSTANT_INTEGERS:
                number, end = _varint(value, 0)
                return np.array([number], kind) if number < _BYTE_VALUES and end == len(value) else None
    return None


def _constant_name(content: memoryview) -> str:
    return next((_text(value) for part, value in _fields(content) if part == _CONSTANT_NAME), "")


def _renamed(node: memoryview, old: str, new: str) -> bytes:
    """A node with one of its inputs called otherwise."""
    parts = []
    for field, whole, content in _parts(node):
        matches = field == _NODE_INPUT and _text(content) == old
        parts.append(_message(_NODE_INPUT, new.encode()) if matches else bytes(whole))
    return b"".join(parts)


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
    return ((key >> 3, content[start:end]) for key, _, start, end in _spans(content) if key & 7 == _BYTES)


def _numbers(content: memoryview) -> Iterator[tuple[int, int]]:
    """Fields of a message that are whole numbers."""
    return ((key >> 3, _varint(content, start)[0]) for key, _, start, _ in _spans(content) if key & 7 == _VARINT)


def _parts(content: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Every field of a message: its number, the field as it is written, and its content."""
    return ((key >> 3, content[begin:end], content[start:end]) for key, begin, start, end in _spans(content))


def _spans(content: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Key of each field of a message, and where the field begins, its content starts, and both end."""
    place = 0
    while place < len(content):
        begin = place
        key, place = _varint(content, place)
        kind = key & 7
        start = place
        if kind == _BYTES:
            length, start = _varint(content, place)
            place = start + length
        elif kind == _VARINT:
            _, place = _varint(content, place)
        elif kind in {_FIXED32, _FIXED64}:
            place += 4 if kind == _FIXED32 else 8
        else:
            raise OnnxGraphError(f"wire type {kind} is none that ONNX uses: the bytes are no model")
        if place > len(content):
            raise OnnxGraphError("the bytes end within a field: the model is cut off, or no model at all")
        yield key, begin, start, place


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
