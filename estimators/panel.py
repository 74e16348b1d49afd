"""All networks over all faces that are due, of all pictures, in one batch each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.errors import WeightsError
from core.types import F32, Array, Crop, Estimates, Faces, Image
from estimators.align import cut
from estimators.network import Network
from estimators.quality import quality

COLUMNS = {"age": "age", "gender": "female", "emotion": "emotion"}
View = tuple[Image, Faces]


class Panel:
    """The networks of a run: a role, and the network that fills its column."""

    def __init__(self, networks: Mapping[str, Network]) -> None:
        """Take a network for each role that is on; one network may serve several.

        Raises:
            WeightsError: a network without an output for its role.
        """
        for role, network in networks.items():
            if role not in network.roles:
                raise WeightsError(
                    f"estimators.{role}: '{network.name}' has no output for {role}, "
                    f"only for {', '.join(network.roles)}."
                )
        self._networks = dict(networks)

    def look(self, views: Sequence[View]) -> list[Estimates]:
        """Judge the faces of each picture.

        Args:
            views: a picture (uint8 (H, W, 3) BGR) and the faces in it, as often as there are frames.

        Returns:
            for each view, a row for each of its faces; a column without a network is NaN.
        """
        return self._look(views, lambda crop: crop)

    def look_bare(self, pictures: Sequence[Image]) -> list[Estimates]:
        """Judge pictures that are cut out already: the whole of each is the crop, whatever its size.

        For data sets of ready cuts; a picture that is not square gets black borders.

        Args:
            pictures: uint8 (H, W, 3) BGR, one face each.

        Returns:
            for each picture one row.
        """
        return self._look([(picture, filled(picture)) for picture in pictures], bare)

    def _look(self, views: Sequence[View], meant: Callable[[Crop], Crop]) -> list[Estimates]:
        counts = [len(faces) for _, faces in views]
        if sum(counts) == 0:
            return [Estimates.none() for _ in views]
        seen = np.concatenate([quality(image, faces) for image, faces in views])
        whole = replace(Estimates.none(sum(counts)), quality=seen, **self._judge(views, seen, meant))
        ends = np.cumsum(counts).tolist()
        starts = [end - count for end, count in zip(ends, counts, strict=True)]
        return [whole.take(slice(start, end)) for start, end in zip(starts, ends, strict=True)]

    def _judge(self, views: Sequence[View], seen: F32, meant: Callable[[Crop], Crop]) -> dict[str, Array]:
        crops: dict[Crop, Array] = {}
        answers: dict[int, Estimates] = {}
        columns: dict[str, Array] = {}
        for role, network in self._networks.items():
            if network.crop not in crops:
                crop = meant(network.crop)
                crops[network.crop] = np.concatenate([cut(*view, crop) for view in views])
            if id(network) not in answers:
                answers[id(network)] = network.estimate(crops[network.crop], seen)
            columns[COLUMNS[role]] = getattr(answers[id(network)], COLUMNS[role])
        return columns


def bare(crop: Crop) -> Crop:
    """How the whole of a picture becomes that crop, for a face that fills it."""
    return replace(crop, kind="box", zoom=1.0, shift=0.0)


def filled(picture: Image) -> Faces:
    """A face that fills its picture, one row, without landmarks."""
    height, width = picture.shape[:2]
    nowhere = np.full((1, 5, 2), np.nan, np.float32)
    return Faces(np.array([[0.0, 0.0, width, height]]), np.ones(1, np.float32), nowhere)
