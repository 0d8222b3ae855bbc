#!/usr/bin/env python3
"""Lists the skipped tests of a run of ctest, with their reasons: list_skipped.py RESULTS SHARED

RESULTS is what ctest --output-junit wrote. SHARED is the folder of real models and images beside the
checkout. The exit code is 1 if a test was skipped for any reason but the absence of SHARED: such a
test cannot fail, and nobody would notice. Tests of which a part did not run say so in lines that begin
with "not run: "; these are listed too, and change nothing.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def reason_of(output):
    """The words of GoogleTest's GTEST_SKIP or of pytest -rs, on one line; empty if there are none."""
    found = re.search(r"^\S+:\d+: Skipped\n(.*?)^\[  SKIPPED \]", output, re.M | re.S)
    if found:
        return " ".join(found[1].split())
    return "; ".join(re.findall(r"^SKIPPED \[\d+\] \S+: (.*)$", output, re.M))


def output_of(case):
    return "\n".join(text.text or "" for text in case.findall("system-out"))


def main():
    results, shared = sys.argv[1], pathlib.Path(sys.argv[2])
    cases = ElementTree.parse(results).getroot().findall("testcase")
    if not cases:
        sys.exit(f"{results}: no tests")
    skipped, refused, parts = [], [], []
    for case in cases:
        name, output = case.get("name"), output_of(case)
        parts += [f"{name}: {part}" for part in re.findall(r"^not run: (.*)$", output, re.M)]
        if case.get("status") in ("run", "fail"):
            continue
        reason = reason_of(output)
        skipped.append(f"{name}: {reason or 'no reason is given'}")
        if shared.exists() or "../shared" not in reason:
            refused.append(name)

    if parts:
        print("Ran in part; what did not run:")
        print("".join(f"  {part}\n" for part in parts), end="")
    if not skipped:
        print("No test was skipped.")
        return
    print("Skipped:")
    print("".join(f"  {line}\n" for line in skipped), end="")
    if refused:
        where = "although ../shared is there" if shared.exists() else "not for want of ../shared"
        sys.exit(f"{len(refused)} of {len(cases)} tests were skipped {where}: {', '.join(refused)}")


if __name__ == "__main__":
    main()
