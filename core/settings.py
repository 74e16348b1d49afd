"""Every setting, with its default, unit and range. `config.yaml` says the same to people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86400)]


class Section(BaseModel):
    """A frozen group of settings that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RuntimeConfig(Section):
    """Where and how the networks run."""

    device: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    threads: int = Field(2, ge=1, le=64)
    batch_window: Seconds = 0.005


class SourceConfig(Section):
    """One camera or file. Keys left out follow from the address."""

    name: str | None = Field(None, min_length=1, pattern=r"^[^/\\{}\x00-\x1f]+$")
    kind: Literal["auto", "webcam", "network", "video", "image", "folder", "demo"] = "auto"
    address: str | int


class CaptureConfig(Section):
    """How sources are read."""

    rate: float | None = Field(None, gt=0, le=240)
    begin: Seconds = Field(0.0, alias="from")
    end: Seconds | None = Field(None, alias="to")
    size: tuple[int, int] = (1280, 720)
    fps: float = Field(30.0, gt=0, le=240)
    mirror: bool | None = None
    cuts: Literal["auto"] | bool = "auto"
    open_timeout: float = Field(10.0, gt=0, le=120)
    stall_timeout: float = Field(5.0, gt=0, le=120)

    model_config = ConfigDict(populate_by_name=True)

    @field_validator("end")
    @classmethod
    def _after_begin(cls, end: float | None, info: ValidationInfo) -> float | None:
        begin = info.data.get("begin", 0.0)
        if end is not None and end <= begin:
            raise ValueError(f"more than capture.from, which is {begin:g}")
        return end


class DetectorConfig(Section):
    """Which network finds faces, and what counts as one."""

    name: str = "auto"
    weights: Path | None = None
    threshold: Share | None = None
    size: int = Field(640, ge=64, le=8192)
    min_face: float = Field(12.0, ge=0, le=4096)
    overlap: Share = 0.4
    interval: Seconds = 0.0


class CompatibilityConfig(Section):
    """SORT as it was published, in frames by definition."""

    max_age: int = Field(1, ge=0, le=100_000)
    min_hits: int = Field(3, ge=0, le=100_000)
    iou_threshold: Share = 0.3


class TrackerConfig(Section):
    """What is tracked, when it counts as a track, and how long a track lives."""

    name: str = "sort"
    preset: Literal["faces", "people"] = "faces"
    scores: Literal["auto", "yunet", "retinaface", "scrfd", "yolox", "frcnn", "face", "tara"] = "auto"
    low_score: Share | None = None
    match_score: Share | None = None
    birth_score: Share | None = None
    confirm_looks: int = Field(2, ge=1, le=100)
    confirm_score: Share = 0.8
    max_gap: float = Field(1.0, gt=0, le=3600)
    known_gap: float = Field(10.0, gt=0, le=3600)
    compatibility: CompatibilityConfig | None = None


class EstimatorsConfig(Section):
    """A role, the network of the manifest that fills it: `auto` as the profile says, `none` for nobody."""

    profile: Literal["research", "permissive"] = "research"
    age: str = "auto"
    gender: str = "auto"
    emotion: str = "auto"
    embedding: str = "none"

    @property
    def roles(self) -> dict[str, str]:
        """What stands beside each role."""
        return {role: name for role, name in self if role != "profile"}


class LooksConfig(Section):
    """Which faces are shown to the networks, and how often."""

    per_second: float = Field(12.0, gt=0, le=10000)
    min_face: float = Field(24.0, ge=0, le=4096)
    max_yaw: float = Field(60.0, gt=0, le=90)
    refresh: float = Field(0.4, gt=0, le=3600)


class EvidenceConfig(Section):
    """How looks become a belief."""

    correlation: Seconds = 0.5
    shared: float = Field(0.85, gt=0, le=1)
    gender_certain: float = Field(0.85, gt=0.5, lt=1)
    gender_release: float = Field(0.65, ge=0.5, lt=1)
    emotion_time: float = Field(1.0, gt=0, le=60)


class RenderConfig(Section):
    """What is drawn on the picture."""

    delay: float = Field(0.5, ge=0, le=5)
    trail: Seconds = 1.0
    scale: float = Field(1.0, ge=0.25, le=4)
    status: bool = True


class PrivacyConfig(Section):
    """What is hidden before any output sees a picture."""

    blur: bool = False


class EventsConfig(Section):
    """How often a living track writes a line."""

    interval: Seconds = 1.0


class SinkConfig(Section):
    """One output; its kind follows from the ending of the path."""

    path: str = Field(min_length=1)
    required: bool = True


class Settings(Section):
    """All sections of `config.yaml`."""

    runtime: RuntimeConfig = RuntimeConfig()
    sources: tuple[SourceConfig, ...] = ()
    capture: CaptureConfig = CaptureConfig()
    detector: DetectorConfig = DetectorConfig()
    tracker: TrackerConfig = TrackerConfig()
    estimators: EstimatorsConfig = EstimatorsConfig()
    looks: LooksConfig = LooksConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    render: RenderConfig = RenderConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    events: EventsConfig = EventsConfig()
    sinks: tuple[SinkConfig, ...] = ()
