#!/usr/bin/env bash
# bench/paper.py on the network that ships with cssrun: every file is there, parses, and shows what
# the method is for.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A name that must not become markup.
cp "$root/tools/demo/digits.onnx" "$folder/<b>digits.onnx"
"$root/bench/paper.py" "$folder/<b>digits.onnx" --calibration "$root/tools/demo/calibration" \
  --test "$root/tools/demo/test" --mean 0.5 --std 0.25 \
  --labels "$root/tools/demo/labels.txt" --images "${1:-10}" -o "$folder/out" --program "$2"
python3 - "$folder/out" <<'PYTHON'
import csv, json, pathlib, sys
from html.parser import HTMLParser

out = pathlib.Path(sys.argv[1])
result = json.loads((out / "paper.json").read_text())
names = ["table2", "table3", "table4", "figure2a", "figure2b", "figure3a", "figure3b", "figure4",
         "figure5a", "figure5b"]
assert sorted([*result["tables"], *result["figures"]]) == names[3:] + names[:3], result.keys()
for name in names:
    rows = list(csv.reader((out / f"{name}.csv").open()))
    assert len(rows) > 5 and all(len(row) == len(rows[0]) for row in rows), name

columns = result["tables"]["table2"]["columns"]
rows = [dict(zip(columns, row)) for row in result["tables"]["table2"]["rows"]]
error = {(row["code"].split(",")[0], row["steps"]): row["logit error %"] for row in rows}
assert error["CSS", 12] < error["rate", 8] / 4, error
assert len(result["tables"]["table3"]["rows"]) == 8
# Classes go by name: the demo's are not in the order of their folders.
assert result["ann_top1"] >= 0.9, result["ann_top1"]

page = (out / "paper.html").read_text()
assert "<b>digits" not in page and "&lt;b&gt;digits" in page, "names must be escaped"
assert page.count("<svg") == 7 and "http" not in page.replace("http-equiv", "")


class Balanced(HTMLParser):
    open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in ("path", "circle") or self.open.pop() == tag, tag


parser = Balanced()
parser.feed(page)
assert parser.open == [], parser.open
PYTHON
