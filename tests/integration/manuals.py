#!/usr/bin/env python3
"""Manual pages and completions: well formed, and whole: all of the help is in them."""
import re
import shutil
import subprocess

from harness import EXPORTER, Folder, Skip, contains, equal, run


def printed(*arguments):
    return subprocess.run([EXPORTER, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=True).stdout


def need(tool):
    if not shutil.which(tool):
        raise Skip(f"{tool} is not here")
    return tool


def said_by(*command):
    with Folder() as empty:  # shells complete names of files, too
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, cwd=empty.path)
    equal((done.returncode, done.stderr), (0, ""), " ".join(command))
    return done.stdout


def plain(page):
    """What a reader sees of a page."""
    return page.replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")


FLAGS = re.findall(r"^  --(\[no-\])?([a-z0-9.-]+)(=|$| )", printed("--help"), re.M)
COMMANDS = re.findall(r"^  ([a-z]+(?:-[a-z]+)?(?: [a-z]+(?:-[a-z]+)?)?)\b", printed("--help"), re.M)


def test_manuals_have_all():
    page = plain(printed("man", "program"))
    assert len(FLAGS) > 50 and len(COMMANDS) > 20, "the help is not understood"
    for negatable, name, _ in FLAGS:
        contains(page, f"\n.B --{negatable}{name}", "manual of the program")
    for name in COMMANDS:
        contains(page, f"\n.B {name}", "manual of the program")
    keys = re.findall(r"^(?:# )?( *)([a-z0-9_]+):", printed("config"), re.M)
    page = plain(printed("man", "config"))
    assert len(keys) > 200, "the reference is not understood"
    for indent, name in keys:
        contains(page, f".{name}" if indent else f".SS {name}\n", "manual of the configuration")
    contains(page, "\n.B alerts.receivers[].slack.url: <secret>\n", "a key of an item")
    contains(page, '\n.B web.telemetry_path: "/metrics"\nPath of the metrics.', "a default")


def test_manuals_are_well_formed():
    need("mandoc")
    with Folder() as folder:
        for name in ("program", "config"):
            page = folder.file(name, printed("man", name))
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], check=False,
                                  capture_output=True, text=True)
            equal((done.returncode, done.stdout), (0, ""), f"manual {name}")
            assert max(len(line) for line in said_by("mandoc", "-T", "ascii", page).split("\n")) > 9


def test_unknown_ones_are_refused():
    for words in (("man", "nothing"), ("completion", "csh"), ("man",)):
        done = subprocess.run([EXPORTER, *words], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        equal(done.returncode, 2, " ".join(words))
        equal(done.stdout, "", " ".join(words))


# What is on the line, and what is offered: all, or some when the last is "...".
LINES = (
    (("chec",), ["check"]),
    (("check", ""), ["config", "health", "rules", "web-config", "..."]),
    (("check", "he"), ["health"]),
    (("--log.level", "d"), ["debug"]),
    (("--log.level=", "d"), ["debug"]),
    (("--log.lev",), ["--log.level"]),
    (("--no-web.enable-l",), ["--no-web.enable-lifecycle"]),
    (("--log.level", "debug", "silence", "a"), ["add"]),
)


def offered(offers):
    for line, wanted in LINES:
        got = offers(line)
        if wanted[-1] == "...":
            equal(sorted(set(wanted[:-1]) - set(got)), [], f"not offered after {line}")
        else:
            equal(sorted(got), wanted, f"offered after {line}")


def test_bash_completes():
    need("bash")
    with Folder() as folder:
        script = folder.file("completion", printed("completion", "bash"))

        def offers(line):
            words = [part for word in line for part in re.split("(?<=.)(=)$", word) if part]
            quoted = " ".join(f"'{word}'" for word in ["defender_exporter", *words])
            quoted += " ''" if line[-1] == "" else ""
            return said_by("bash", "-c", f". '{script}'; COMP_WORDS=({quoted}); "
                           "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _defender_exporter; "
                           'printf "%s\\n" "${COMPREPLY[@]}"').split()
        offered(offers)


def test_fish_completes():
    need("fish")
    with Folder() as folder:
        script = folder.file("completion", printed("completion", "fish"))

        def offers(line):
            text = "defender_exporter " + " ".join(line).replace("= ", "=")
            lines = said_by("fish", "--no-config", "-c", f"source '{script}'; "
                            f"complete -C '{text}'").splitlines()
            return [re.sub(r"^--log.level=", "", one.split("\t")[0]) for one in lines]
        offered(offers)


def test_zsh_reads_it():
    need("zsh")
    with Folder() as folder:
        script = folder.file("completion", printed("completion", "zsh"))
        said_by("zsh", "-f", "-n", script)
        text = printed("completion", "zsh")
        for _, name, value in FLAGS:
            contains(text, f"'*--{name}{'=' if value == '=' else ''}[", "completion of zsh")


if __name__ == "__main__":
    run(globals())
