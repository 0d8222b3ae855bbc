"""Spiking neural networks (Canonic Signed Spike code) on ordinary CPUs.

    import cssrun
    net = cssrun.load("net.fb")
    answers = net.run(images)      # uint8 or float32, [N, H, W, C] or [N, C, H, W]
    answers.logits, answers.best, answers.spikes

See docs/python.md. `convert` is there where the module was built with the converter.
"""

import enum

from . import _cssrun
from ._cssrun import (
    Answers,
    CancelledError,
    EventReading,
    EventSession,
    FrameAnswer,
    Images,
    InputFormat,
    Layer,
    ModelError,
    Network,
    Reading,
    Recording,
    Session,
    StoppedError,
    Stream,
    TimedOutError,
    format_version,
    load,
    loads,
    simd_target,
)

__version__ = _cssrun.version


class Ending(enum.IntEnum):
    """Why a run ended: the values of Answers.ending."""

    COMPLETE = 0
    SURE = 1  # early_exit
    STOPPED = 2  # on_reading said so
    LATE = 3  # time_limit


__all__ = [
    "Answers",
    "CancelledError",
    "Ending",
    "EventReading",
    "EventSession",
    "FrameAnswer",
    "Images",
    "InputFormat",
    "Layer",
    "ModelError",
    "Network",
    "Reading",
    "Recording",
    "Session",
    "StoppedError",
    "Stream",
    "TimedOutError",
    "format_version",
    "load",
    "loads",
    "simd_target",
]

if hasattr(_cssrun, "convert"):
    from ._cssrun import convert

    __all__.append("convert")
else:

    def __getattr__(name):
        if name == "convert":
            raise AttributeError(
                "cssrun was built without the converter; build it with -DCSSRUN_CONVERTER=ON"
            )
        raise AttributeError(f"module 'cssrun' has no attribute '{name}'")
