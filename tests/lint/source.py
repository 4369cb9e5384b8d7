"""What the lint needs to know of a C file: includes, functions, file-scope variables."""
import re

ATTRIBUTES = re.compile(
    r"\b(MUST_USE|__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)|PRINTF_LIKE\s*\([^)]*\)|"
    r"CLEANUP\s*\([^)]*\)|_Alignas\s*\([^)]*\))")
NOT_MUTABLE = re.compile(r"\b(_Thread_local|__thread|thread_local|pthread_once_t|typedef|extern)\b")


def blank(text):
    """text with comments, literals and preprocessor lines as spaces; line numbers stay."""
    def spaces(match):
        piece = match.group(0)
        if piece.startswith(('"', "'")):
            return piece[0] + " " * (len(piece) - 2) + piece[0]
        return re.sub(r"[^\n]", " ", piece)
    text = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', spaces, text,
                  flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", spaces, text, flags=re.M)


def closing(text, start, pair="{}"):
    """Index of the bracket that closes the one at start."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] == pair[0]:
            depth += 1
        elif text[index] == pair[1]:
            depth -= 1
            if not depth:
                return index
    return len(text) - 1


class Function:
    def __init__(self, name, static, first, last, is_table):
        self.name, self.static, self.first, self.last = name, static, first, last
        self.is_table = is_table


class Source:
    def __init__(self, text):
        self.text = text
        self.code = blank(text)
        self.includes = [(text.count("\n", 0, m.start()) + 1, m.group(1))
                         for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', text, re.M)]
        self.functions = []
        self.mutable_globals = []
        self.read_top_level()

    def line(self, index):
        return self.code.count("\n", 0, index) + 1

    @property
    def names(self):
        """(line, name) of every name, first use only, in the order of the text."""
        first = {}
        for match in re.finditer(r"\b[A-Za-z_]\w*", self.code):
            first.setdefault(match.group(0), match.start())
        return [(self.line(index), name) for name, index in first.items()]

    def find(self, pattern):
        return [self.line(m.start()) for m in re.finditer(pattern, self.code)]

    def find_library(self, headers, words):
        """The first line that includes the library or uses one of its names; 0 = none."""
        for match in re.finditer(r"^[ \t]*#[ \t]*include[ \t]+[<\"](\S+)[>\"]", self.text, re.M):
            if re.match(headers, match.group(1)):
                return self.text.count("\n", 0, match.start()) + 1
        return (self.find(words) or [0])[0]

    def read_top_level(self):
        start = index = 0
        while index < len(self.code):
            character = self.code[index]
            if character == "{":
                end = closing(self.code, index)
                self.read_braces(start, index, end)
                if self.is_function(self.code[start:index]):
                    start = end + 1
                index = end + 1
                continue
            if character == ";":
                self.read_declaration(start, index)
                start = index + 1
            index += 1

    @staticmethod
    def is_function(head):
        head = ATTRIBUTES.sub(" ", head)
        return "=" not in head and bool(re.search(r"\)\s*$", head))

    def read_braces(self, start, brace, end):
        head = self.code[start:brace]
        if not self.is_function(head):
            return
        clean = ATTRIBUTES.sub(lambda m: " " * len(m.group(0)), head)
        name = re.search(r"(\w+)\s*\(", clean)
        first = start + len(clean) - len(clean.lstrip())
        self.functions.append(Function(
            name.group(1), bool(re.search(r"\bstatic\b", clean)), self.line(first),
            self.line(end), self.is_mostly_table(brace, end)))

    def is_mostly_table(self, brace, end):
        """True when two thirds of the body are one switch or one constant table."""
        body = self.code[brace:end + 1]
        longest = 0
        for match in re.finditer(r"\bswitch\s*\(|\bstatic const\b[^;{]*=\s*(?=\{)", body):
            at = match.end()
            if match.group(0).startswith("switch"):
                at = closing(body, match.end() - 1, "()") + 1
            at = body.find("{", at)
            if at >= 0:
                longest = max(longest, body.count("\n", match.start(), closing(body, at)))
        return longest * 3 >= body.count("\n") * 2

    def read_declaration(self, start, end):
        """Complain of `int count;` and `static int count = 1;`, not of types and prototypes."""
        text = ATTRIBUTES.sub(" ", self.code[start:end])
        while re.search(r"\{[^{}]*\}", text):
            text = re.sub(r"\{[^{}]*\}", "@", text)
        head = text.split("=")[0].strip()
        named = re.match(r"^(?:static\s+)?(?:struct|enum|union)\s*\w*\s*@?$", head)
        if not head or named or NOT_MUTABLE.search(head) or "(" in head:
            return
        declarator = re.search(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", head)
        if not declarator or head.startswith("_Static_assert"):
            return
        before = head[:declarator.start()]
        pointer = before.rfind("*")
        constant = "const" in (before[pointer:] if pointer >= 0 else before)
        if not constant:
            first = start + len(self.code[start:end]) - len(self.code[start:end].lstrip())
            self.mutable_globals.append((self.line(first), declarator.group(1)))
