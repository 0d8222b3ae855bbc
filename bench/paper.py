#!/usr/bin/env python3
"""The paper's experiments on any ONNX model and folder of images.

    bench/paper.py MODEL.onnx --calibration DIR --test DIR -o FOLDER
                   [--mean r,g,b] [--std r,g,b] [--images N] [--quantized MODEL.onnx]

Writes paper.json, a CSV file for each table and figure, and paper.html: one page that needs nothing
else. Takes minutes; --images makes it shorter.
"""

import argparse
import csv
import html
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "release" / "bench" / "bench_paper"

# Readable on light and dark, and by those who do not see red and green apart.
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"]

STYLE = """
:root { color-scheme: light dark; --line: #8888; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
p.note { opacity: .75; margin-top: -.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--soft);
         white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 11rem; }
svg { width: 100%; max-width: 40rem; height: auto; }
svg text { fill: currentColor; font-size: 13px; }
svg .axis { stroke: var(--line); fill: none; }
svg .grid { stroke: var(--soft); }
.legend span { display: inline-block; margin-right: 1.2rem; }
.legend i { display: inline-block; width: .9rem; height: .25rem; margin-right: .4rem;
            vertical-align: middle; }
"""


def measure(arguments):
    command = [PROGRAM, arguments.model, "--calibration", arguments.calibration, "--test",
               arguments.test, "--images", str(arguments.images)]
    for option in ("mean", "std", "quantized"):
        value = getattr(arguments, option)
        if value:
            command += [f"--{option}", value]
    try:
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    except FileNotFoundError:
        sys.exit(f"paper.py: {PROGRAM} is not there; build with -DCSSRUN_BENCH=ON")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


def text_of(value):
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_csv(folder, name, header, rows):
    with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([[text_of(cell) for cell in row] for row in rows])


def write_csvs(folder, result):
    for name, table in result["tables"].items():
        write_csv(folder, name, table["columns"], table["rows"])
    for name, figure in result["figures"].items():
        rows = [[s["name"], *point] for s in figure["series"] for point in s["points"]]
        write_csv(folder, name, ["series", figure["x"], figure["y"]], rows)


def ticks(low, high, wanted=5):
    """Round numbers from low to high."""
    step = 10.0 ** len(str(int((high - low) / wanted))) / 10 if high - low > wanted else 1.0
    while (high - low) / step < wanted:
        step /= 2 if str(step).lstrip("0.").startswith("1") else 2.5
    while (high - low) / step > 2 * wanted:
        step *= 2
    first = int(low / step) * step
    marks = []
    while first <= high + step * 1e-6:
        if first >= low - step * 1e-6:
            marks.append(round(first, 10))
        first += step
    return marks


def draw(figure):
    width, height, left, top, right, bottom = 640, 330, 56, 12, 14, 44
    points = [p for s in figure["series"] for p in s["points"]]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    low_x, high_x = min(xs), max(xs)
    # From zero unless that would hide everything: accuracies differ by little.
    low_y = 0 if min(ys) < 0.5 * max(ys) else min(ys) - 0.1 * (max(ys) - min(ys) + 1e-9)
    high_y = max(ys) + 0.08 * (max(ys) - low_y + 1e-9)
    span_x, span_y = (high_x - low_x) or 1, (high_y - low_y) or 1

    def place(x, y):
        return (left + (x - low_x) / span_x * (width - left - right),
                top + (high_y - y) / span_y * (height - top - bottom))

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" '
             f'aria-label="{html.escape(figure["title"])}">']
    for y in ticks(low_y, high_y):
        at = place(low_x, y)[1]
        parts.append(f'<path class="grid" d="M{left},{at:.1f}H{width - right}"/>'
                     f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x in ticks(low_x, high_x, 7):
        at = place(x, low_y)[0]
        parts.append(f'<text x="{at:.1f}" y="{height - bottom + 18}" text-anchor="middle">'
                     f'{x:g}</text>')
    parts.append(f'<path class="axis" d="M{left},{top}V{height - bottom}H{width - right}"/>')
    parts.append(f'<text x="{width - right}" y="{height - 6}" text-anchor="end">'
                 f'{html.escape(figure["x"])}</text>')
    for i, series in enumerate(figure["series"]):
        color = COLORS[i % len(COLORS)]
        dash = "" if i < 2 else ' stroke-dasharray="6 3"'
        path = "L".join("{:.1f},{:.1f}".format(*place(*p)) for p in series["points"])
        parts.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
        for point in series["points"]:
            x, y = place(*point)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}">'
                         f'<title>{html.escape(series["name"])}: {point[0]:g}, {point[1]:g}</title>'
                         '</circle>')
    return "\n".join(parts + ["</svg>"])


def legend(figure):
    entries = [f'<span><i style="background:{COLORS[i % len(COLORS)]}"></i>'
               f'{html.escape(s["name"])}</span>' for i, s in enumerate(figure["series"])]
    return f'<p class="legend">{"".join(entries)}</p>'


def table_html(table):
    head = "".join(f"<th>{html.escape(c)}</th>" for c in table["columns"])
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(text_of(cell))}</td>" for cell in row) + "</tr>"
        for row in table["rows"])
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def page(result):
    name = html.escape(pathlib.Path(result["model"]).name)
    ann = "" if result["ann_top1"] is None else f', of which the ANN gets {result["ann_top1"]:.1%} right'
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{name}: the paper's experiments</title><style>{STYLE}</style>",
        f"<h1>{name}: the paper's experiments</h1>",
        f'<p>{result["images"]} test images{ann}; {result["macs_per_image"] / 1e6:.1f} M MACs an '
        f'image. Accuracy is the {html.escape(result["accuracy"])}. '
        f'cssrun {html.escape(result["version"])}, {html.escape(result["simd_target"])}.</p>']
    for table in result["tables"].values():
        parts += [f'<h2>{html.escape(table["title"])}</h2>',
                  f'<p class="note">{html.escape(table["note"])}</p>', table_html(table)]
    for figure in result["figures"].values():
        parts += [f'<h2>{html.escape(figure["title"])}</h2>',
                  f'<p class="note">{html.escape(figure["note"])} '
                  f'Vertical: {html.escape(figure["y"])}.</p>', draw(figure), legend(figure)]
    return "\n".join(parts + ["</html>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path)
    parser.add_argument("--mean", default="")
    parser.add_argument("--std", default="")
    parser.add_argument("--quantized", default="")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--from-json", help="draw an earlier paper.json again", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.from_json:
        result = json.loads(arguments.from_json.read_text(encoding="utf-8"))
    else:
        result = measure(arguments)
    os.makedirs(arguments.output, exist_ok=True)
    (arguments.output / "paper.json").write_text(json.dumps(result, indent=2), encoding="utf-8")
    write_csvs(arguments.output, result)
    (arguments.output / "paper.html").write_text(page(result), encoding="utf-8")
    print(f"Wrote {arguments.output}/paper.html, paper.json and "
          f"{len(result['tables']) + len(result['figures'])} CSV files")


if __name__ == "__main__":
    main()
