#!/usr/bin/python3
"""Prints the expected time of networks beside the measured one, so that a wrong constant of
runtime/integer/cost.cc shows.

    bench/cost.py IMAGES NET...

Runs each network on the images, some times on one thread, and prints as Markdown the expected and
the measured milliseconds of an image, then the same of all layers by the kernel that they begin
with. The measured time of a layer is the least of the runs, because other programs disturb them. On
another machine than that of the constants, what counts is that the ratios are alike.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent.parent / "build" / "release" / "tools"
RUNS = 5
LAYER = re.compile(r"^ *(\d+)  .* (\d+\.\d+) ms")
KERNELS = ("pixels", "tile_gather", "row_scatter", "depthwise", "event_shortcut", "level_conv",
           "level_depthwise", "level_shortcut", "readout", "map_readout")


def expected(net: str) -> list[tuple[str, float]]:
    """Kernel and expected milliseconds of each layer."""
    plan = subprocess.run([TOOLS / "cssinspect", net, "--plan"], check=True, text=True,
                          capture_output=True).stdout
    if plan.startswith("runs in float"):
        sys.exit(f"{net}: runs in float, which has no plan; name a network in integers")
    layers = []
    for line in plan.splitlines():
        if found := LAYER.match(line):
            kernel = next((word for word in line.split() if word in KERNELS), "input")
            layers.append((kernel, float(found[2])))
    return layers


def measured(net: str, images: str) -> tuple[float, list[float]]:
    """The least median of an image, and the least mean of each layer, in milliseconds."""
    medians, layers = [], []
    with tempfile.TemporaryDirectory() as folder:
        summary = pathlib.Path(folder) / "summary.json"
        for _ in range(RUNS):
            subprocess.run([TOOLS / "cssrun", net, images, "--threads", "1", "--profile",
                            "--summary", summary], check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            run = json.loads(summary.read_text())
            medians.append(run["latency_ms"]["p50"])
            layers.append([layer["seconds"] * 1e3 for layer in run["layers"]])
    return min(medians), [min(times) for times in zip(*layers)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images")
    parser.add_argument("networks", nargs="+", metavar="NET")
    arguments = parser.parse_args()
    kernels = collections.defaultdict(lambda: [0.0, 0.0])
    print("| network | expected ms | measured ms | ratio |\n|---|---|---|---|")
    for net in arguments.networks:
        plan = expected(net)
        median, layers = measured(net, arguments.images)
        total = sum(ms for _, ms in plan)
        print(f"| {pathlib.Path(net).name} | {total:.3f} | {median:.3f} | {total / median:.2f} |",
              flush=True)
        for (kernel, ms), layer in zip(plan, layers, strict=True):
            kernels[kernel][0] += ms
            kernels[kernel][1] += layer
    print("\n| kernel | expected ms | measured ms | ratio |\n|---|---|---|---|")
    for kernel, (ms, layer) in sorted(kernels.items()):
        ratio = f"{ms / layer:.2f}" if layer > 0 else "-"
        print(f"| {kernel} | {ms:.3f} | {layer:.3f} | {ratio} |")


if __name__ == "__main__":
    main()
