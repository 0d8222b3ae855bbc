#!/usr/bin/env python3
"""The map in HACKING.md has every folder of the tree, and nothing else: check_map.py SOURCE

Folders stand in the first column, each as `path/`. `path/**` is a folder with all that is below it, and
NAME stands for any name.
"""

import os
import pathlib
import re
import sys

SOURCE = pathlib.Path(sys.argv[1])
# Without sources: what builds, tests and editors leave, and Git's own.
OTHERS = re.compile(r"build.*|__pycache__|\.(?!ci$).*|.*\.egg-info")


def folders():
    """Those with files in them, as path/."""
    for folder, below, files in os.walk(SOURCE):
        below[:] = sorted(name for name in below if not OTHERS.fullmatch(name))
        path = pathlib.Path(folder).relative_to(SOURCE).as_posix()
        if files and path != ".":
            yield path + "/"


def rows():
    section = (SOURCE / "HACKING.md").read_text().split("## The map\n")[1].split("\n## ")[0]
    found = []
    for line in section.splitlines():
        if line.startswith("| `"):
            found += re.findall(r"`([^`]+)`", line.split(" | ")[0])
    return found


def pattern_of(row):
    deep = row.endswith("**")
    text = re.escape(row.removesuffix("**")).replace("NAME", "[^/]+")
    return re.compile(text + (".*" if deep else ""))


def main():
    there = list(folders())
    patterns = {row: pattern_of(row) for row in rows()}
    errors = [f"the map leaves out {folder}" for folder in there
              if not any(pattern.fullmatch(folder) for pattern in patterns.values())]
    errors += [f"the map has {row}, which is not there" for row, pattern in patterns.items()
               if not any(map(pattern.fullmatch, there))]
    if errors:
        sys.exit("HACKING.md:\n" + "\n".join(errors))
    print(f"{len(there)} folders in {len(patterns)} rows")


if __name__ == "__main__":
    main()
