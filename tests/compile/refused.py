#!/usr/bin/env python3
"""Compiles wrong tables one by one and expects refusal: refused.py COMPILER SOURCE_FOLDER

Each case is a program with one mistake and what the compiler must say of it. A case without such a
message is right and compiles without a warning, so that a refusal is never for another reason.
"""
import re
import subprocess
import sys

from columns import COLUMNS
from kept import KEPT
from labels import LABELS
from options import OPTIONS
from records import RECORDS
from rows import ROWS

FLAGS = ("-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wshadow",
         "-Wpointer-arith", "-Wcast-qual", "-Wwrite-strings", "-Wno-missing-field-initializers",
         "-Wno-missing-braces", "-Wno-unused", "-x", "c", "-")
GROUPS = {
    "columns": COLUMNS,
    "kept": KEPT,
    "labels": LABELS,
    "options": OPTIONS,
    "records": RECORDS,
    "rows": ROWS,
}


def compile_text(compiler, root, text):
    """What the compiler says; "" when it accepts."""
    done = subprocess.run([compiler, "-I", ".", *FLAGS], input=text, text=True, cwd=root,
                          capture_output=True, check=False)
    return "" if done.returncode == 0 else done.stderr or "refused without a word"


def judge(said, wanted):
    """Why the compiler was wrong; None when it was right."""
    if wanted is None:
        return None if not said else "must compile: " + said
    if not said:
        return "must be refused, compiles"
    errors = [line for line in said.splitlines() if re.search(r"\berror: ", line)]
    return None if any(wanted in line for line in errors) else f'must say "{wanted}": {said}'


def main():
    compiler, root = sys.argv[1:]
    count = failed = 0
    for group, (prelude, cases) in GROUPS.items():
        refused = sum(wanted is not None for _, wanted, _ in cases)
        assert 0 < refused < len(cases), f"{group}: right and wrong cases are both needed"
        for name, wanted, text in cases:
            count += 1
            wrong = judge(compile_text(compiler, root, prelude + text), wanted)
            failed += wrong is not None
            print(f"{'FAILED' if wrong else 'ok    '} {group}: {name}" +
                  (f"\n{wrong}" if wrong else ""))
    print(f"{count} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
