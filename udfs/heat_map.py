"""Where in a picture the evidence for a label lies, from the network's own activations; computed on demand.

Heads that are linear on the mean of the last feature map F, as those of every EfficientNet are, allow class activation
mapping (Zhou et al. 2016, https://arxiv.org/abs/1512.04150), and there it is exact: the logit of label k is b_k plus
the mean over places of w_k · F(place), so each place's part in it can be read off. What is drawn is the part in the
*log odds* of the target against all other labels,

    (sum_{k in target} s_k w_k - sum_{k not in target} q_k w_k) · F(place) / T

with s and q the probabilities within and outside the target and T the head's temperature: the first-order change of the
odds with the pooled features. Plain CAM lights up what speaks for any label; this lights up what tells the target from
its rivals (`docs/models/heat_map.md` has the measurements).

Where a bundle's graph is built otherwise, and for enrolled types, which no head knows, the map comes from occlusion
(Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901): how far the log odds fall when a patch is painted over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.model_input import Box, Pixels, input_window
from models.onnx_graph import OnnxGraph, OnnxGraphError, read_graph, with_outputs
from models.session import new_session
from udfs.classify import softmax
from udfs.runtime import Runtime

Floats: TypeAlias = NDArray[np.float32]
Method = Literal["activations", "occlusion"]

CATEGORY = "category"

# Occlusion: a patch of a quarter of the input, in 9 x 9 overlapping places.
_PATCH, _PLACES = 0.25, 9
_BATCH = 16
_LEAST = 1e-6


class HeatMapError(ValueError):
    """The bundle does not know the attribute or label that a map was asked of."""


@dataclass(frozen=True)
class Target:
    """What a map is asked of.

    Args:
        attribute: `category`, or the name of an attribute head.
        value: taxonomy path (with all below it), or label of the head.
    """

    attribute: str
    value: str


@dataclass(frozen=True)
class HeatMap:
    """Where the evidence for a target lies.

    Args:
        target: what for.
        values: (h, w) float32, each place's part in the log odds; their mean is the whole of it, but for a constant.
            Above 0 speaks for the target, below 0 against it.
        window: the part of the picture that the model was shown, px of the picture (`models.model_input.input_window`).
        method: how it was found.
        probability: the target's.
    """

    target: Target
    values: Floats
    window: Box
    method: Method
    probability: float

    def on_picture(self, height: int, width: int) -> Floats:
        """The evidence for the target on the picture, (height, width) float32: 0 where there is none, 1 at the peak.

        Args:
            height: of the picture that the window refers to.
            width: of it.
        """
        x_min, y_min, x_max, y_max = self.window
        rows, columns = self.values.shape
        scale_x, scale_y = columns / max(x_max - x_min, 1), rows / max(y_max - y_min, 1)
        # Centers of pixels on centers of places; what lies beyond the outermost centers repeats them.
        to_places = np.array(
            [[scale_x, 0, (0.5 - x_min) * scale_x - 0.5], [0, scale_y, (0.5 - y_min) * scale_y - 0.5]], np.float32
        )
        spread = cv2.warpAffine(
            np.maximum(self.values, 0),
            to_places,
            (width, height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        spread = np.maximum(np.asarray(spread, np.float32), 0)
        inside = np.zeros((height, width), bool)
        inside[max(0, round(y_min)) : max(0, round(y_max)), max(0, round(x_min)) : max(0, round(x_max))] = True
        spread[~inside] = 0
        peak = float(spread.max(initial=0.0))
        return np.asarray(spread / max(peak, _LEAST), np.float32)


class HeatMapper:
    """Draws heat maps with a bundle's classify model; its session with more outputs is built on first use.

    Args:
        runtime: the bundle's models.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def attributes(self) -> tuple[str, ...]:
        """What maps can be asked of."""
        return (CATEGORY, *(head.name for head in self._runtime.classify_task.heads))

    def map(self, pixels: Pixels, box: Box | None, targets: Sequence[Target]) -> list[HeatMap]:
        """One map per target, of one picture.

        Args:
            pixels: (H, W, 3) uint8 RGB, as `udfs.describe.Picture.pixels`.
            box: the product's box in it, px; what the model's crop is cut by.
            targets: what to look for.

        Raises:
            HeatMapError: the bundle does not know a target.
            ImageError: `model_failed`.
        """
        members = [self._members(target) for target in targets]
        window = input_window(pixels.shape[0], pixels.shape[1], box, self._runtime.classify_task.input)
        shown = self._runtime.prepare(pixels, box)
        taps = self._taps
        activations = taps.run(shown, self._runtime) if taps else None
        maps = []
        for target, member in zip(targets, members, strict=True):
            probability = float(self._probabilities(target.attribute, shown[np.newaxis])[0, member].sum())
            if activations is None or self._is_enrolled(target):
                values, method = self._occluded(shown, target.attribute, member), "occlusion"
            else:
                temperature = self._temperature(target.attribute)
                values = activations.evidence(self._output(target.attribute), member, temperature)
                method = "activations"
            maps.append(HeatMap(target, values, window, method, min(1.0, probability)))  # type: ignore[arg-type]
        return maps

    def _members(self, target: Target) -> NDArray[np.bool_]:
        """Which labels belong to a target, (labels,) bool."""
        bundle, task = self._runtime.bundle, self._runtime.classify_task
        if target.attribute == CATEGORY:
            paths = bundle.label_paths(task)
            labels = bundle.labels(task)
            wanted = [f"{paths.get(label, '')}/".startswith(f"{target.value}/") for label in labels]
        else:
            head = next((one for one in task.heads if one.name == target.attribute), None)
            if head is None:
                known = ", ".join(self.attributes)
                raise HeatMapError(f"bundle {bundle.version_id} has no head {target.attribute!r}; it has {known}")
            wanted = [label == target.value for label in bundle.labels(head)]
        if not any(wanted):
            raise HeatMapError(f"bundle {bundle.version_id} does not know {target.attribute} {target.value!r}")
        return np.array(wanted)

    def _is_enrolled(self, target: Target) -> bool:
        table = self._runtime.bundle.prototypes
        return target.attribute == CATEGORY and table is not None and target.value in {one.path for one in table.types}

    def _output(self, attribute: str) -> str:
        task = self._runtime.classify_task
        if attribute == CATEGORY:
            return task.outputs.logits
        return next(head.output for head in task.heads if head.name == attribute)

    def _temperature(self, attribute: str) -> float:
        task = self._runtime.classify_task
        if attribute == CATEGORY:
            return task.temperature
        return next(head.temperature for head in task.heads if head.name == attribute)

    def _probabilities(self, attribute: str, batch: Pixels) -> Floats:
        result = self._runtime.classify(batch)
        return result.probabilities if attribute == CATEGORY else result.heads[attribute]

    @cached_property
    def _taps(self) -> _Taps | None:
        """None for a graph whose heads are not linear on pooled features."""
        task = self._runtime.classify_task
        outputs = [task.outputs.logits, *(head.output for head in task.heads)]
        model = self._runtime.bundle.files[task.file]
        try:
            return _Taps.of(model, outputs)
        except OnnxGraphError:
            return None

    def _occluded(self, shown: Pixels, attribute: str, member: NDArray[np.bool_]) -> Floats:
        """Fall of the log odds by the place of the patch."""
        height, width = shown.shape[:2]
        tall, wide = round(_PATCH * height), round(_PATCH * width)
        tops = np.linspace(0, height - tall, _PLACES).round().astype(int)
        lefts = np.linspace(0, width - wide, _PLACES).round().astype(int)
        paint = np.median(np.concatenate([shown[0], shown[-1], shown[:, 0], shown[:, -1]]), axis=0)
        pictures = [shown]
        for top in tops:
            for left in lefts:
                covered = shown.copy()
                covered[top : top + tall, left : left + wide] = paint
                pictures.append(covered)
        odds = np.concatenate(
            [
                _log_odds(self._probabilities(attribute, np.stack(pictures[start : start + _BATCH])), member)
                for start in range(0, len(pictures), _BATCH)
            ]
        )
        return np.asarray((odds[0] - odds[1:]).reshape(_PLACES, _PLACES), np.float32)


@dataclass(frozen=True)
class _Activations:
    """What the tapped session gave for one picture.

    Args:
        features: (C, h, w) float32, the last feature map.
        weights: (labels, C) float32 by output.
        logits: (labels,) float32 by output.
    """

    features: Floats
    weights: dict[str, Floats]
    logits: dict[str, Floats]

    def evidence(self, output: str, member: NDArray[np.bool_], temperature: float) -> Floats:
        """Each place's part in the log odds of the labels in `member`, (h, w)."""
        weights = self.weights[output]
        logits = self.logits[output][: len(weights)]
        member = member[: len(weights)]
        direction = _mean_weights(weights, logits, member, temperature)
        if not member.all():
            direction = direction - _mean_weights(weights, logits, ~member, temperature)
        return np.asarray(np.tensordot(direction / temperature, self.features, axes=1), np.float32)


@dataclass(frozen=True)
class _Taps:
    """A classify session that also returns the last feature map and the weights of the heads.

    Args:
        session: of the model with more outputs.
        features: name of the feature map's tensor.
        weights: name of the weight tensor by output.
    """

    session: Any
    features: str
    weights: dict[str, str]

    @classmethod
    def of(cls, model: bytes, outputs: Sequence[str]) -> _Taps:
        """The taps of a model whose outputs are linear on the mean of one feature map.

        Raises:
            OnnxGraphError: they are not.
        """
        graph = read_graph(model)
        weights, features = {}, set()
        for output in outputs:
            weights[output], pooled = _linear_head(graph, output)
            features.add(pooled)
        if len(features) != 1:
            raise OnnxGraphError("the heads look at different feature maps")
        (name,) = features
        session = new_session(with_outputs(model, [name, *dict.fromkeys(weights.values())]))
        return cls(session, name, weights)

    def run(self, shown: Pixels, runtime: Runtime) -> _Activations:
        spec = runtime.classify_task.input
        batch = shown[np.newaxis]
        batch = batch.transpose(0, 3, 1, 2) if spec.layout == "NCHW" else batch
        names = list(dict.fromkeys([self.features, *self.weights.values(), *self.weights]))
        values = dict(zip(names, self.session.run(names, {spec.name: np.ascontiguousarray(batch)}), strict=True))
        features = values[self.features][0]
        channels = features.shape[0]
        weights = {output: _rows(values[name], channels) for output, name in self.weights.items()}
        return _Activations(features, weights, {output: values[output][0] for output in self.weights})


def _linear_head(graph: OnnxGraph, output: str) -> tuple[str, str]:
    """Names of the weights of a head and of the feature map whose mean it is linear on."""
    head = graph.source(output)
    if head is None or head.operator not in {"Gemm", "MatMul"}:
        raise OnnxGraphError(f"output {output} is not made by a linear layer")
    pool = graph.source(head.inputs[0])
    if pool is None or pool.operator not in {"GlobalAveragePool", "ReduceMean"}:
        raise OnnxGraphError(f"output {output} is not linear on pooled features")
    return head.inputs[1], pool.inputs[0]


def _rows(weights: Floats, channels: int) -> Floats:
    """Weights as (labels, channels), whichever way the layer holds them."""
    return weights if weights.shape[1] == channels else weights.T


def _mean_weights(weights: Floats, logits: Floats, which: NDArray[np.bool_], temperature: float) -> Floats:
    """Weights of some labels, averaged by their probabilities among themselves, (C,)."""
    among = softmax(logits[np.newaxis, which], temperature)[0]
    return np.asarray(among @ weights[which], np.float32)


def _log_odds(probabilities: Floats, member: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log odds (N,) of the labels in `member` against the others."""
    yes = probabilities[:, member].sum(axis=1, dtype=np.float64)
    no = probabilities[:, ~member].sum(axis=1, dtype=np.float64)
    return np.asarray(np.log(np.maximum(yes, _LEAST)) - np.log(np.maximum(no, _LEAST)))
