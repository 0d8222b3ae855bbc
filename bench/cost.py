#!/usr/bin/python3
"""Prints the expected time of networks beside the measured one, so that a wrong constant of
runtime/integer/cost.cc shows.

    bench/cost.py IMAGES NET... [--simd NAME] [--float] [--seconds 2]

Runs each network on the images on one thread, and prints as Markdown the expected and the measured
milliseconds of an image, then the same of all layers by the kernel that they begin with. Measured
times are the least of many, because other programs disturb them. On another machine than that of the
constants, what counts is that the ratios are alike. --simd allows no better instruction set: each has
constants of its own. --float asks for the float engine, whose time is expected as a whole.
"""

import argparse
import collections
import json
import pathlib
import subprocess

BENCH = pathlib.Path(__file__).resolve().parent.parent / "build" / "release" / "bench" / "bench_cost"


def measured(net: str, arguments: argparse.Namespace) -> dict:
    """What bench_cost prints of a network."""
    command = [BENCH, net, arguments.images, "--seconds", arguments.seconds]
    if arguments.simd:
        command += ["--simd", arguments.simd]
    if arguments.float:
        command.append("--float")
    return json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images")
    parser.add_argument("networks", nargs="+", metavar="NET")
    parser.add_argument("--simd", default="")
    parser.add_argument("--float", action="store_true")
    parser.add_argument("--seconds", default="2")
    arguments = parser.parse_args()
    kernels = collections.defaultdict(lambda: [0.0, 0.0])
    print("| network | expected ms | measured ms | ratio |\n|---|---|---|---|")
    for net in arguments.networks:
        run = measured(net, arguments)
        expected, least = run["expected_ms"], run["measured_ms"]
        print(f"| {pathlib.Path(net).name} | {expected:.3f} | {least:.3f} | "
              f"{expected / least:.2f} |", flush=True)
        for layer in run["layers"]:
            kernels[layer["kernel"]][0] += layer["expected_ms"]
            kernels[layer["kernel"]][1] += layer["measured_ms"]
    print("\n| kernel | expected ms | measured ms | ratio |\n|---|---|---|---|")
    for kernel, (ms, layer) in sorted(kernels.items()):
        ratio = f"{ms / layer:.2f}" if layer > 0 else "-"
        print(f"| {kernel} | {ms:.3f} | {layer:.3f} | {ratio} |")


if __name__ == "__main__":
    main()
