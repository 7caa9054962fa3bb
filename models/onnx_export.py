"""Torch modules to ONNX as every model of ours is exported: uint8 pictures in, any batch size, no traces of us."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import onnx
import torch

OPSET = 18


def export_onnx(module: Any, size: int, outputs: Sequence[str], channels: int = 3) -> bytes:
    """An ONNX model with input `image` (N, size, size, channels) uint8.

    Args:
        module: a torch module in `eval` mode that takes such a batch and returns a tuple.
        size: px.
        outputs: names of the tuple's members.
        channels: 3 for RGB, 1 for gray.
    """
    program = torch.onnx.export(
        module,
        (torch.zeros(2, size, size, channels, dtype=torch.uint8),),
        input_names=["image"],
        output_names=list(outputs),
        dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    return _without_traces(program.model_proto)


def _without_traces(model: Any) -> bytes:
    """Drop the exporter's stack traces, which hold paths of the machine, and check the model."""
    graph = model.graph
    for item in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    buffer = io.BytesIO()
    onnx.save(model, buffer)
    return buffer.getvalue()
