from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make install-train")

from training import loop  # noqa: E402
from training.losses import age_loss, class_loss, quality_loss, years  # noqa: E402
from training.targets import Targets  # noqa: E402

NAN = math.nan


def _sure(age: int, height: float = 40.0):
    scores = torch.zeros(1, 101)
    scores[0, age] = height
    return scores


def test_an_age_that_is_one_number_costs_a_share_of_its_error() -> None:
    loss = age_loss(torch.tensor([[30.0], [50.0], [90.0]]), torch.tensor([[34.0, 34], [40, 60], [NAN, NAN]]))

    assert loss == pytest.approx(0.15 * (4 + 0) / 2)


def test_a_flat_distribution_costs_the_logarithm_of_its_years_and_its_means_error() -> None:
    loss = age_loss(torch.zeros(1, 101), torch.tensor([[40.0, 40.0]]))

    assert loss == pytest.approx(math.log(101) + 0.15 * 10, abs=1e-4)


def test_inside_a_group_the_mean_costs_nothing() -> None:
    inside, outside = (age_loss(_sure(age), torch.tensor([[20.0, 29.0]])) for age in (25, 35))

    # The likelihood alone differs, and the mean by 6 years.
    assert outside - inside > 0.15 * 6 - 0.1


def test_cross_entropy_is_that_of_the_labelled_rows_alone() -> None:
    scores = torch.log(torch.tensor([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9]]))
    shares = torch.tensor([[1.0, 0], [0.5, 0.5], [0, 0]])

    assert class_loss(scores, shares) == pytest.approx((-math.log(0.8) - math.log(0.5)) / 2, abs=1e-6)


@pytest.mark.parametrize(
    "loss", [lambda s: age_loss(s, torch.full((4, 2), NAN)), lambda s: class_loss(s, 0 * s)]
)
def test_rows_without_any_label_cost_nothing_and_move_nothing(loss) -> None:
    scores = torch.randn(4, 101, requires_grad=True)

    value = loss(scores)
    value.backward()

    assert value == 0
    assert scores.grad.abs().max() == 0


def test_quality_learns_the_mean_chance_of_being_right() -> None:
    scores = {"age": _sure(40), "gender": torch.log(torch.tensor([[0.6, 0.4]]))}
    ends, shares = torch.tensor([[40.0, 40.0]]), {"gender": torch.tensor([[1.0, 0.0]])}

    losses = [
        float(quality_loss(torch.logit(torch.tensor([[q]])), scores, ends, shares)) for q in (0.7, 0.8, 0.9)
    ]

    assert losses[1] < min(losses[0], losses[2])  # (1 + 0.6) / 2


def test_years_are_the_mean_or_the_number_itself() -> None:
    assert years(_sure(33)) == pytest.approx(33, abs=1e-3)
    assert years(torch.tensor([[33.0]])) == 33


def test_what_teachers_say_in_shares_changes_no_age_that_is_one_number() -> None:
    scores = {"age": torch.rand(3, 1)}
    plain = Targets(np.full((3, 2), 30, np.float32), {})
    told = Targets(plain.ends, {}, {"age": np.full((3, 101), 1 / 101, np.float32)})

    assert loop._loss(scores, told, {"age": 1.0}) == loop._loss(scores, plain, {"age": 1.0})
