"""Places of the product where something can be changed, found by rule, and the changes.

Every source of core, collectors, alerts and exporter; not what is logged. Each kind
of change is one row of KINDS. A place is chosen by a hash of the seed and its line: a change
elsewhere does not move the choice.
"""
import collections
import glob
import hashlib
import os
import re

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
FLOORS = ("core", "collectors", "alerts", "exporter")
STATEMENT = re.compile(r"^\s+(?!(?:return|break|continue|case|default|else|do|if|while|for|static"
                       r"|const|struct|enum|CLEANUP)\b|\(void\)|\.|\})"
                       r"[a-z*][^;{}]*;\s*$")
DECLARATION = re.compile(r"^\s+[a-z_0-9]+\s+\**[a-z_0-9]+(\[.*\])?(\s*=|\s*,|;)")
BOOL_FUNCTION = re.compile(r"^(?:static )?bool \w+\([^;{]*?\)\n\{\n(.*?)^\}", re.M | re.S)
LOGGED = re.compile(r"\blog_(?:at|debug|info|warn|error|write)(\()")
# Either one off or the opposite; which of them is drawn.
COMPARE = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
           "==": ("!=",), "!=": ("==",)}
SWAPPED = {"&&": "||", "||": "&&", "+": "-", "-": "+", "+=": "-=", "-=": "+="}

Mutant = collections.namedtuple("Mutant", "path line source start end new kind what")


class Source:
    """A file: its text, and its code without comments, texts and directives."""

    def __init__(self, path):
        self.path = path
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            self.text = file.read()
        self.code = blank(self.text)
        self.lines = self.text.splitlines()
        depth, self.inside = 0, []  # of braces: bodies of functions, and tables
        for char in self.code:
            depth += (char == "{") - (char == "}")
            self.inside.append(depth)
        self.logged = [(found.start(), closing(self.code, found.start(1)))
                       for found in LOGGED.finditer(self.code)]

    def mutant(self, span, new, kind, what):
        line = self.text.count("\n", 0, span[0]) + 1
        return Mutant(self.path, line, self.lines[line - 1].strip(), *span, new, kind, what)

    def drawn(self, at, choices):
        """One of several, always the same for a place in the same line."""
        line = self.text.count("\n", 0, at)
        key = f"{self.path}|{self.lines[line].strip()}|{choices}"
        return choices[hashlib.sha256(key.encode()).digest()[0] % len(choices)]


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


def compare(source):
    for found in re.finditer(r"(?<= )(==|!=|<=|>=|<|>)(?= )", source.code):
        if source.inside[found.start()]:
            new = source.drawn(found.start(), COMPARE[found[1]])
            yield found.span(), new, f"{found[1]} becomes {new}"


def logic(source):
    for found in re.finditer(r"&&|\|\|", source.code):
        yield found.span(), SWAPPED[found[0]], f"{found[0]} becomes {SWAPPED[found[0]]}"


def arithmetic(source):
    for found in re.finditer(r"(?<=[\w)\]] )(\+=|-=|\+|-)(?= )", source.code):
        if source.inside[found.start()]:
            yield found.span(), SWAPPED[found[0]], f"{found[0]} becomes {SWAPPED[found[0]]}"


def constant(source):
    for found in re.finditer(r"(?<![\w.])(?:0|[1-9]\d*)(?![\w.])", source.code):
        empty = source.code[found.start() - 2:found.end() + 2] == "{ 0 }"
        if source.inside[found.start()] and not empty:
            number = int(found[0])
            new = source.drawn(found.start(), (number + 1, number - 1) if number else (1,))
            yield found.span(), str(new), f"{found[0]} becomes {new}"


def condition(source):
    for found in re.finditer(r"\b(?:if|while) (\()", source.code):
        span = found.start(1), closing(source.code, found.start(1)) + 1
        yield span, f"(!{source.text[span[0]:span[1]]})", "the condition is negated"


def returned(source):
    for function in BOOL_FUNCTION.finditer(source.code):
        for found in re.finditer(r"\breturn ([^;]+);", function[1]):
            span = function.start(1) + found.start(1), function.start(1) + found.end(1)
            text = source.text[span[0]:span[1]]
            new = {"true": "false", "false": "true"}.get(text, f"!({text})")
            yield span, new, "the opposite is returned"


def statement(source):
    at = 0
    for line in source.lines:
        begin, at = at, at + len(line) + 1
        part, before = source.code[begin:begin + len(line)], source.code[:begin].rstrip()
        if (STATEMENT.match(part) and not DECLARATION.match(part) and source.inside[begin]
                and before[-1:] in ";{})" and part.count("(") == part.count(")")):
            span = begin + len(line) - len(line.lstrip()), begin + len(line)
            yield span, ";", "the statement is removed"


KINDS = {"compare": compare, "logic": logic, "arithmetic": arithmetic, "constant": constant,
         "condition": condition, "return": returned, "statement": statement}


def changes(path):
    """Every mutant of a file."""
    source = Source(path)
    for kind, find in KINDS.items():
        for span, new, what in find(source):
            if not any(begin <= span[0] <= end for begin, end in source.logged):
                yield source.mutant(span, new, kind, what)


def name(mutant):
    """How a place is called in lists: survives moves of its line."""
    return f"{mutant.path} | {mutant.what} | {mutant.source}"


def sources(only=""):
    for floor in FLOORS:
        for path in sorted(glob.glob(f"{floor}/**/*.c", recursive=True, root_dir=ROOT)):
            if path.startswith(only or ""):
                yield path


def candidates(seed, only=None, kind=None):
    """All places in the order in which they are tried, kinds taking turns: (key, mutant)."""
    by_kind = collections.defaultdict(list)
    for path in sources(only):
        twins = collections.Counter()
        for mutant in changes(path):
            called = name(mutant)
            twins[called] += 1
            key = f"{called}|{twins[called]}"
            order = hashlib.sha256(f"{seed}|{key}".encode()).hexdigest()
            by_kind[mutant.kind].append((order, key, mutant))
    queues = [sorted(by_kind[each]) for each in KINDS if kind in (None, each)]
    for turn in range(max(map(len, queues), default=0)):
        for queue in queues:
            if turn < len(queue):
                yield queue[turn][1:]
