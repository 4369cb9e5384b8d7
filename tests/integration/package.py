#!/usr/bin/env python3
"""The Debian package: built, judged by lintian, and with --all installed in a Debian of its own
that systemd has booted: it starts, gets ready, reads secrets, upgrades a database, and leaves
nothing."""
import glob
import json
import lzma
import os
import re
import shutil
import subprocess
import time

from harness import (ALL, CLIENT, EXPORTER, FAKE_AZURE, ROOT, SECRET, SLOWNESS, TENANT, Folder,
                     Skip, contains, equal, run, settings, until)

PACKAGE = "prometheus-defender-exporter"
CREDENTIALS = "/run/credentials/defender_exporter.service/"
OWN = "/etc/defender_exporter/"
# Beside dashboards, runbooks, examples and documents.
FILES = {
    "/etc/default/" + PACKAGE, OWN + "defender_exporter.yml",
    "/lib/systemd/system/defender_exporter.service", "/lib/systemd/system/defender_exporter.socket",
    "/usr/bin/defender_exporter", "/usr/share/bash-completion/completions/defender_exporter",
    "/usr/share/fish/vendor_completions.d/defender_exporter.fish",
    "/usr/share/zsh/vendor-completions/_defender_exporter",
    "/usr/share/man/man1/defender_exporter.1.gz", "/usr/share/man/man5/defender_exporter.yml.5.gz",
    f"/usr/share/{PACKAGE}/rules/alerts.yml", f"/usr/share/{PACKAGE}/rules/records.yml",
}


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is not here")


def output(*command, seconds=300, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, timeout=seconds * SLOWNESS, check=False, **more)
    equal(done.returncode, 0, " ".join(command) + "\n" + done.stdout)
    return done.stdout


def built(kind):
    """The newest file of build/dist; the package of the program under test is made first."""
    need("dh", "dpkg-buildpackage", "git")
    if not built.done:
        tree = output("git", "-C", ROOT, "-c", "user.name=test", "-c", "user.email=test@localhost",
                      "stash", "create").strip()  # as it is, also what is not committed
        environment = {**os.environ, "PROGRAM": os.path.abspath(EXPORTER),
                       "COMMIT": tree or "HEAD", "DEB_BUILD_OPTIONS": "noautodbgsym"}
        output(os.path.join(ROOT, "scripts/release"), "tarball", "deb", env=environment)
        built.done = True
    found = glob.glob(f"{ROOT}/build/dist/{PACKAGE}_*{kind}")
    return max(found, key=os.path.getmtime)


built.done = False


def test_package_has_all():
    lines = output("dpkg-deb", "-c", built(".deb")).splitlines()
    rows = [re.match(r"(\S+) (\S+) +\d+ \S+ \S+ \.(/\S*)", line).groups() for line in lines]
    equal({owner for _, owner, _ in rows}, {"root/root"}, "owners")
    files = {path: mode for mode, _, path in rows if not path.endswith("/")}
    equal(FILES - files.keys(), set(), "missing files")
    beside = (f"/usr/share/doc/{PACKAGE}/", f"/usr/share/{PACKAGE}/dashboards/",
              f"/usr/share/{PACKAGE}/runbooks/", "/usr/share/lintian/overrides/")
    equal({path for path in files if not path.startswith(beside)} - FILES, set(), "other files")
    equal(len([path for path in files if path.startswith(beside[1])]),
          len(glob.glob(ROOT + "/dashboards/grafana/*.json")), "dashboards")
    assert f"/usr/share/doc/{PACKAGE}/examples/rules/rules.yml" in files, "examples"
    equal([mode for mode, _, path in rows if path == OWN + "secrets/"], ["drwx------"], "secrets")


def test_lintian_finds_no_error():
    need("lintian")
    said = output("lintian", "--allow-root", "--fail-on", "error,warning", built(".changes"))
    equal(re.findall("^[EW]: .*", said, re.M), [], "lintian")


# --- a Debian of its own ------------------------------------------------------------------------

def mirror():
    for path in sorted(glob.glob("/etc/apt/sources.list*") + glob.glob("/etc/apt/*/*.sources")):
        if os.path.isdir(path):
            continue
        with open(path, encoding="utf-8") as file:
            found = re.search(r"^(?:URIs: |deb (?:\[.*\] )?)(https?://\S+)", file.read(), re.M)
        if found:
            return found.group(1)
    raise Skip("no mirror of Debian is known")


class Machine:
    """Debian 12 with systemd and what the package depends on; a network of its own."""

    def __init__(self, folder, package):
        self.root = os.path.join(folder.path, "root")
        depends = output("dpkg-deb", "-f", package, "Depends")
        names = ["systemd", *re.findall(r"(?:^|, )([a-z0-9.+-]+)", depends)]
        cache = os.path.join(ROOT, "build/tools/debs")
        os.makedirs(cache, exist_ok=True)
        output("debootstrap", "--cache-dir=" + cache, "--variant=minbase",
               "--include=" + ",".join(names), "bookworm", self.root, mirror(), seconds=900)
        shutil.copy(package, self.root + "/package.deb")
        self.log = open(os.path.join(folder.path, "console"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "-q", "--keep-unit", "--register=no", "--private-network",
             "--console=pipe", "-D", self.root, "--boot"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def __enter__(self):
        try:
            until("its systemd", self.is_up, 60)
        except BaseException:
            self.__exit__(None)
            raise
        return self

    def is_up(self):
        """The first process is another's child until it is one's own."""
        self.leader = until("the first process", self.find_leader, 60)
        return self.tried("systemctl", "is-active", "multi-user.target")

    def find_leader(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        if self.process.poll() is not None or not os.path.exists(path):
            raise Skip("systemd-nspawn boots nothing here")
        with open(path, encoding="ascii") as file:
            return file.read().split()[:1]

    def __exit__(self, kind, *unused):
        if kind:
            print(self.tried("journalctl", "--no-pager", "-n", "80"))
        if self.process.poll() is None:
            self.tried("systemctl", "--no-block", "poweroff")
        try:
            self.process.wait(60 * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def inside(self, *command):
        return ["nsenter", "--target", self.leader[0], "--all", "--", *command]

    def tried(self, *command):
        """What a command says, None when it fails."""
        done = subprocess.run(self.inside(*command), stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False, timeout=300 * SLOWNESS,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        self.said = done.stdout + done.stderr
        return None if done.returncode else done.stdout or " "

    def do(self, *command):
        if self.tried(*command) is None:
            raise AssertionError(f"{' '.join(command)}: {self.said}")
        return self.said.strip()

    def write(self, path, text, mode=0o644):
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.root + path, mode)

    def curl(self, path):
        """The status of a request from inside its network."""
        done = subprocess.run(["nsenter", "--target", self.leader[0], "--net", "--", "curl", "-s",
                               "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*",
                               "http://127.0.0.1:9887" + path], check=False, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)
        return done.stdout

    def ready(self):
        until("/-/ready", lambda: self.curl("/-/ready") == "200", 60)

    def show(self, name):
        return self.do("systemctl", "show", "-P", name, "defender_exporter")


def configure(machine):
    """A stand-in beside it, the secret as a credential."""
    fake = subprocess.Popen(
        ["nsenter", "--target", machine.leader[0], "--net", "--", os.path.abspath(FAKE_AZURE),
         "--port", "9886", "--seed", "7", "--subscriptions", "2", "--assessments", "200",
         "--secret", SECRET, "--tenant-id", TENANT, "--client-id", CLIENT],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    machine.write(OWN + "secrets/client_secret", SECRET, 0o600)
    config = settings("http://127.0.0.1:9886", CREDENTIALS + "secret_client_secret")
    machine.write(OWN + "defender_exporter.yml", json.dumps(config))
    return fake


def own_files(machine):
    found = machine.do("find", "/etc", "/lib/systemd", "/usr", "/var/lib", "/run", "-xdev",
                       "-iname", "*defender*").split()
    return [path for path in found if "/var/lib/dpkg/" not in path]


def test_installs_runs_upgrades_and_goes():
    if not ALL:
        raise Skip("only with scripts/test --all")
    need("debootstrap", "systemd-nspawn", "nsenter", "curl")
    if os.geteuid():
        raise Skip("not root")
    with Folder() as folder, Machine(folder, built("_amd64.deb")) as machine:
        before = own_files(machine)
        machine.do("dpkg", "-i", "/package.deb")
        until("the service", lambda: machine.show("ActiveState") == "active", 60)
        equal(machine.curl("/-/healthy"), "200", "as it comes")
        equal(machine.do("defender_exporter", "check", "health"), "it answers", "health")
        fake = configure(machine)
        try:
            runs_as_configured(machine)
            upgrades(machine)
            listens_on_a_socket(machine)
        finally:
            fake.terminate()
            fake.wait()
        machine.do("dpkg", "--remove", PACKAGE)
        equal(machine.curl("/-/healthy"), "000", "after it was removed")
        machine.do("dpkg", "--purge", PACKAGE)
        equal(own_files(machine), before, "what a purge leaves")


def runs_as_configured(machine):
    machine.do("systemctl", "restart", "defender_exporter")
    machine.ready()
    equal(machine.show("WatchdogUSec"), "2min", "watchdog")
    user = machine.do("stat", "-c", "%U %a", "/var/lib/private/defender_exporter")
    equal(user.split()[1], "700", "its folder")
    pid = machine.show("MainPID")
    status = machine.do("cat", f"/proc/{pid}/status")
    contains(status, "NoNewPrivs:\t1", "status")
    contains(status, "Seccomp:\t2", "status")
    equal(re.search(r"Uid:\t(\d+)", status).group(1) == "0", False, "root")
    machine.do("systemctl", "reload", "defender_exporter")
    contains(machine.do("journalctl", "--no-pager", "-u", "defender_exporter"), "msg=reloaded",
             "journal")
    equal(machine.show("MainPID"), pid, "after a reload")
    machine.ready()


def upgrades(machine):
    """A newer package goes over it, and a database of an earlier version comes along."""
    machine.do("systemctl", "stop", "defender_exporter")
    old = sorted(glob.glob(ROOT + "/tests/upgrade/*.db.xz"))[0]
    folder = machine.root + "/var/lib/private/defender_exporter"
    for path in glob.glob(folder + "/*"):
        os.unlink(path)
    with lzma.open(old) as packed, open(folder + "/defender_exporter.db", "wb") as file:
        shutil.copyfileobj(packed, file)
    owner = os.stat(folder)
    os.chown(folder + "/defender_exporter.db", owner.st_uid, owner.st_gid)
    machine.do("dpkg", "-i", "/package.deb")
    until("the service", lambda: machine.show("ActiveState") == "active", 120)
    machine.ready()
    equal(machine.show("NRestarts"), "0", "restarts")
    equal(machine.do("defender_exporter", "db", "check"), "the database is whole", "database")


def listens_on_a_socket(machine):
    machine.write("/etc/default/" + PACKAGE, 'ARGS="--web.systemd-socket"\n')
    machine.do("systemctl", "stop", "defender_exporter")
    machine.do("systemctl", "start", "defender_exporter.socket")
    until("an answer", lambda: machine.curl("/-/healthy") == "200", 60)
    machine.ready()
    began = time.monotonic()
    machine.do("systemctl", "restart", "defender_exporter")
    equal(machine.curl("/-/healthy"), "200", f"after {time.monotonic() - began:.1f} s")
    machine.do("systemctl", "stop", "defender_exporter.socket", "defender_exporter")


if __name__ == "__main__":
    run(globals())
