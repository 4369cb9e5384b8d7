#!/usr/bin/env python3
"""How many instructions pushing takes, per one of rendering the same points as text, counted by
callgrind; compressing apart, which both do. Exits 1 above the limit.

tests/bench/otlp.py [build/release/bench_otlp] [POINTS]
"""
import os
import re
import subprocess
import sys
import tempfile

from figures import figure

LIMIT = 3.0


def inclusive(program, points):
    """Instructions by function, callees included."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program],
                       check=True, env={**os.environ, "BENCH_OTLP": str(points)},
                       stdin=subprocess.DEVNULL, capture_output=True)
        text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", out],
                              check=True, capture_output=True, text=True).stdout
    return {name: int(count.replace(",", "")) for count, name in re.findall(
        r"^ *([\d,]+) \([^)]*\)\s+\S+?:(\w+)", text, re.M)}


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "build/release/bench_otlp"
    points = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    counts = inclusive(program, points)
    packing = counts.get("gzip_append", 0)
    pushed = counts["otlp_metrics_add"] + counts.get("otlp_metrics_end", 0) - packing
    text = counts["encoding_append"]
    print(f"{points} points: {pushed / points:.0f} instructions a point, as text "
          f"{text / points:.0f}; compressing {packing / points:.0f} more")
    sys.exit(not figure("instructions of a point pushed to one as text", pushed / text, "x", LIMIT))


main()
