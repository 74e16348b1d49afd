"""The card of a weight file: what it is, where it comes from, what it wants and gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.settings import Section
from core.types import Crop

Positive = Annotated[float, Field(gt=0)]
Points = tuple[tuple[float, float], ...]


class Package(Section):
    """The package archive that carries a weight file.

    Attributes:
        index: pypi or npm.
        name, version: as the package index knows them.
        archive_sha256: of the whole archive.
        member: path inside it.
        member_sha256: of that file.
        layout, layout_sha256: path and hash of the file that tells what the bytes of `member`
            are, for a member that does not tell it itself.
        platform: wheel tag to ask for, where it is not a pure-Python wheel.
    """

    index: Literal["pypi", "npm"] = "pypi"
    name: str
    version: str
    archive_sha256: str
    member: str
    member_sha256: str
    layout: str | None = None
    layout_sha256: str | None = None
    platform: str | None = None


class Input(Section):
    """What a network wants: how the picture is cut and how pixels become numbers.

    A pixel p becomes (p - mean) / scale, channel by channel, in NCHW order.
    """

    name: str
    kind: Literal["aligned", "box", "picture"]
    size: int = 0
    zoom: float = 1.0
    shift: float = 0.0
    colour: Literal["rgb", "bgr", "grey"] = "rgb"
    mean: tuple[float, ...] = (0.0,)
    scale: float = 1.0

    def crop(self) -> Crop:
        """The cut of a face that this network wants."""
        if self.kind == "picture":
            raise ValueError("a detector takes whole pictures, not crops")
        return Crop(self.kind, self.size, self.zoom, self.shift, self.colour)


class Output(Section):
    """One head of an estimator.

    Attributes:
        role: the column of `Estimates` that it fills. `race` fills none: it is never read by the
            program, only by `evaluation`, which checks fairness by it.
        name: of the ONNX output, (N, K) probabilities; for an embedding (N, size) of any length.
        values: age: the years that the K classes stand for.
        classes: gender, emotion: their names in order, those of `core.types`; race: any names.
        size: embedding: numbers in the vector.
        deviation: age: years, standard deviation of the errors, measured; a narrower distribution
            is widened to it. One number, or (predicted age, years) points, linear in between.
        temperature: probabilities are flattened by it, or under 1 sharpened
            (p ** (1 / temperature), normalised). One number; of an age also points, as above.
        doubt: share of the looks of no quality that say nothing about the person; a look of
            quality q is mixed with "anybody" by doubt * (1 - q) ** 2. The default, for
            networks that nobody measured, lies amid those of the packages (0.25 to 0.6).
    """

    role: Literal["age", "gender", "emotion", "embedding", "race"]
    name: str
    values: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    size: int = 0
    deviation: float | Points = 0.0
    temperature: Positive | tuple[tuple[float, Positive], ...] = 1.0
    doubt: float = Field(0.4, ge=0, le=1)

    @model_validator(mode="after")
    def _points_are_ages(self) -> Output:
        if self.role != "age" and isinstance(self.temperature, tuple):
            raise ValueError("points of temperature are by age: only an output of role age has them")
        return self


class Card(Section):
    """One entry of `weights/manifest.yaml`.

    `on_request`: brought only by somebody who names it, never with the others.
    `profiles`: those in which it fills the roles of its outputs unless another is named.
    """

    id: str
    role: Literal["detector", "age", "gender", "emotion", "embedding", "face"]
    title: str
    file: str
    sha256: str | None
    in_repository: bool
    on_request: bool = False
    profiles: tuple[Literal["research", "permissive"], ...] = ()
    package: Package | None
    upstream: str
    package_licence: str
    licence: str
    licence_file: str | None = None
    commercial: bool
    terms: str
    training_data: str
    input: Input
    outputs: tuple[Output, ...] = ()
    published: str
    measured: str
