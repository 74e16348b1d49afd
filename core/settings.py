"""Every setting, with its default, unit and range. `config.yaml` says the same to people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

from core.errors import ConfigError
from core.hours import Hours

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
    governor: bool = True
    log: Literal["text", "json"] = "text"


class Login(Section):
    """Who asks: in keys of their own, where no character of a password must be quoted."""

    user: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None

    def read_password(self) -> str | None:
        """The password, wherever it stands; None if there is none.

        Raises:
            ConfigError: its file cannot be read.
        """
        if self.password_file is None:
            return self.password.get_secret_value() if self.password else None
        try:
            return self.password_file.read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            words = getattr(error, "strerror", None) or "it is no text"
            raise ConfigError(f"password_file {self.password_file}: cannot be read: {words}.") from error

    @model_validator(mode="after")
    def _one_password(self) -> Login:
        if self.password is not None and self.password_file is not None:
            raise ValueError("password or password_file, not both")
        return self


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
    transport: Literal["tcp", "udp"] = "tcp"
    certificates: str = "any"
    hardware: str = Field("none", pattern=r"^[a-z0-9]+$")
    wait: bool = False
    frozen_after: Seconds = 30.0

    model_config = ConfigDict(populate_by_name=True)

    @field_validator("certificates")
    @classmethod
    def _known(cls, certificates: str) -> str:
        if certificates not in ("any", "trusted") and not Path(certificates).is_file():
            raise ValueError("any, trusted, or a file that exists")
        return certificates

    @field_validator("end")
    @classmethod
    def _after_begin(cls, end: float | None, info: ValidationInfo) -> float | None:
        begin = info.data.get("begin", 0.0)
        if end is not None and end <= begin:
            raise ValueError(f"more than capture.from (or --from), which is {begin:g}")
        return end


class SourceConfig(Login):
    """One camera or file. Keys left out follow from the address.

    Attributes:
        capture: settings of the section of that name which differ for this source.
        ignore: areas without faces of interest, each the corners of a polygon, x y in shares of the picture.
        hours: when it is looked at, see `core.hours`; empty: always.
    """

    name: str | None = Field(None, min_length=1, pattern=r"^[^/\\{}\x00-\x1f]+$")
    kind: Literal["auto", "webcam", "network", "video", "image", "folder", "demo"] = "auto"
    address: str | int
    capture: CaptureConfig = CaptureConfig()
    ignore: tuple[Annotated[tuple[tuple[Share, Share], ...], Field(min_length=3)], ...] = ()
    hours: str = ""

    @field_validator("hours")
    @classmethod
    def _readable(cls, hours: str) -> str:
        Hours.parse(hours)
        return hours

    def reading(self, common: CaptureConfig) -> CaptureConfig:
        """How this source is read: the common settings, and over them its own."""
        own = self.capture
        return common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


class DetectorConfig(Section):
    """Which network finds faces, and what counts as one."""

    name: str = "auto"
    weights: Path | None = None
    threshold: Share | None = None
    size: int = Field(640, ge=64, le=8192)
    min_face: float = Field(12.0, ge=0, le=4096)
    overlap: Share = 0.4
    interval: Seconds = 0.0
    gate: Literal["auto"] | bool = "auto"


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
    static_after: float | None = Field(60.0, gt=0, le=86400)
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


class SinkConfig(Login):
    """One output; its kind follows from the ending of the path, or the scheme of the address.

    Attributes:
        required: its failure ends the run.
        secret: key by which a webhook's calls are signed.
        spool: file that keeps what the other side has not taken yet; None: one named for the address.
        spool_rows: most that it keeps; then the oldest goes.
        discovery: tell Home Assistant of the sources (MQTT).
    """

    path: str  # without a limit: pydantic measures no name of a file that is no UTF-8
    required: bool = True
    secret: SecretStr | None = None
    spool: Path | None = None
    spool_rows: int = Field(100_000, ge=1, le=100_000_000)
    discovery: bool = True

    @field_validator("path")
    @classmethod
    def _named(cls, path: str) -> str:
        if not path:
            raise ValueError("a path or an address, such as visits.csv")
        return path


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
