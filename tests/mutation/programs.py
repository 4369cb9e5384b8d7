"""The programs a change is tried in: the product as one library, and a library of what is changed.

Programs need libmutant.so, which is empty, and then libproduct.so. A changed file becomes another
libmutant.so, whose names are found first: nothing but that file is compiled and linked.
"""
import glob
import json
import os
import re
import shlex
import signal
import subprocess
import sys

from places import ROOT

PLACE = os.path.join(ROOT, "build/mutation")
LINKED = os.path.join(PLACE, "linked")  # the programs, and the libraries nobody changed
PROGRAMS = {"defender_exporter": ("exporter/main.c",),
            "print_requests": tuple(f"tests/{name}.c" for name in (
                "tools/print_requests", "tools/bodies", "tools/situations", "tools/stage",
                "unit/test"))}
WHOLE = ("fake_azure", "simulate", "simulated_life")  # linked as ever
FLAGS = ["-fsanitize=address,undefined", "-fPIC"]
LINKER = ["-fuse-ld=gold"]


def quietly(command, limit_s=None, **more):
    """Runs it in a group of its own, which is ended when it takes too long."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, start_new_session=True, errors="replace",
                          **more) as process:
        try:
            said, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return subprocess.CompletedProcess(command, -signal.SIGKILL, "")
    return subprocess.CompletedProcess(command, process.returncode, said)


def must(command, **more):
    done = quietly(command, **more)
    if done.returncode:
        sys.exit(f"{shlex.join(command)}\n{done.stdout[-4000:]}")
    return done.stdout


def library(folder, objects):
    return ["gcc", *FLAGS, *LINKER, "-shared", "-o", f"{folder}/libmutant.so",
            "-Wl,-soname,libmutant.so", *objects]


def unit_tests():
    return [os.path.basename(path)[:-2]
            for path in sorted(glob.glob(os.path.join(ROOT, "tests/unit/test_*.c")))]


class Programs:
    def __init__(self):
        must(["cmake", "-S", ROOT, "-B", PLACE, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=",
              "-DSANITIZE=address", "-DCMAKE_C_FLAGS=-O0 -fPIC",
              "-DCMAKE_EXE_LINKER_FLAGS=" + LINKER[0]])
        with open(os.path.join(PLACE, "compile_commands.json"), encoding="utf-8") as file:
            rows = json.load(file)
        self.commands = {(os.path.relpath(row["file"], ROOT), self.target(row)):
                         shlex.split(row["command"]) for row in rows}
        self.tests = unit_tests()
        archives, self.libraries = self.line_of("test_text")
        self.objects = {}  # by program
        for test in self.tests:
            sources = (f"tests/unit/{test}.c", "tests/unit/test.c", "tests/unit/main.c")
            self.objects[test] = [self.object(path, test) for path in sources]
        for program, sources in PROGRAMS.items():
            self.objects[program] = [self.object(path, program) for path in sources]
        must(["ninja", "-C", PLACE, *WHOLE, *archives,
              *(path for paths in self.objects.values() for path in paths)])
        self.link(archives)

    def target(self, row):
        """The target a file is compiled for: some are for several."""
        return re.search(r" -o \S*CMakeFiles/([^/]+)\.dir/", row["command"])[1]

    def object(self, path, target):
        command = self.commands[path, target]
        return command[command.index("-o") + 1]

    def line_of(self, program):
        """Archives and libraries of the line that links a program."""
        words = shlex.split(must(["ninja", "-C", PLACE, "-t", "commands", program])
                            .strip().splitlines()[-1])
        archives = list(dict.fromkeys(word for word in words if word.endswith(".a")))
        return archives, [word for word in words
                          if word.endswith(".so") or re.match(r"-[lLW]", word)]

    def link(self, archives):
        os.makedirs(LINKED, exist_ok=True)
        must(["gcc", *FLAGS, *LINKER, "-shared", "-o", f"{LINKED}/libproduct.so",
              "-Wl,--whole-archive", *archives, "-Wl,--no-whole-archive", *self.libraries],
             cwd=PLACE)
        must(library(LINKED, []))
        for program, objects in self.objects.items():
            target = os.path.join(LINKED, program)
            newest = max(os.path.getmtime(os.path.join(PLACE, path)) for path in objects)
            if os.path.exists(target) and os.path.getmtime(target) > newest:
                continue
            self.link_program(program, objects, LINKED)

    def link_program(self, program, objects, folder):
        must(["gcc", *FLAGS, *LINKER, "-o", os.path.join(folder, program), *objects, f"-L{LINKED}",
              "-Wl,--no-as-needed", "-lmutant", "-lproduct", *self.libraries], cwd=PLACE)

    def compile(self, mutant, folder):
        """The changed file as libmutant.so in a folder; False: it does not compile."""
        with open(os.path.join(ROOT, mutant.path), encoding="utf-8") as file:
            text = file.read()
        source = os.path.join(folder, os.path.basename(mutant.path))
        with open(source, "w", encoding="utf-8") as file:
            file.write(text[:mutant.start] + mutant.new + text[mutant.end:])
        command = next(command for (path, target), command in sorted(self.commands.items())
                       if path == mutant.path and not target.startswith("defender_exporter_"))
        command = list(command)
        at = command.index("-o")
        command[at + 1] = os.path.join(folder, "mutant.o")
        command[command.index("-c") + 1] = source
        if quietly([*command, "-w"], cwd=PLACE).returncode:
            return False
        objects = [command[at + 1]]
        if mutant.path in PROGRAMS["defender_exporter"]:  # a program is no library
            self.link_program("defender_exporter", objects, folder)
            objects = []
        return not quietly(library(folder, objects)).returncode

    def simulated(self, folder):
        """The program the simulator runs, with the file that compile() has changed."""
        words = must(["ninja", "-C", PLACE, "-t", "commands", "simulated_life"])
        words = shlex.split(words.strip().splitlines()[-1])
        words = words[words.index("&&") + 1:]
        words = words[:words.index("&&")]
        at = words.index("-o")
        target = words[at + 1] = os.path.join(folder, "simulated_life")
        must([*words[:at], os.path.join(folder, "mutant.o"), *words[at:]], cwd=PLACE)
        return target


def passes(test, folder, limit_s):
    """Whether a test passes with the libmutant.so of a folder."""
    command, more = [os.path.join(LINKED, test)], {}
    if not test.startswith("test_"):
        command = [sys.executable, os.path.join(ROOT, "tests/integration", test + ".py")]
        more = {name.upper(): os.path.join(
            folder if os.path.exists(os.path.join(folder, name)) else LINKED, name)
                for name in PROGRAMS}
        more["FAKE_AZURE"] = os.path.join(PLACE, "fake_azure")
        more["SLOWNESS"] = "5"
    return quietly(command, limit_s, cwd=os.path.join(ROOT, "tests"), env={
        **os.environ, **more, "LD_LIBRARY_PATH": f"{folder}:{LINKED}", "TMPDIR": folder,
        "ASAN_OPTIONS": "detect_odr_violation=0:detect_stack_use_after_return=1",
    }).returncode in (0, 77)


def days(program, count, limit_s):
    """Whether the simulator finds nothing in so many days."""
    command = [sys.executable, os.path.join(ROOT, "tests/simulation/simulation.py"),
               "--days", str(count), "--seconds", "0", "--jobs", "1"]
    return not quietly(command, limit_s, env={
        **os.environ, "SIMULATE": os.path.join(PLACE, "simulate"),
        "SIMULATED_LIFE": program}).returncode
