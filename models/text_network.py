"""The text network: hashed pieces -> convolution -> bidirectional GRU -> attention per head.

Gated recurrent units after Cho et al. 2014, attention pooling after Yang et al. 2016 ("Hierarchical attention
networks"); every head has attention of its own, so each says which words it went by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from models.label_space import LabelSpace
from models.network import CATEGORY

ATTENTION = "attention"


@dataclass(frozen=True)
class TextNetworkSpec:
    """Sizes.

    Args:
        vocabulary: numbers of pieces, 0 (none) among them.
        width: of the embedding of a piece.
        channels: of the convolution.
        hidden: of the GRU, each direction.
        attention: of the layer that scores units.
        dropout: while training: of embeddings and of what the heads read.
    """

    vocabulary: int
    width: int = 48
    channels: int = 64
    hidden: int = 64
    attention: int = 48
    dropout: float = 0.2


class TextNetwork(nn.Module):  # type: ignore[misc]
    """Reads batches of `models.text_encoding`.

    Args:
        space: leaves and attribute labels.
        spec: sizes.
    """

    def __init__(self, space: LabelSpace, spec: TextNetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        labels = {CATEGORY: len(space.leaves), **{head: len(names) for head, names in space.heads.items()}}
        self.names = tuple(labels)
        self.pieces = nn.EmbeddingBag(spec.vocabulary, spec.width, mode="sum", padding_idx=0)
        nn.init.normal_(self.pieces.weight, std=0.1)
        self.segments = nn.Embedding(4, spec.width, padding_idx=0)
        nn.init.normal_(self.segments.weight, std=0.1)
        with torch.no_grad():
            self.pieces.weight[0].zero_()
            self.segments.weight[0].zero_()
        self.convolution = nn.Conv1d(spec.width, spec.channels, kernel_size=3, padding=1)
        self.gru = nn.GRU(spec.channels, spec.hidden, batch_first=True, bidirectional=True)
        read = 2 * spec.hidden + spec.channels
        self.attend = nn.Linear(read, spec.attention)
        self.score = nn.Linear(spec.attention, len(labels), bias=False)
        self.heads = nn.ModuleDict({name: nn.Linear(read, count) for name, count in labels.items()})
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        """Logits by head for (N, units, pieces + 1) int32: the pieces' numbers, last the segment."""
        outputs = self.read(batch[:, :, :-1].long(), batch[:, :, -1].long())
        del outputs[ATTENTION]
        return outputs

    def read(self, ids: Tensor, segments: Tensor) -> dict[str, Tensor]:
        """Logits by head, and `attention` (N, heads, units), for ids (N, units, pieces) and segments (N, units)."""
        count, units, pieces = ids.shape
        present = segments > 0
        # Rows without any unit would have nothing to attend to.
        present = torch.cat([torch.ones_like(present[:, :1]), present[:, 1:]], dim=1)
        embedded = self.pieces(ids.reshape(-1, pieces)).view(count, units, -1)
        embedded = embedded / (ids > 0).sum(dim=2, keepdim=True).clamp(min=1).sqrt()
        embedded = self.dropout(embedded + self.segments(segments))
        shaped = functional.relu(self.convolution(embedded.transpose(1, 2))).transpose(1, 2)
        packed = pack_padded_sequence(shaped, present.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)
        recurrent, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=units)
        states = self.dropout(torch.cat([recurrent, shaped], dim=2))
        scores = self.score(torch.tanh(self.attend(states))).transpose(1, 2)
        attention = torch.softmax(scores.masked_fill(~present[:, None], -1e4), dim=2)
        contexts = attention @ states
        logits = {name: self.heads[name](contexts[:, number]) for number, name in enumerate(self.names)}
        return {**logits, ATTENTION: attention}

    def parameter_groups(self, learning_rate: float, trunk_share: float) -> list[dict[str, Any]]:
        """One rate for everything; only matrices decay, and embeddings of rare pieces must not."""
        del trunk_share
        embeddings = {id(self.pieces.weight), id(self.segments.weight)}
        kept = [one for one in self.parameters() if one.ndim <= 1 or id(one) in embeddings]
        decayed = [one for one in self.parameters() if one.ndim > 1 and id(one) not in embeddings]
        return [{"params": decayed, "lr": learning_rate}, {"params": kept, "lr": learning_rate, "weight_decay": 0.0}]

    def freeze(self, blocks: Any) -> None:
        """Nothing can be frozen.

        Raises:
            ValueError: the recipe asks for it.
        """
        if blocks:
            raise ValueError("the text network has no parts to freeze; leave `freeze` out of the recipe")

    def weights(self) -> Mapping[str, Any]:
        """All weights as numpy arrays by name, for the export."""
        return {name: value.detach().cpu().numpy() for name, value in self.state_dict().items()}
