import math

import pytest
import torch

from models.losses import UNLABELLED, CosineProxies, Targets, head_loss, subtree_loss, total_loss


def test_one_leaf_is_cross_entropy_and_several_are_their_summed_probability():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.5, 0.5, 3.0]])
    probabilities = torch.softmax(logits, dim=1)
    one = torch.tensor([[True, False, False], [False, False, True]])
    expected = -(probabilities[0, 0].log() + probabilities[1, 2].log()) / 2
    assert subtree_loss(logits, one).item() == pytest.approx(expected.item())
    subtree = torch.tensor([[True, True, False], [True, True, True]])
    expected = -((probabilities[0, 0] + probabilities[0, 1]).log() + math.log(1)) / 2
    assert subtree_loss(logits, subtree).item() == pytest.approx(expected.item(), abs=1e-6)


def test_unlabelled_pictures_give_no_gradient():
    logits = torch.randn(3, 4, requires_grad=True)
    leaves = torch.zeros(3, 4, dtype=torch.bool)
    leaves[1, 2] = True
    (subtree_loss(logits, leaves, 0.1) + head_loss(logits, torch.tensor([UNLABELLED, 1, UNLABELLED]))).backward()
    assert logits.grad[0].abs().sum() == logits.grad[2].abs().sum() == 0
    assert logits.grad[1].abs().sum() > 0


def test_a_batch_without_any_label_costs_nothing_and_can_be_differentiated():
    logits = torch.randn(2, 4, requires_grad=True)
    loss = subtree_loss(logits, torch.zeros(2, 4, dtype=torch.bool)) + head_loss(logits, torch.full((2,), UNLABELLED))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().sum() == 0


def test_proxies_pull_a_group_together_and_ignore_pictures_without_one():
    torch.manual_seed(0)
    proxies = CosineProxies(2, 8)
    aligned = proxies.proxies.detach()[[0, 1]]
    groups = torch.tensor([0, 1])
    assert proxies(aligned, groups) < proxies(aligned.flip(0), groups)
    assert proxies(aligned, torch.full((2,), UNLABELLED)) == 0


def test_parts_are_weighted_by_name():
    outputs = {"category": torch.randn(2, 3), "color": torch.randn(2, 4), "embedding": torch.randn(2, 8)}
    leaves = torch.eye(3, dtype=torch.bool)[:2]
    targets = Targets(
        leaves, {"color": torch.tensor([1, UNLABELLED]), "gender": torch.tensor([0, 0])}, torch.tensor([0, 0])
    )
    plain = total_loss(outputs, targets, {}, None, 0.0)
    halved = total_loss(outputs, targets, {"color": 0.5}, None, 0.0)
    assert set(plain) == {"category", "color"}, "a head that the network lacks is left out"
    assert halved["color"] == pytest.approx(plain["color"].item() / 2)
    swapped = targets.permuted(torch.tensor([1, 0]))
    assert swapped.heads["color"].tolist() == [UNLABELLED, 1]
