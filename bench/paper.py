#!/usr/bin/env python3
"""The paper's experiments on any ONNX model and folder of images.

    bench/paper.py MODEL.onnx --calibration DIR --test DIR -o FOLDER
                   [--mean r,g,b] [--std r,g,b] [--labels FILE] [--images N]
                   [--quantized MODEL.onnx]

Writes paper.json, a CSV file for each table and figure, tables.md, figures.svg, and paper.html: one
page that needs nothing else.
Takes minutes; --images makes it shorter.
"""

import argparse
import csv
import html
import json
import math
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
.grouped td:first-child, .grouped th:first-child { text-align: right; min-width: 0; }
tr.group th { text-align: left !important; padding-top: .8rem; }
@media (max-width: 40rem) {
  table { font-size: .72rem; }
  th, td { padding: .25rem .2rem; }
  th { white-space: normal; }
  th:first-child, td:first-child { min-width: 5.5rem; }
}
svg { width: 100%; max-width: 34rem; height: auto; }
svg text { fill: currentColor; font-size: 12px; }
svg .axis { stroke: var(--line); fill: none; }
svg .grid { stroke: var(--soft); }
.legend span { display: inline-block; margin-right: 1.2rem; }
.legend i { display: inline-block; width: .9rem; height: .25rem; margin-right: .4rem;
            vertical-align: middle; }
"""


def measure(arguments):
    command = [arguments.program, arguments.model, "--calibration", arguments.calibration, "--test",
               arguments.test, "--images", str(arguments.images)]
    for option in ("mean", "std", "labels", "quantized"):
        value = getattr(arguments, option)
        if value:
            command += [f"--{option}", value]
    try:
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    except FileNotFoundError:
        sys.exit(f"paper.py: {arguments.program} is not there; build with -DCSSRUN_BENCH=ON")
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


def ticks(low, high, wanted):
    """About so many round numbers from low to high."""
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def draw(figure):
    width, height, left, top, right, bottom = 430, 270, 46, 10, 12, 42
    points = [p for s in figure["series"] for p in s["points"]]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    low_x, high_x = min(xs), max(xs)
    # From zero unless that would hide everything: accuracies differ by little.
    margin = max(0.1 * (max(ys) - min(ys)), 0.005 * max(ys), 1e-9)
    low_y = 0 if min(ys) < 0.5 * max(ys) else min(ys) - margin
    high_y = max(ys) + margin
    span_x, span_y = (high_x - low_x) or 1, high_y - low_y

    def place(x, y):
        return (left + (x - low_x) / span_x * (width - left - right),
                top + (high_y - y) / span_y * (height - top - bottom))

    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" '
             f'aria-label="{html.escape(figure["title"])}">']
    for y in ticks(low_y, high_y, 5):
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


def markdown(result):
    lines = []
    for table in result["tables"].values():
        lines += [f'**{table["title"]}.** {table["note"]}', "",
                  "| " + " | ".join(table["columns"]) + " |", "|" + "---|" * len(table["columns"])]
        lines += ["| " + " | ".join(map(text_of, row)) + " |" for row in table["rows"]] + [""]
    return "\n".join(lines)


def poster(result):
    """All figures in one picture, for documents that cannot hold a page."""
    wide, high, columns = 430, 330, 2
    figures = list(result["figures"].values())
    rows = (len(figures) + columns - 1) // columns
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide * columns} '
             f'{high * rows}" font-family="sans-serif" font-size="12">',
             "<style>.axis { stroke: #888; fill: none } .grid { stroke: #ddd }</style>",
             '<rect width="100%" height="100%" fill="white"/>']
    for i, figure in enumerate(figures):
        x, y = i % columns * wide, i // columns * high
        parts.append(f'<text x="{x + 10}" y="{y + 20}" font-size="14">'
                     f'{html.escape(figure["title"])}</text>')
        for k, series in enumerate(figure["series"]):
            at = x + 10 + k % 2 * 200, y + 38 + k // 2 * 14
            parts.append(f'<text x="{at[0]}" y="{at[1]}" fill="{COLORS[k % len(COLORS)]}">'
                         f'{html.escape(series["name"])}</text>')
        parts.append(draw(figure).replace("<svg ", f'<svg x="{x}" y="{y + 54}" width="{wide}" '
                                          f'height="{high - 60}" ', 1))
    return "\n".join(parts + ["</svg>", ""])


def legend(figure):
    entries = [f'<span><i style="background:{COLORS[i % len(COLORS)]}"></i>'
               f'{html.escape(s["name"])}</span>' for i, s in enumerate(figure["series"])]
    return f'<p class="legend">{"".join(entries)}</p>'


def cells_html(tag, cells):
    return "".join(f"<{tag}>{html.escape(text_of(cell))}</{tag}>" for cell in cells)


def table_html(table):
    """Names that come several times become headings: a phone has no room for them in every row."""
    columns, rows = table["columns"], table["rows"]
    grouped = len({row[0] for row in rows}) <= len(rows) / 2
    first = 1 if grouped else 0
    body, group = [], None
    for row in rows:
        if grouped and row[0] != group:
            group = row[0]
            body.append(f'<tr class="group"><th colspan="{len(columns) - 1}">'
                        f'{html.escape(group)}</th></tr>')
        body.append(f'<tr>{cells_html("td", row[first:])}</tr>')
    return (f'<div class="scroll"><table{" class=grouped" if grouped else ""}>'
            f'<tr>{cells_html("th", columns[first:])}</tr>{"".join(body)}</table></div>')


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
    parser.add_argument("--labels", default="", help="as cssconvert's")
    parser.add_argument("--quantized", default="")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--program", help="bench_paper, where it was built", default=PROGRAM)
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
    (arguments.output / "tables.md").write_text(markdown(result), encoding="utf-8")
    (arguments.output / "figures.svg").write_text(poster(result), encoding="utf-8")
    print(f"Wrote {arguments.output}/paper.html, paper.json, tables.md, figures.svg and "
          f"{len(result['tables']) + len(result['figures'])} CSV files")


if __name__ == "__main__":
    main()
