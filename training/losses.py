"""What each head is punished for; faces without a label of its kind do not count."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from core.types import AGES

SPREAD = 2.0  # years, deviation of the distribution that stands for an exact age
MEAN_SHARE = 0.15  # weight of a year's error of the mean beside the likelihood
YEARS = torch.arange(AGES, dtype=torch.float32)


def age_loss(scores: Tensor, ends: Tensor) -> Tensor:
    """Label distribution and the error of the mean, for exact ages and age groups alike.

    Args:
        scores: (N, 101), or (N, 1) where the score is the age itself: only its error counts then.
        ends: (N, 2), years, the ends of the label: equal for an exact age, NaN for none.

    Source: Gao et al., "Age estimation using expectation of label distribution learning",
    IJCAI 2018 (DLDL-v2); a group is a flat distribution with soft ends, and its mean costs
    nothing inside it.
    """
    known = torch.isfinite(ends[:, 0])
    if not known.any():
        return scores.sum() * 0
    scores, low, high = scores[known], ends[known, :1], ends[known, 1:]
    mean = years(scores)[:, None]
    off = torch.clamp(low - mean, min=0) + torch.clamp(mean - high, min=0)
    if scores.shape[1] == 1:
        return MEAN_SHARE * off.mean()
    grid = YEARS.to(scores.device)
    outside = torch.clamp(low - grid, min=0) + torch.clamp(grid - high, min=0)
    target = torch.exp(-0.5 * (outside / SPREAD) ** 2)
    target = target / target.sum(dim=1, keepdim=True)
    likelihood = -(target * functional.log_softmax(scores, dim=1)).sum(dim=1)
    return (likelihood + MEAN_SHARE * off[:, 0]).mean()


def years(scores: Tensor) -> Tensor:
    """Ages (N,) of raw scores (N, 101), or (N, 1) where the score is the age itself."""
    if scores.shape[1] == 1:
        return scores[:, 0]
    return scores.softmax(dim=1) @ YEARS.to(scores.device)


def class_loss(scores: Tensor, shares: Tensor) -> Tensor:
    """Cross entropy with shares of classes (N, K); rows that sum to 0 are not labelled."""
    known = shares.sum(dim=1) > 0
    if not known.any():
        return scores.sum() * 0
    return -(shares[known] * functional.log_softmax(scores[known], dim=1)).sum(dim=1).mean()


def quality_loss(
    quality: Tensor, scores: dict[str, Tensor], ends: Tensor, shares: dict[str, Tensor]
) -> Tensor:
    """The quality learns how far the other heads may be believed on such a picture.

    Its target is the probability given to the right class, and for an age exp(-error / 10 years),
    averaged over the heads that are labelled.

    Source: Corbiere et al., "Addressing failure prediction by learning model confidence", NeurIPS 2019.
    """
    right: list[Tensor] = []
    if "age" in scores:
        mean = years(scores["age"].detach())
        right.append(torch.exp(-(mean - ends.mean(dim=1)).abs() / 10))
    for name, share in shares.items():
        if name in ("gender", "emotion") and name in scores:
            chance = (scores[name].detach().softmax(dim=1) * share).sum(dim=1) / share.amax(dim=1).clamp(
                min=1e-6
            )
            right.append(torch.where(share.sum(dim=1) > 0, chance, torch.nan).clamp(max=1))
    target = torch.stack(right).nanmean(dim=0)
    known = torch.isfinite(target)
    if not known.any():
        return quality.sum() * 0
    return functional.binary_cross_entropy_with_logits(quality[known, 0], target[known])
