"""What can be trained, by name: network, faces, labels and schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from core.errors import ConfigError
from core.registry import unknown
from core.types import Crop

MEAN = (122.782, 117.001, 104.298)  # RGB, those of the network that the own ones begin with
SCALE = 256.0


Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Head = Literal["age", "gender", "emotion", "race", "quality"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to train one network.

    Attributes:
        network: name in `training.networks.BUILDERS`.
        heads: what it answers.
        sets: names of cached sets.
        size: side of the crop, pixels.
        epochs, batch: passes over all faces; faces in a step.
        rate: learning rate of the heads; the backbone's is `slower` times that if it begins with weights.
        decay: weight decay.
        balance: 0 takes the faces as they come, 1 all age bands (or moods) of all sets alike.
        dropout: share of the face's vector that the heads must do without.
        start: card of the manifest whose convolutions it begins with, or folder of a training to go on from.
        gender: weight of the gender's loss; an age's is 1.
        votes: weight of FER+'s votes in the label of a mood; the rest is FER2013's.
        bare: share of faces shown as the set's bare picture.
        spoilt: share of faces that are made as poor as cameras make them.
        zoom, shift: of the crop, as in `core.types.Crop`.
        average: share of the running mean of the weights that a step keeps.
        shape: what the network's builder takes, see there; empty: its default.
        age: how an age is said: a probability for each year, or SSR-Net's sum of stages, one number.
        share: of the training faces that are used, by hash.
    """

    network: str
    heads: Annotated[tuple[Head, ...], Field(min_length=1)]
    sets: Annotated[tuple[str, ...], Field(min_length=1)]
    size: Annotated[int, Field(ge=1, le=1024)]
    epochs: Count
    batch: Count = 128
    rate: Positive = 2e-3
    slower: Positive = 0.3
    decay: Weight = 0.03
    balance: Share = 0.3
    dropout: Share = 0.2
    start: str | None = None
    gender: Weight = 3.0
    votes: Share = 0.4
    bare: Share = 0.25
    spoilt: Share = 1.0
    zoom: Positive = 1.10
    shift: Annotated[float, Field(ge=-1, le=1)] = -0.16
    average: Share = 0.999
    shape: tuple[int | float, ...] = ()
    age: Literal["years", "stages"] = "years"
    share: Share = 1.0

    @property
    def crop(self) -> Crop:
        """The cut of a face that the network sees."""
        return Crop("aligned", self.size, self.zoom, self.shift, "rgb")


FACES = Recipe(
    network="dlib_resnet",
    heads=("age", "gender", "race", "quality"),
    sets=("utkface", "aaf"),
    size=112,
    epochs=28,
    start="embed_dlib",
)
# As the systems that we follow had them, from nothing, each in about ten minutes on two cores.
PLAIN = replace(FACES, heads=("age", "gender"), start=None, decay=0.01)
RECIPES = {
    # Begins with a network that knows ages and genders already.
    "people": replace(
        FACES, network="mobilenetv1", start="faceres_deep", size=160, zoom=1.0, shift=-0.12, epochs=12
    ),
    "people_dlib": FACES,
    # Small steps for long: after 18 epochs of larger ones it told the faces it knew no better than others.
    "moods": replace(
        FACES,
        heads=("emotion", "quality"),
        sets=("fer2013",),
        epochs=30,
        batch=64,
        rate=1.5e-3,
        slower=0.7,
        bare=0.5,
        spoilt=0.7,
        votes=0.5,
    ),
    "everything": replace(
        FACES, heads=("age", "gender", "emotion", "race", "quality"), sets=("utkface", "aaf", "fer2013")
    ),
    "ssrnet": replace(PLAIN, network="ssrnet", size=64, epochs=15, age="stages"),
    "mobilenetv2": replace(PLAIN, network="mobilenetv2", size=96, epochs=10, share=0.7),
    "facenet": replace(PLAIN, network="facenet", size=96, epochs=10, share=0.65),
}


def chosen(name: str, changes: Sequence[str] = ()) -> Recipe:
    """A recipe with changes such as `rate=0.001`.

    Raises:
        ConfigError: there is no such recipe or field, or its value is of another kind.
    """
    if name not in RECIPES:
        raise ConfigError(unknown("recipe", name, RECIPES))
    fields = asdict(RECIPES[name])
    for change in changes:
        key, equals, value = change.partition("=")
        if key not in fields:
            raise ConfigError(unknown("--set", key, fields))
        try:
            fields[key] = yaml.safe_load(value) if equals else None
        except yaml.YAMLError as error:
            raise ConfigError(f"--set: {key} cannot be read from '{value}'.") from error
        if not equals:
            raise ConfigError(f"--set: '{key}' has no value. Write it after a =, such as rate=0.001.")
    return checked(fields, name)


def checked(fields: dict[str, object], name: str) -> Recipe:
    """Those fields as a recipe.

    Raises:
        ConfigError: a field of another kind, or heads that make no network.
    """
    try:
        recipe = TypeAdapter(Recipe).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"recipe '{name}': {place}: {first['msg']}, not {first['input']!r}.") from error
    if set(recipe.heads) == {"quality"}:
        raise ConfigError(
            f"recipe '{name}': heads: the quality is that of other answers: name one beside it."
        )
    if len(set(recipe.heads)) < len(recipe.heads):
        raise ConfigError(f"recipe '{name}': heads: one is named twice.")
    return recipe
