#!/usr/bin/env python3
"""What the process has given up, what it says of limits, and what a release is compiled with."""
import os
import re
import shutil
import subprocess

from harness import EXPORTER, SECRET, Exporter, Folder, Skip, contains, equal, run, settings

NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def start(folder, *arguments, limits=None):
    """As somebody who is not root, so that root's rights are no answer."""
    prefix = ["prlimit", limits] if limits else []
    prefix += AS_NOBODY if os.geteuid() == 0 else []
    for tool in {"prlimit", "setpriv"}.intersection(prefix):
        if not shutil.which(tool):
            raise Skip(f"{tool} is not here")
    config = settings("http://127.0.0.1:1", folder.file("secret", SECRET))
    if os.geteuid() == 0:
        shutil.chown(folder.path, NOBODY, NOBODY)
        shutil.chown(os.path.join(folder.path, "secret"), NOBODY, NOBODY)
    return Exporter(folder, config, *arguments, prefix=prefix)


def read(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="ascii") as file:
        return file.read()


def owner(pid, name):
    return os.stat(f"/proc/{pid}/{name}").st_uid


def limit(pid, name):
    return re.search(rf"^{name} +(\S+) +(\S+)", read(pid, "limits"), re.M).groups()


def test_secrets_stay_in_the_process():
    with Folder() as folder, start(folder) as exporter:
        exporter.wait_answering()
        pid = exporter.process.pid
        contains(read(pid, "status"), "NoNewPrivs:\t1", "status")
        equal(re.search(r"Umask:\t(\d+)", read(pid, "status")).group(1)[-1], "7", "of the umask")
        equal(limit(pid, "Max core file size"), ("0", "0"), "core dumps")
        for name in ("mem", "environ", "maps"):
            equal(owner(pid, name), 0, f"owner of {name}")
        equal(exporter.metrics().one("process_open_fds") > 3, True, "it still counts its files")
        equal(exporter.metrics().one("process_resident_memory_bytes") > 1e6, True, "and memory")


def test_others_of_the_same_user_cannot_read_its_memory():
    reader = [*AS_NOBODY, "cat"] if os.geteuid() == 0 else ["cat"]
    with Folder() as folder, start(folder) as exporter:
        exporter.wait_answering()
        for name in ("environ", "mem"):
            done = subprocess.run([*reader, f"/proc/{exporter.process.pid}/{name}"], check=False,
                                  capture_output=True)
            contains(done.stderr.decode(), "Permission denied", f"reading {name}")


def test_debug_leaves_it_open():
    with Folder() as folder, start(folder, "--debug") as exporter:
        exporter.wait_answering()
        uid = NOBODY if os.geteuid() == 0 else os.geteuid()
        equal(owner(exporter.process.pid, "environ"), uid, "owner of environ")
        contains(read(exporter.process.pid, "status"), "NoNewPrivs:\t1", "status")


def test_open_files_are_raised_and_said():
    with Folder() as folder, start(folder, limits="--nofile=128:4096") as exporter:
        exporter.wait_answering()
        equal(limit(exporter.process.pid, "Max open files")[0], "768", "soft limit")
        equal("limit is too low" in exporter.log, False, "a warning")
    with Folder() as folder, start(folder, limits="--nofile=128:300") as exporter:
        exporter.wait_answering()
        equal(limit(exporter.process.pid, "Max open files")[0], "300", "soft limit")
        line = exporter.wait_for(r".*a limit is too low.*").group(0)
        for words in ('limit="open files"', "is=300", "needed=768", "set=LimitNOFILE"):
            contains(line, words, "warning")
    with Folder() as folder, start(folder, "--web.max-connections=16",
                                   limits="--nofile=300:300") as exporter:
        exporter.wait_answering()
        equal("limit is too low" in exporter.log, False, "a warning with few connections")


def test_closed_streams_become_nothing():
    with Folder() as folder:
        config = settings("http://127.0.0.1:1", folder.file("secret", SECRET))
        exporter = Exporter(folder, config, "--debug",
                            prefix=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
        with exporter:
            exporter.wait_answering()
            for fd in range(3):
                equal(os.readlink(f"/proc/{exporter.process.pid}/fd/{fd}"), "/dev/null", f"{fd}")


# --- what it is made of ---------------------------------------------------------------------------

def elf(*flags):
    if os.environ.get("HARDENED") != "1":
        raise Skip("this build is not a release")
    if not shutil.which("readelf"):
        raise Skip("readelf is not here")
    return subprocess.run(["readelf", "-W", *flags, EXPORTER], check=True, capture_output=True,
                          text=True).stdout


def test_release_is_linked_hard():
    contains(elf("-h"), "DYN (Position-Independent Executable file)", "type")
    dynamic = elf("-d")
    contains(dynamic, "BIND_NOW", "dynamic section")
    contains(dynamic, "PIE", "dynamic section")
    for word in ("RPATH", "RUNPATH", "TEXTREL"):
        equal(word in dynamic, False, word)
    segments = elf("-l")
    contains(segments, "GNU_RELRO", "segments")
    stack = re.search(r"GNU_STACK.*", segments).group(0)
    equal(" RWE " in stack, False, "executable stack")
    equal([line for line in segments.splitlines() if re.search(r"LOAD.* RWE ", line)], [],
          "segments to write and execute")


def test_release_is_compiled_hard():
    symbols = elf("--dyn-syms")
    contains(symbols, "__stack_chk_fail", "canaries")
    contains(symbols, "_chk@", "fortified calls")


def test_release_has_the_cet_note():
    notes = elf("-n")
    if "x86" not in elf("-h").lower():
        raise Skip("not on this processor")
    contains(notes, "SHSTK", "notes")
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--section=.text", EXPORTER],
                          check=True, capture_output=True, text=True).stdout
    entry = re.search(r"<main>:\n.*?\t(\S+)", done)
    if entry:
        equal(entry.group(1), "endbr64", "first instruction of main")


if __name__ == "__main__":
    run(globals())
