#!/usr/bin/env python3
"""Measures how time grows, prints the figures and draws them as docs/growth.svg.

    bench/growth.py SHARED MODELS

SHARED: a folder with models/resnet20.onnx and cifar10/{calibration,test}; MODELS: what
bench/export_models.py wrote. One thread on one core unless threads are what grows.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
NORMALIZATION = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]


def run(*command, cores="1"):
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    command = ["taskset", "-c", cores, *map(str, command)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True)


def convert(model, folder, images, timesteps):
    net = pathlib.Path(folder) / f"{model.stem}-{timesteps}.fb"
    run(BUILD / "tools/cssconvert", model, "-o", net, "--calibration", images, *NORMALIZATION,
        "--timesteps", timesteps, "--beta", 2, "--silent", 2, "--threshold", 0.667, cores="0-1")
    return net


def summarize(folder, net, images, *options, cores="1"):
    path = pathlib.Path(folder) / "summary.json"
    run(BUILD / "tools/cssrun", net, images, "--summary", path, *options, cores=cores)
    return json.loads(path.read_text())


def summarize_list(folder, net, files):
    listing = pathlib.Path(folder) / "files"
    listing.write_bytes(b"\0".join(os.fsencode(f) for f in files))
    path = pathlib.Path(folder) / "summary.json"
    run(BUILD / "tools/cssrun", net, "--files0-from", listing, "--summary", path, "--threads", 1)
    return json.loads(path.read_text())


def p50(summary):
    return summary["latency_ms"]["p50"]


def measure(shared, models, folder):
    calibration = shared / "cifar10/calibration"
    test = shared / "cifar10/test"
    resnet20 = shared / "models/resnet20.onnx"
    panels = []

    steps = []
    for timesteps in (3, 4, 5, 6, 8, 10, 12):
        net = convert(resnet20, folder, calibration, timesteps)
        steps.append((timesteps, p50(summarize(folder, net, test, "--threads", 1))))
    panels.append(("ResNet-20: ms against T", "T", steps))

    output = run(BUILD / "bench/bench_kernels", "--benchmark_format=json",
                 "--benchmark_min_time=0.2",
                 "--benchmark_filter=BM_Layer/side:16/from:128/.*").stdout
    rates = sorted((int(b["name"].rsplit(":", 1)[1]) / 1000, b["real_time"] / 1e6)
                   for b in json.loads(output)["benchmarks"])
    panels.append(("16x16x128 to 128, 3x3: ms against the event rate", "rate", rates))

    sides = []
    for model in models.glob("resnet18-[0-9]*.onnx"):
        net = convert(model, folder, calibration / sorted(os.listdir(calibration))[0], 6)
        few = test / sorted(os.listdir(test))[0]
        summary = summarize(folder, net, few, "--threads", 1)
        sides.append((int(model.stem.split("-")[1]) ** 2 / 1000, p50(summary)))
    panels.append(("ResNet-18: ms against thousands of pixels", "pixels / 1000", sorted(sides)))

    net = convert(resnet20, folder, calibration, 5)
    files = sorted(test.rglob("*.*"))
    batches = []
    for count in (1, 4, 16, 64, 256):
        summary = summarize_list(folder, net, files[:count])
        batches.append((count, summary["run_seconds"] * 1e3 / count))
    panels.append(("ResNet-20: ms an image against images given", "log2 of images", [
        (math.log2(count), ms) for count, ms in batches]))

    cores = os.cpu_count()
    everything = f"0-{cores - 1}"
    net = convert(resnet20, folder, calibration, 12)
    for title, options in (("images a second", []), ("answers a second, --latency", ["--latency"])):
        threads = []
        for count in range(1, cores + 1):
            summary = summarize(folder, net, test, "--threads", count, *options, cores=everything)
            value = 1e3 / p50(summary) if options else summary["images_per_second"]
            threads.append((count, value))
        panels.append((f"ResNet-20, T = 12: {title}", "threads", threads))
    return panels


def draw(panels):
    width, height, columns = 340, 240, 3
    rows = (len(panels) + columns - 1) // columns
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * columns} '
             f'{height * rows}" font-family="sans-serif" font-size="11">',
             '<rect width="100%" height="100%" fill="white"/>']
    for i, (title, axis, points) in enumerate(panels):
        left, top = i % columns * width + 45, i // columns * height + 30
        wide, high = width - 70, height - 75
        most_x, most_y = max(x for x, _ in points) * 1.05, max(y for _, y in points) * 1.1
        place = lambda x, y: (left + x / most_x * wide, top + high - y / most_y * high)
        # The straight line of the first two points shows where the curve bends.
        (x0, y0), (x1, y1) = points[0], points[1]
        slope = max(0, (y1 - y0) / (x1 - x0))
        end = min(most_x, (most_y - y0) / slope + x0) if slope > 0 else most_x
        line = [place(x0, y0), place(end, y0 + slope * (end - x0))]
        last_label = -100
        parts.append(f'<text x="{left - 35}" y="{top - 12}">{title}</text>')
        parts.append(f'<path d="M{left},{top}v{high}h{wide}" fill="none" stroke="black"/>')
        parts.append('<path d="M{:.1f},{:.1f}L{:.1f},{:.1f}" stroke="#bbb" '
                     'stroke-dasharray="4"/>'.format(*line[0], *line[1]))
        path = "L".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="#06c" stroke-width="2"/>')
        for x, y in points:
            at = place(x, y)
            parts.append('<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="#06c"/>'.format(*at))
            if at[0] - last_label < 24:
                continue
            last_label = at[0]
            parts.append('<text x="{:.1f}" y="{:.1f}" text-anchor="end" fill="#555">{:.3g}'
                         '</text>'.format(at[0] - 4, at[1] - 5, y))
            parts.append('<text x="{:.1f}" y="{}" text-anchor="middle">{:.3g}</text>'.format(
                at[0], top + high + 14, x))
        parts.append(f'<text x="{left + wide}" y="{top + high + 28}" text-anchor="end">{axis}</text>')
    return "\n".join(parts + ["</svg>", ""])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        panels = measure(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), folder)
    for title, axis, points in panels:
        print(f"{title}: " + ", ".join(f"{x:.3g}: {y:.3g}" for x, y in points))
    (ROOT / "docs/growth.svg").write_text(draw(panels))


if __name__ == "__main__":
    main()
