"""Pictures without colours: how they are known, and that they say less."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.types import Estimates
from estimators.night import in_the_dark, is_grey
from tests.portraits import portrait


def test_a_portrait_has_colours_and_its_grey_copy_has_none_even_after_jpeg() -> None:
    image = portrait()
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    coded = cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)

    assert not is_grey(image)
    assert is_grey(grey)
    assert is_grey(coded)


def test_a_dull_room_by_lamplight_still_has_colours() -> None:
    dull = (portrait().astype(float) * 0.4 + np.array([8, 20, 30])).astype(np.uint8)

    assert not is_grey(dull)


def looks(*female: float, spread: float = 5.0) -> Estimates:
    years = np.arange(101)
    age = np.exp(-(((years - 30) / spread) ** 2) / 2)
    count = len(female)
    return Estimates(
        quality=np.ones(count, np.float32),
        age=np.tile(age / age.sum(), (count, 1)).astype(np.float32),
        female=np.array(female, np.float32),
        emotion=np.full((count, 7), 1 / 7, np.float32),
        embedding=np.zeros((count, 0), np.float32),
    )


def deviation(age) -> float:
    years = np.arange(101)
    mean = (age * years).sum()
    return float(np.sqrt((age * (years - mean) ** 2).sum()))


def test_in_the_dark_an_age_spans_more_and_stays_where_it_is() -> None:
    dim = in_the_dark(looks(0.9))

    assert (dim.age[0] * np.arange(101)).sum() == pytest.approx(30, abs=0.01)
    assert deviation(dim.age[0]) == pytest.approx(5 * 1.3**0.5, rel=0.01)


def test_in_the_dark_a_gender_is_less_sure_and_never_another_one() -> None:
    said = [0.0, 0.02, 0.3, 0.5, 0.7, 0.97, 1.0]

    dim = in_the_dark(looks(*said)).female

    assert dim[[0, 3, 6]] == pytest.approx([0, 0.5, 1], abs=1e-6)
    assert (np.abs(dim - 0.5) <= np.abs(np.array(said) - 0.5) + 1e-6).all()
    assert (np.sign(dim - 0.5) == np.sign(np.array(said, np.float32) - 0.5)).all()


def test_what_was_not_judged_stays_unknown() -> None:
    blind = looks(np.nan)

    assert np.isnan(in_the_dark(blind).female[0])
