# Types of the compiled module; tests/python/test_stubs.py holds them against it.
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

_Path = str | os.PathLike[str]
_Layers = Iterable[str | int]
_Layout = Literal["HWC", "CHW"]
_Engine = Literal["integer", "float"]
_Log = Callable[[int, str], object]
_Size = int | str | tuple[int, int]
_Limits = Mapping[str, int]

version: str
format_version: int
simd_target: str

class ModelError(ValueError): ...
class StoppedError(RuntimeError): ...
class CancelledError(StoppedError): ...
class TimedOutError(StoppedError): ...

class InputFormat:
    @property
    def channels(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def resize(self) -> int: ...
    @property
    def preprocessing(self) -> str: ...
    @property
    def exif(self) -> bool: ...
    @property
    def mean(self) -> list[float]: ...
    @property
    def std(self) -> list[float]: ...

class Layer:
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def neurons(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def shape(self) -> tuple[int, int, int]: ...

class Images:
    @property
    def pixels(self) -> NDArray[np.uint8]: ...
    @property
    def paths(self) -> list[str]: ...
    @property
    def truth(self) -> NDArray[np.int64]: ...

class Recording:
    @property
    def spikes(self) -> NDArray[np.int8] | None: ...
    @property
    def membranes(self) -> NDArray[np.float32] | None: ...

class Answers:
    @property
    def logits(self) -> NDArray[np.float32]: ...
    @property
    def outputs(self) -> Mapping[str, NDArray[np.float32]]: ...
    @property
    def best(self) -> NDArray[np.int64]: ...
    @property
    def steps(self) -> NDArray[np.int64]: ...
    @property
    def ending(self) -> NDArray[np.uint8]: ...
    @property
    def seconds(self) -> NDArray[np.float64]: ...
    @property
    def spikes(self) -> NDArray[np.int64] | None: ...
    @property
    def synops(self) -> NDArray[np.int64] | None: ...
    @property
    def macs(self) -> NDArray[np.int64] | None: ...
    @property
    def layer_seconds(self) -> NDArray[np.float64] | None: ...
    @property
    def readings(self) -> NDArray[np.float32] | None: ...
    @property
    def recordings(self) -> Mapping[str | int, Recording]: ...

class Reading:
    @property
    def image(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def logits(self) -> NDArray[np.float32]: ...
    @property
    def margin(self) -> float: ...
    @property
    def synops(self) -> int: ...

class Session:
    def run(self, images: ArrayLike, *, layout: _Layout | None = None) -> Answers: ...
    def run_events(self, events: ArrayLike) -> Answers: ...
    def cancel(self) -> None: ...

class FrameAnswer:
    @property
    def logits(self) -> NDArray[np.float32]: ...
    @property
    def best(self) -> int: ...
    @property
    def frame(self) -> int: ...
    @property
    def changed_share(self) -> float: ...
    @property
    def changed_pixels(self) -> int: ...
    @property
    def updates(self) -> int | None: ...
    @property
    def synops(self) -> int | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def layer_neurons(self) -> NDArray[np.int64]: ...
    @property
    def layer_changed(self) -> NDArray[np.int64]: ...
    @property
    def layer_touched(self) -> NDArray[np.int64]: ...
    @property
    def layer_spikes(self) -> NDArray[np.int64] | None: ...
    @property
    def layer_synops(self) -> NDArray[np.int64] | None: ...

class Stream:
    def next(self, frame: ArrayLike, *, layout: _Layout | None = None) -> FrameAnswer: ...
    def next_changes(self, changes: ArrayLike) -> FrameAnswer: ...
    def reset(self) -> None: ...

class EventReading:
    @property
    def step_seconds(self) -> float: ...
    @property
    def readout(self) -> Literal["counts", "potentials"]: ...
    @property
    def assumptions(self) -> list[str]: ...
    @property
    def stepped(self) -> list[str]: ...

class EventSession:
    def feed(
        self,
        steps: ArrayLike,
        addresses: ArrayLike,
        until: int,
        *,
        values: ArrayLike | None = None,
    ) -> None: ...
    def reset(self) -> None: ...
    def potentials(self, layer: int) -> NDArray[np.float64]: ...
    def counts(self, layer: int) -> NDArray[np.int64]: ...
    def save(self) -> bytes: ...
    def restore(self, state: bytes) -> None: ...
    @property
    def now(self) -> int: ...
    @property
    def logits(self) -> NDArray[np.float32]: ...
    @property
    def work(self) -> dict[str, NDArray[np.int64]]: ...

class Network:
    def event_session(self) -> EventSession: ...
    @property
    def events(self) -> EventReading | None: ...
    def stream(
        self,
        *,
        hold: int = 0,
        dead_zone: float = 0.0,
        threads: int = 1,
        statistics: bool = False,
    ) -> Stream: ...
    def session(
        self,
        *,
        threads: int = 0,
        latency: bool = False,
        statistics: bool = False,
        profile: bool = False,
        readings: bool = False,
        early_exit: float | Literal["auto"] | None = None,
        time_limit: float | None = None,
        on_reading: Callable[[Reading], bool | None] | None = None,
        record_spikes: _Layers | None = None,
        record_membranes: _Layers | None = None,
    ) -> Session: ...
    def run(
        self,
        images: ArrayLike,
        *,
        layout: _Layout | None = None,
        threads: int = 0,
        latency: bool = False,
        statistics: bool = False,
        profile: bool = False,
        readings: bool = False,
        early_exit: float | Literal["auto"] | None = None,
        time_limit: float | None = None,
        on_reading: Callable[[Reading], bool | None] | None = None,
        record_spikes: _Layers | None = None,
        record_membranes: _Layers | None = None,
    ) -> Answers: ...
    def run_events(
        self,
        events: ArrayLike,
        *,
        threads: int = 0,
        latency: bool = False,
        statistics: bool = False,
        profile: bool = False,
        readings: bool = False,
        early_exit: float | Literal["auto"] | None = None,
        time_limit: float | None = None,
        on_reading: Callable[[Reading], bool | None] | None = None,
        record_spikes: _Layers | None = None,
        record_membranes: _Layers | None = None,
    ) -> Answers: ...
    def preprocess(self, picture: ArrayLike) -> NDArray[np.uint8]: ...
    def read_images(self, paths: _Path | Sequence[_Path]) -> Images: ...
    @property
    def input(self) -> InputFormat: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def layers(self) -> list[Layer]: ...
    @property
    def classes(self) -> int: ...
    @property
    def answer(self) -> str: ...
    @property
    def outputs(self) -> Mapping[str, tuple[int, ...]]: ...
    @property
    def timesteps(self) -> int: ...
    @property
    def latency_steps(self) -> int: ...
    @property
    def early_exit_margin(self) -> float | None: ...
    @property
    def macs_per_image(self) -> int: ...
    @property
    def engine(self) -> _Engine: ...
    @property
    def why_float(self) -> str: ...

def load(
    file: _Path | bytes | int,
    *,
    engine: _Engine | None = None,
    log: _Log | None = None,
    limits: _Limits | None = None,
) -> Network: ...
def loads(
    data: bytes | bytearray | memoryview | NDArray[np.uint8],
    *,
    name: str = "data",
    engine: _Engine | None = None,
    log: _Log | None = None,
    limits: _Limits | None = None,
) -> Network: ...
def convert(
    model: _Path,
    output: _Path,
    *,
    calibration: _Path | ArrayLike,
    validation: _Path | ArrayLike | None = None,
    preset: str = "",
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    scale: float | str | None = None,
    resize: _Size | None = None,
    fit: _Size | bool | None = None,
    crop: _Size | None = None,
    fill: int | Sequence[int] | None = None,
    channels: str = "",
    interpolation: str = "",
    exif: bool = False,
    labels: Sequence[str] | None = None,
    timesteps: int | None = None,
    beta: float | None = None,
    silent: int | None = None,
    threshold: float | None = None,
    last_threshold: float | None = None,
    negative: bool = True,
    input: Literal["css", "direct"] | None = None,
    coding: Literal["css", "rate"] = "css",
    amplitudes: Literal["percentile", "maximum", "least-squares"] = "percentile",
    percentile: float = 99.99,
    per_channel: bool = False,
    adjust: int = 0,
    auto: float | None = None,
    paper: bool = False,
    goal: Literal["speed", "energy", "latency-steps"] | None = None,
    agree: float | None = None,
    threads: int = 0,
    limits: _Limits | None = None,
    progress: Callable[[str, int, int], object] | None = None,
    input_size: _Size | None = None,
) -> dict[str, Any]: ...
