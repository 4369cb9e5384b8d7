"""What others made and tests run: fetched once into build/tools by `NAME.py --setup`.

The tests themselves need no network: what was not fetched is a reason to skip.
"""
import os
import shutil
import subprocess
import sys

from harness import ROOT, SLOWNESS, Skip

TOOLS = os.path.join(ROOT, "build/tools")
SETTING_UP = sys.argv[1:] == ["--setup"]


def command(words, folder, what):
    """A step of fetching; its failure is a reason to skip."""
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, timeout=300 * SLOWNESS)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Skip(f"{what} cannot be fetched: {said[0] if said else 'no reason'}")
    return done.stdout


def once(folder, wanted, what, fetch):
    """Run fetch() unless the folder has what is wanted: a text that says so, to the version."""
    stamp = os.path.join(folder, "installed.json")
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted:
                return folder
    if not SETTING_UP:
        raise Skip(f"{what} was not fetched")
    fetch()
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)
    return folder


def taken_over(name, files):
    """build/tools/NAME with the newest of these files of tests/tools/NAME."""
    folder = os.path.join(TOOLS, name)
    os.makedirs(folder, exist_ok=True)
    for file in files:
        shutil.copy(os.path.join(ROOT, "tests/tools", name, file), folder)
    return folder


def text_of(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def node_folder(name, *programs):
    """build/tools/NAME with the packages of tests/tools/NAME/package.json and these programs."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skip("no node or npm on this machine")
    folder, what = taken_over(name, ("package.json", *programs)), f"what {name} need of npm"
    return once(folder, text_of(folder, "package.json"), what, lambda: command(
        ["npm", "install", "--silent", "--no-fund", "--no-audit"], folder, what))


def python_of(name):
    """A Python with the packages of tests/tools/NAME/requirements.txt."""
    folder, what = taken_over(name, ("requirements.txt",)), f"what {name} need of Python's packages"
    home = os.path.join(folder, "python")
    python = os.path.join(home, "bin/python")

    def fetch():
        shutil.rmtree(home, ignore_errors=True)
        command([sys.executable, "-m", "venv", home], folder, what)
        command([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                 "-r", "requirements.txt"], folder, what)

    once(home, text_of(folder, "requirements.txt"), what, fetch)
    return python


def built_by_go(folder, wanted, what, words):
    """The folder, where these words of Go built what is wanted once."""
    def fetch():
        if not shutil.which("go"):
            raise Skip("no go on this machine")
        try:
            command(words, folder, what)
        except subprocess.TimeoutExpired:
            raise Skip(f"{what} took too long to build") from None

    return once(folder, wanted, what, fetch)


def debian(package, program):
    """A command for a Debian program that is on the machine, or unpacked without installing it,
    with what it needs of others: (words, environment)."""
    if shutil.which(program):
        return [program], {}
    folder = os.path.join(TOOLS, package)
    root = os.path.join(folder, "root")

    def fetch():
        if not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise Skip(f"neither {program} nor apt-get on this machine")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.join(folder, "debs/partial"))
        command(["apt-get", "-qq", "-y", "--no-install-recommends", "--download-only",
                 "-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={folder}/debs",
                 "install", package], folder, package)
        for name in sorted(os.listdir(os.path.join(folder, "debs"))):
            if name.endswith(".deb"):
                command(["dpkg", "-x", f"debs/{name}", root], folder, package)
        shutil.rmtree(os.path.join(folder, "debs"))

    once(folder, package, package, fetch)
    libraries = os.path.join(root, "usr/lib")
    return [os.path.join(root, "usr/bin", program)], {
        "PYTHONPATH": os.path.join(libraries, "python3/dist-packages"),
        "PATH": f"{root}/usr/bin:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": os.path.join(libraries, f"{os.uname().machine}-linux-gnu")}


def set_up(script, *fetches):
    """What `--setup` does."""
    for fetch in fetches:
        try:
            fetch()
        except Skip as reason:
            print(f"{script}: {reason}", file=sys.stderr)
