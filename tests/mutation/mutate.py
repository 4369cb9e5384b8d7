#!/usr/bin/env python3
"""Changes the product in one place at a time and says which changes no unit test notices.

  mutate.py [--count 60] [--seed 1] [--only alerts/rules] [--kind compare] [--list]

Places come from every source of core, collectors, alerts and exporter, as many of each kind, chosen
by a hash of the seed and the line: a change elsewhere does not move the choice. What does not
compile counts for nothing; what equivalent.txt names changes nothing anybody could see. Works on a
copy of the tree in build/mutation, under the address sanitizer, and runs only the unit tests that
contain the file; what none contains (main, commands, the service) is judged by a few integration
tests. Not part of scripts/test: it takes its time. Exit status 1: under 90 % killed.
"""
import argparse
import collections
import filecmp
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
PLACE = os.path.join(ROOT, "build/mutation")
TREE, BUILD = os.path.join(PLACE, "tree"), os.path.join(PLACE, "build")
UNCHANGED = os.path.join(PLACE, "unchanged")  # the programs before any change
PROGRAMS = ("defender_exporter", "fake_azure", "print_requests")
FLOORS = ("core", "collectors", "alerts", "exporter")
EQUIVALENT = os.path.join(os.path.dirname(__file__), "equivalent.txt")
WHOLE = ("references", "lifecycle", "examples", "alerts_flow")
WANTED = 0.9
LIMIT_S, WHOLE_LIMIT_S = 180, 600  # a change may make a test run for ever

# kind: pattern over code without comments and texts, and what takes its place
COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
KINDS = ("compare", "logic", "constant", "condition", "statement")
STATEMENT = re.compile(r"^\s+(?!(?:return|break|continue|case|default|else|do|if|while|for|static"
                       r"|const|struct|enum|CLEANUP)\b|\(void\)|\.|\})"
                       r"[a-z*][^;{}]*;\s*$")
DECLARATION = re.compile(r"^\s+[a-z_0-9]+\s+\**[a-z_0-9]+(\[.*\])?(\s*=|\s*,|;)")

Mutant = collections.namedtuple("Mutant", "path line source start end new kind what")


def blank(text):
    """The text with comments, strings and directives blanked, of the same length."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', spaces, text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", spaces, text, flags=re.M)


def closing(code, start):
    """The place of the parenthesis that closes the one at start."""
    depth = 0
    for at in range(start, len(code)):
        depth += (code[at] == "(") - (code[at] == ")")
        if not depth:
            return at
    return len(code) - 1


def changes(path):
    """Every mutant of a file."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    code = blank(text)
    lines = text.splitlines()

    def mutant(start, end, new, kind, what):
        line = text.count("\n", 0, start) + 1
        return Mutant(path, line, lines[line - 1].strip(), start, end, new, kind, what)

    depth, inside = 0, []  # of braces: bodies of functions, and tables
    for at, char in enumerate(code):
        depth += (char == "{") - (char == "}")
        inside.append(depth)
    for found in re.finditer(r"(?<![-<>=!&|])(==|!=|<=|>=|<|>)(?![<>=])", code):
        if inside[found.start()] and code[found.start() - 1] == " ":
            yield mutant(*found.span(), COMPARE[found[1]], "compare",
                         f"{found[1]} becomes {COMPARE[found[1]]}")
    for found in re.finditer(r"&&|\|\|", code):
        new = LOGIC[found[0]]
        yield mutant(*found.span(), new, "logic", f"{found[0]} becomes {new}")
    for found in re.finditer(r"(?<![\w.])(?:0|[1-9]\d*)(?![\w.])", code):
        empty = code[found.start() - 2:found.end() + 2] == "{ 0 }"
        if inside[found.start()] and not empty:
            new = str(int(found[0]) + 1)
            yield mutant(*found.span(), new, "constant", f"{found[0]} becomes {new}")
    for found in re.finditer(r"\b(?:if|while) (\()", code):
        end = closing(code, found.start(1))
        yield mutant(found.start(1), end + 1, "(!" + text[found.start(1):end + 1] + ")",
                     "condition", "the condition is negated")
    at = 0
    for line in lines:
        begin, at = at, at + len(line) + 1
        part = code[begin:begin + len(line)]
        before = code[:begin].rstrip()
        if (STATEMENT.match(part) and not DECLARATION.match(part) and inside[begin]
                and before[-1:] in ";{})" and part.count("(") == part.count(")")):
            first = begin + len(line) - len(line.lstrip())
            yield mutant(first, begin + len(line), ";", "statement", "the statement is removed")


def name(mutant):
    """How a place is called in equivalent.txt: survives moves of its line."""
    return f"{mutant.path} | {mutant.what} | {mutant.source}"


def candidates(arguments):
    """All places in the order in which they are tried, kinds taking turns."""
    by_kind = collections.defaultdict(list)
    for floor in FLOORS:
        for path in sorted(glob.glob(f"{floor}/**/*.c", recursive=True, root_dir=ROOT)):
            if arguments.only and not path.startswith(arguments.only):
                continue
            twins = collections.Counter()
            for mutant in changes(path):
                key = name(mutant)
                twins[key] += 1
                order = hashlib.sha256(f"{arguments.seed}|{key}|{twins[key]}".encode()).hexdigest()
                by_kind[mutant.kind].append((order, mutant))
    queues = [sorted(by_kind[kind]) for kind in KINDS if arguments.kind in (None, kind)]
    for turn in range(max((len(queue) for queue in queues), default=0)):
        for queue in queues:
            if turn < len(queue):
                yield queue[turn][1]


def equivalents():
    """Their names; a blank line or one that begins with # says something about them."""
    with open(EQUIVALENT, encoding="utf-8") as file:
        return {line.rstrip("\n") for line in file if line.strip() and line[0] not in "# "}


def mirror(source, target):
    """Copies a folder. What differs gets the time of now: it has to be built again."""
    def renew(new, old):
        if not os.path.exists(old) or not filecmp.cmp(new, old, shallow=False):
            shutil.copy(new, old)
    shutil.copytree(source, target, copy_function=renew, dirs_exist_ok=True)
    for folder, _, files in os.walk(target):
        for file in files:
            path = os.path.join(folder, file)
            if not os.path.exists(os.path.join(source, os.path.relpath(path, target))):
                os.remove(path)


def prepare():
    """The copy, built; what the tests contain: {file name: tests}."""
    os.makedirs(TREE, exist_ok=True)
    for part in (*FLOORS, "tests", "packaging", "docs"):
        mirror(os.path.join(ROOT, part), os.path.join(TREE, part))
    for file in ("CMakeLists.txt", "README.md"):
        shutil.copy2(os.path.join(ROOT, file), TREE)
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    subprocess.run(["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                    "-DSANITIZE=address", *launcher], check=True, stdout=subprocess.DEVNULL)
    tests = [os.path.basename(path)[:-2]
             for path in sorted(glob.glob(os.path.join(TREE, "tests/unit/test_*.c")))]
    if not build(*tests, *PROGRAMS):
        sys.exit("the unchanged program does not build")
    contained = collections.defaultdict(list)
    os.makedirs(UNCHANGED, exist_ok=True)
    for program in (*PROGRAMS, *tests):
        shutil.copy2(os.path.join(BUILD, program), UNCHANGED)
    for test in tests:
        program = os.path.join(UNCHANGED, test)
        symbols = subprocess.run(["readelf", "-Ws", program], check=True, text=True,
                                 capture_output=True).stdout
        for file in set(re.findall(r" FILE +LOCAL +\S+ +ABS +(\S+\.c)\s", symbols)):
            contained[file].append(test)
    return contained


def ordered(tests, path):
    """First the test of the file itself, then those that include its header, then the rest."""
    stem = os.path.basename(path)[:-2]
    header = path[:-2] + ".h"

    def near(test):
        with open(os.path.join(TREE, "tests/unit", test + ".c"), encoding="utf-8") as file:
            includes = header in file.read()
        return (test != "test_" + stem, not stem.startswith(test[5:]), not includes, test)
    return sorted(tests, key=near)


def build(*targets):
    command = ["cmake", "--build", BUILD, "--target", *targets]
    return not subprocess.run(command, check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode


def passes(test, place):
    """Whether a unit test, or an integration test, passes with the programs of a folder."""
    command, limit_s = [os.path.join(place, test)], LIMIT_S
    if not test.startswith("test_"):
        command, limit_s = [sys.executable, f"integration/{test}.py"], WHOLE_LIMIT_S
    programs = {name.upper(): os.path.join(place, name) for name in PROGRAMS}
    try:
        return not subprocess.run(
            command, cwd=os.path.join(TREE, "tests"), check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit_s,
            env={**os.environ, **programs}).returncode
    except subprocess.TimeoutExpired:
        return False


def judge(mutant, contained):
    """The test that kills it, "" when none does, None when it does not compile. On a busy machine
    one may fail by itself: a kill fails with the change, passes without and fails again."""
    file = os.path.join(TREE, mutant.path)
    with open(file, encoding="utf-8") as source:
        text = source.read()

    def write(content):
        with open(file, "w", encoding="utf-8") as target:
            target.write(content)
    try:
        write(text[:mutant.start] + mutant.new + text[mutant.end:])
        for test in ordered(contained[os.path.basename(mutant.path)], mutant.path) or WHOLE:
            if not build(test if test.startswith("test_") else PROGRAMS[0]):
                return None
            if not (passes(test, BUILD) or not passes(test, UNCHANGED) or passes(test, BUILD)):
                return test
        return ""
    finally:
        write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="paths that begin so")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--list", action="store_true", help="show the places, change nothing")
    arguments = parser.parse_args()
    known, left = equivalents(), candidates(arguments)
    if arguments.list:
        for _, mutant in zip(range(arguments.count), left):
            print(name(mutant))
        return 0
    contained = prepare()
    killed, survived = 0, []
    for mutant in left:
        if killed + len(survived) == arguments.count:
            break
        where = f"{mutant.path}:{mutant.line}: {mutant.what}"
        if name(mutant) in known:
            print(f"same      {where}", flush=True)
            continue
        began = time.monotonic()
        killer = judge(mutant, contained)
        if killer is None:
            continue
        verdict = f"killed    {where} by {killer}" if killer else f"SURVIVED  {where}"
        print(f"{verdict} ({time.monotonic() - began:.0f} s)", flush=True)
        killed += bool(killer)
        if not killer:
            survived.append(mutant)
    for mutant in survived:
        print("survived: " + name(mutant))
    total = killed + len(survived)
    print(f"{killed} of {total} killed")
    return int(killed < WANTED * total)


if __name__ == "__main__":
    sys.exit(main())
