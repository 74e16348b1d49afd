"""All networks over all faces that are due, of all pictures, in one batch each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        counts = [len(faces) for _, faces in views]
        if sum(counts) == 0:
            return [Estimates.none() for _ in views]
        seen = np.concatenate([quality(image, faces) for image, faces in views])
        whole = replace(Estimates.none(sum(counts)), quality=seen, **self._judge(views, seen))
        ends = np.cumsum(counts).tolist()
        starts = [end - count for end, count in zip(ends, counts, strict=True)]
        return [_rows(whole, slice(start, end)) for start, end in zip(starts, ends, strict=True)]

    def _judge(self, views: Sequence[View], seen: F32) -> dict[str, Array]:
        crops: dict[Crop, Array] = {}
        answers: dict[int, Estimates] = {}
        columns: dict[str, Array] = {}
        for role, network in self._networks.items():
            if network.crop not in crops:
                crops[network.crop] = np.concatenate([cut(*view, network.crop) for view in views])
            if id(network) not in answers:
                answers[id(network)] = network.estimate(crops[network.crop], seen)
            columns[COLUMNS[role]] = getattr(answers[id(network)], COLUMNS[role])
        return columns


def _rows(estimates: Estimates, rows: slice) -> Estimates:
    return Estimates(
        quality=estimates.quality[rows],
        age=estimates.age[rows],
        female=estimates.female[rows],
        emotion=estimates.emotion[rows],
        embedding=estimates.embedding[rows],
    )
