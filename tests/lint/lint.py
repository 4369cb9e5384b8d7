#!/usr/bin/env python3
"""The house rules, checked: lint.py [ROOT] prints `file:line: rule: what` and exits 1 on any.

lint.py --self-test builds small trees that break one rule each and shows that it is caught.
"""
import os
import re
import subprocess
import sys

from source import Source, closing

FILE_LINES = 600
FUNCTION_LINES = 60
COLUMNS = 100

# A room may include what stands in its list; tests may include anything.
CORE = ("core",)
SNAPSHOT = CORE + ("collectors/snapshot",)
COLLECTORS = SNAPSHOT + ("collectors",)
STORE = COLLECTORS + ("alerts/store", "alerts/text")
LEDGER = STORE + ("alerts/ledger",)
RULES = LEDGER + ("alerts/rules",)
RECEIVERS = RULES + ("alerts/receivers",)
NOTIFY = RECEIVERS + ("alerts/notify",)
VIEW = NOTIFY + ("alerts/view",)
ALERTS = VIEW + ("alerts", "alerts/api", "collectors/run")
PAGES = ALERTS + ("exporter/pages",)
FLOORS = {
    "core": CORE,
    "collectors/azure": CORE + ("collectors/azure",),
    "collectors/snapshot": SNAPSHOT + ("collectors",),
    "collectors": COLLECTORS,
    "collectors/run": COLLECTORS + ("collectors/azure", "collectors/run"),
    "alerts/store": CORE + ("alerts/store",),
    "alerts/text": SNAPSHOT + ("alerts/text",),
    "alerts/ledger": LEDGER,
    "alerts/rules": RULES,
    "alerts/receivers": RECEIVERS,
    "alerts/notify": NOTIFY,
    "alerts/view": VIEW,
    "alerts": ALERTS,
    "alerts/api": ALERTS,
    "exporter/web": CORE + ("exporter/web",),
    "exporter/formats": CORE + ("exporter/formats",),
    "exporter/otlp": ALERTS + ("exporter/formats", "exporter/otlp"),
    "exporter/pages": PAGES,
    "exporter": PAGES + ("collectors/azure", "exporter/web", "exporter/formats", "exporter/otlp",
                         "exporter"),
}

# Each third-party library: its headers, the names it defines, its home: a file, or some, or rooms.
LIBRARIES = (
    ("cJSON", r"cjson/|cJSON\.h", r"\bcJSON\w*",
     r"core/json\.c core/json_plain\.c core/json_plain\.h"),
    ("libcurl", r"curl/", r"\b(curl_\w+|CURL\w*)\b", r"core/http\.c"),
    ("libyaml", r"yaml\.h", r"\byaml_\w+_t\b|\byaml_parser_\w+", r"core/options\w*\.c"),
    ("libcrypto's digests", r"openssl/(hmac|sha|rand)", r"\b(HMAC|SHA256|RAND)_\w+",
     r"core/hash\.c"),
    ("libcrypto's keys", r"openssl/(?!hmac|sha|rand)", r"\b(EVP_(?!sha256\b)|PEM_[rw]|PKCS12_)\w+",
     r"core/certificate\.c"),
    ("zlib", r"zlib\.h", r"\b(z_stream|gzFile|deflateInit\w*|inflateInit\w*)\b", r"core/gzip\.c"),
    ("libdeflate", r"libdeflate\.h", r"\blibdeflate_\w+", r"core/inflate\.c"),
    ("PCRE2", r"pcre2", r"\b(pcre2_\w+|PCRE2_\w+)\b", r"core/regex\.c"),
    ("libcrypt", r"crypt\.h", r"\b(crypt_\w*r\w*|crypt_data)\b", r"exporter/web/password\.c"),
    ("GnuTLS", r"gnutls/", r"\b(gnutls_\w+|GNUTLS_\w+)\b", r"exporter/web/tls\.c"),
    ("libmicrohttpd", r"microhttpd\.h", r"\bMHD_\w+", "exporter/web/"),
    ("protobuf-c", r"protobuf-c/|\.pb-c\.h", r"\b(ProtobufC\w+|protobuf_c_\w+)\b",
     "exporter/(formats|otlp)/"),
    ("SQLite", r"sqlite3\.h", r"\bsqlite3\w*", r"alerts/store/database\.c"),
)
# Calls that give memory or end the program, and their one home.
MEMORY = re.compile(r"\b(abort|malloc|calloc|realloc|reallocarray|strn?dup|v?asprintf|"
                    r"aligned_alloc|posix_memalign)\s*\(")
MEMORY_HOME = "core/memory.c"
# Columns by their numbers, and the room that may.
COLUMNS_BY_NUMBER = re.compile(r"\bdatabase_(text|integer|number|blob|bind_values)\s*\(")
STORE_ROOM = "alerts/store"
COLLECTOR_LIST = "collectors/list.h"
FAKE_AZURE_MAY = ("cJSON", "zlib", "libmicrohttpd", "libcrypto's keys")

CODE = (".c", ".h", ".py", ".cmake", "CMakeLists.txt")
IGNORED = {".git", "build", "__pycache__", "node_modules"}
MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.])/(wor[k]|far[m])/")
LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)")
NAMED = re.compile(r"`((?:core|collectors|alerts|exporter|tests|docs|packaging|scripts)/[\w./-]+)`")
OPEN_END = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b(?!\(#\d+\))")


def tree(root):
    """Every file of the project, as paths below root."""
    try:
        listed = subprocess.run(
            ["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
            check=True, capture_output=True, text=True).stdout.split("\0")
        top = subprocess.run(["git", "-C", root, "rev-parse", "--show-toplevel"],
                             check=True, capture_output=True, text=True).stdout.strip()
        if os.path.realpath(top) == os.path.realpath(root):
            return sorted(p for p in listed if p and os.path.isfile(os.path.join(root, p)))
    except (OSError, subprocess.CalledProcessError):
        pass
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in IGNORED]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted(found)


def floor_of(path):
    folder = os.path.dirname(path)
    return folder if folder in FLOORS else None


def check_floors(project, say):
    for path, source in project.sources.items():
        floor = floor_of(path)
        if not floor:
            continue
        for line, target in source.includes:
            folder = os.path.dirname(target)
            if folder and not target.endswith(".pb-c.h") and folder not in FLOORS[floor]:
                say(path, line, f"{floor} must not include {target}")


def find_circles(what, arrows, say):
    """arrows: path -> [(line, other path)]; complain of each way that leads back."""
    state = {}

    def visit(path, trail):
        state[path] = "open"
        for line, target in arrows[path]:
            if state.get(target) == "open":
                say(path, line, f"{what} circle: " + " -> ".join(trail[trail.index(target):] +
                                                                 [target]))
            elif target not in state:
                visit(target, trail + [target])
        state[path] = "done"

    for path in arrows:
        if path not in state:
            visit(path, [path])


def check_circles(project, say):
    arrows = {}
    for path, source in project.sources.items():
        targets = [(line, project.resolve(path, target)) for line, target in source.includes]
        arrows[path] = [(line, target) for line, target in targets if target not in (None, path)]
    find_circles("include", arrows, say)


def check_call_circles(project, say):
    """Files of the product that need each other's functions are one file, or want a third."""
    bodies = {p: s for p, s in project.sources.items() if floor_of(p) and p.endswith(".c")}
    home = {f.name: p for p, s in bodies.items() for f in s.functions if not f.static}
    arrows = {}
    for path, source in bodies.items():
        own = {function.name for function in source.functions}
        arrows[path] = [(line, home[name]) for line, name in source.names
                        if name in home and name not in own and home[name] != path]
    find_circles("call", arrows, say)


def is_home(home, path):
    return any(re.fullmatch(one, os.path.dirname(path) + "/") or re.fullmatch(one, path)
               for one in home.split())


def check_libraries(project, say):
    for path, source in project.sources.items():
        floor = floor_of(path)
        fake = path.startswith("tests/fake_azure/")
        if not floor and not fake:
            continue
        for name, headers, words, home in LIBRARIES:
            if is_home(home, path) or (fake and name in FAKE_AZURE_MAY):
                continue
            line = source.find_library(headers, words)
            if line:
                say(path, line, f"{name} is named outside its one home ({home})")


def check_library_homes(project, say):
    """A home given as a pattern is still one file."""
    for name, headers, words, home in LIBRARIES:
        for one in home.split():
            homes = [p for p, s in project.sources.items()
                     if re.fullmatch(one, p) and s.find_library(headers, words)]
            for extra in homes[1:]:
                say(extra, 1, f"{name} is named in {homes[0]} already")


def check_file_length(project, say):
    for path in project.files:
        if path.endswith((".c", ".h", ".py")):
            count = len(project.lines(path))
            if count > FILE_LINES:
                say(path, FILE_LINES + 1, f"{count} lines, at most {FILE_LINES}")


def check_function_length(project, say):
    for path, source in project.sources.items():
        for function in source.functions:
            length = function.last - function.first + 1
            if length > FUNCTION_LINES and not function.is_table:
                say(path, function.first,
                    f"{function.name} has {length} lines, at most {FUNCTION_LINES}")


def check_columns(project, say):
    for path in project.files:
        if path.endswith(CODE):
            for number, line in enumerate(project.lines(path), 1):
                if len(line) > COLUMNS:
                    say(path, number, f"{len(line)} columns, at most {COLUMNS}")


def check_names(project, say):
    for path, source in project.sources.items():
        if not floor_of(path) or not path.endswith(".c"):
            continue
        folder, stem = os.path.split(path[:-2])
        words = stem.split("_")
        stems = ["_".join(words[:n]) for n in range(len(words), 0, -1)]
        headers = [s for s in stems if f"{folder}/{s}.h" in project.sources]
        for function in source.functions:
            if function.static or function.name == "main":
                continue
            fits = [s for s in headers if function.name == s or function.name.startswith(s + "_")]
            if not fits:
                say(path, function.first, f"{function.name}: exported names start with the file's "
                    f"and stand in a header of that name ({stem}.h)")


def check_headers(project, say):
    for path, source in project.sources.items():
        if path.endswith(".h"):
            text = "\n".join(project.lines(path))
            if not re.match(r"#pragma once\n(/\*|//)", text):
                say(path, 1, "a header starts with #pragma once and one comment")


def check_goto(project, say):
    for path, source in project.sources.items():
        for line in source.find(r"\bgoto\b"):
            say(path, line, "no goto")


def check_memory(project, say):
    for path, source in project.sources.items():
        if floor_of(path) and path != MEMORY_HOME:
            for line in source.find(MEMORY):
                say(path, line, f"memory and aborting are {MEMORY_HOME}'s: see core/memory.h")


def check_store(project, say):
    for path, source in project.sources.items():
        if floor_of(path) and floor_of(path) != STORE_ROOM:
            for line in source.find(COLUMNS_BY_NUMBER):
                say(path, line, f"columns have names outside {STORE_ROOM}: see rows.h there")


def check_kinds(project, say):
    """What a collector is stands in its struct: nobody else asks whether it is a certain one."""
    listed = "\n".join(project.lines(COLLECTOR_LIST)) if COLLECTOR_LIST in project.sources else ""
    kinds = "|".join(re.findall(r"\bX\((\w+)\)", listed.partition("(X)")[2]))
    named = re.compile(rf"\b({kinds})_collector\b")
    compared = re.compile(rf'cmp\([^;"]*"({kinds})"')
    for path, source in project.sources.items():
        if not kinds or floor_of(path) in (None, "collectors"):
            continue
        for line in source.find(named) + [source.line(m.start())
                                          for m in compared.finditer(source.text)]:
            say(path, line, "names a collector: let it say what it is, see collectors/collector.h")


def check_globals(project, say):
    for path, source in project.sources.items():
        if floor_of(path) and path not in ("core/log.c", "core/clock.c"):
            for line, name in source.mutable_globals:
                say(path, line, f"{name} is a mutable global")


def check_families(project, say):
    """That a family names as many labels as its type says, the compiler sees; not that it does."""
    for path, source in project.sources.items():
        for match in re.finditer(r"\bstruct family_[1-8] (\w+)\s*=\s*(?=\{)", source.code):
            if "LABELS(" not in source.code[match.end():closing(source.code, match.end())]:
                say(path, source.line(match.start()), f"{match.group(1)} has no LABELS")


def check_open_ends(project, say):
    for path in project.files:
        if path.endswith(CODE + (".kql", ".md", ".sh")) or path.startswith("scripts/"):
            for number, line in enumerate(project.lines(path), 1):
                if OPEN_END.search(line):
                    say(path, number, "an open end needs an issue number: name(#12)")


def check_queries(project, say):
    for path in project.files:
        if not path.endswith(".kql"):
            continue
        lines = project.lines(path)
        if not lines or not lines[0].startswith("//"):
            say(path, 1, "a query starts with a comment line")
        body = [line for line in lines if line.strip() and not line.startswith("//")]
        if not body or not re.search(r"\|\s*order by id asc\s*$", body[-1]):
            say(path, len(lines), "a query ends with: order by id asc")


def check_machine_paths(project, say):
    for path in project.files:
        for number, line in enumerate(project.lines(path), 1):
            if MACHINE_PATH.search(line):
                say(path, number, "a path of one machine")


def prose(lines):
    """The numbered lines that are no code."""
    inside = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line


def anchors(lines):
    """What a link to a heading may say, as GitHub makes it from the heading."""
    return {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for _, line in prose(lines) if re.match(r"#+ ", line)}


def check_links(project, say):
    """Documents: a relative link leads to a file and a heading, a path in backticks to a file."""
    folders = {os.path.dirname(path) for path in project.files}
    folders |= {os.path.dirname(folder) for folder in folders}
    for path in project.files:
        if not path.endswith(".md"):
            continue
        for number, line in prose(project.lines(path)):
            for target, anchor in LINK.findall(re.sub(r"`[^`]*`", "", line)):
                file = os.path.normpath(os.path.join(os.path.dirname(path), target))
                file = file if target else path
                if file not in project.files and file not in folders:
                    say(path, number, f"{target} is not there")
                elif anchor and anchor not in anchors(project.lines(file)):
                    say(path, number, f"{file} has no heading #{anchor}")
            for named in NAMED.findall(line):
                if named.rstrip("/") not in folders and named not in project.files:
                    say(path, number, f"{named} is not there")


def check_rooms(project, say):
    """Every room has its sentence in CONTRIBUTING."""
    folders = {os.path.dirname(path) for path in project.sources}
    if "CONTRIBUTING.md" in project.files:
        text = "\n".join(project.lines("CONTRIBUTING.md"))
        for room in sorted(folders & set(FLOORS)):
            if f"| `{room}` |" not in text:
                say("CONTRIBUTING.md", 1, f"no sentence about the room {room}")


def check_executable(project, say):
    for path in project.files:
        if os.path.dirname(path) in ("scripts", ".ci"):
            if project.lines(path)[:1] and project.lines(path)[0].startswith("#!"):
                if not os.access(os.path.join(project.root, path), os.X_OK):
                    say(path, 1, "a script must be executable")


RULES = {
    "floors": check_floors,
    "circles": check_circles,
    "call-circles": check_call_circles,
    "libraries": check_libraries,
    "library-homes": check_library_homes,
    "file-length": check_file_length,
    "function-length": check_function_length,
    "columns": check_columns,
    "names": check_names,
    "headers": check_headers,
    "goto": check_goto,
    "memory": check_memory,
    "store": check_store,
    "kinds": check_kinds,
    "globals": check_globals,
    "families": check_families,
    "open-ends": check_open_ends,
    "queries": check_queries,
    "machine-paths": check_machine_paths,
    "links": check_links,
    "rooms": check_rooms,
    "executable": check_executable,
}


class Project:
    def __init__(self, root):
        self.root = root
        self.files = tree(root)
        self.cache = {}
        self.sources = {p: Source("\n".join(self.lines(p)) + "\n")
                        for p in self.files if p.endswith((".c", ".h"))}

    def lines(self, path):
        if path not in self.cache:
            with open(os.path.join(self.root, path), "rb") as file:
                content = file.read()
            text = "" if b"\0" in content else content.decode("utf-8", "replace")
            self.cache[path] = text.splitlines()
        return self.cache[path]

    def resolve(self, path, target):
        for candidate in (target, os.path.join(os.path.dirname(path), target)):
            if os.path.normpath(candidate) in self.sources:
                return os.path.normpath(candidate)
        return None


def lint(root):
    project = Project(root)
    complaints = []
    for name, rule in RULES.items():
        rule(project, lambda path, line, what, name=name:
             complaints.append((path, line, name, what)))
    return sorted(set(complaints)), len(project.files)


def main():
    if "--self-test" in sys.argv:
        import selftest
        return selftest.run(lint, RULES)
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../..")
    complaints, count = lint(os.path.abspath(root))
    for path, line, name, what in complaints:
        print(f"{path}:{line}: {name}: {what}")
    print(f"{len(RULES)} rules, {count} files, {len(complaints)} complaints")
    return 1 if complaints or not count else 0


if __name__ == "__main__":
    sys.exit(main())
