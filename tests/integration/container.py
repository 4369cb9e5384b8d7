#!/usr/bin/env python3
"""The container image: what is in it is named, and with --all it is built, unpacked and run as an
engine would run it: no shell, nobody's user, no rights, a root that cannot be written."""
import glob
import json
import os
import re
import shutil
import subprocess

from harness import (ALL, EXPORTER, ROOT, SECRET, Exporter, Fake, Folder, Program, Skip, contains,
                     equal, free_port, run, settings, until)
from package import PACKAGE, mirror, need, output

BYTES_MAX = 25 * 1000 * 1000  # packed
NOBODY = 65534


def check_sbom(text):
    bom = json.loads(text)
    packages = {one["name"]: one for one in bom["packages"]}
    equal(bom["spdxVersion"], "SPDX-2.3", "version of SPDX")
    for name in ("defender_exporter", "libc6", "libssl3", "libcurl4", "libsqlite3-0"):
        assert name in packages, name
    for one in packages.values():
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one["SPDXID"]), one
        assert re.match(r"\d", one["versionInfo"]), one
    told = {row["relatedSpdxElement"] for row in bom["relationships"]}
    equal(told, {one["SPDXID"] for one in packages.values()}, "relationships")
    return packages


def test_sbom_names_what_is_loaded():
    need("dpkg-query", "ldd")
    loaded = re.findall(r"(/\S+) \(0x", output("ldd", EXPORTER))
    check_sbom(output(ROOT + "/packaging/sbom", EXPORTER, *loaded))


def test_image_is_named_alike():
    with open(ROOT + "/packaging/container/Containerfile", encoding="utf-8") as file:
        text = file.read()
    contains(text, "USER 65534:65534\n", "the user")
    contains(text, 'CMD ["/usr/bin/defender_exporter", "check", "health"]', "health")
    contains(text, "EXPOSE 9887\n", "the port")


class Store:
    """Images of buildah in a folder of its own."""

    def __init__(self, folder):
        self.path = folder.path
        self.options = ["--root", folder.path + "/store", "--runroot", folder.path + "/run",
                        "--storage-driver", "vfs"]

    def do(self, command, *arguments):
        return output("buildah", *self.options, command, *arguments, seconds=2400).strip()

    def base(self):
        """Debian, as a registry would give it; it takes packages from where this machine does."""
        root = self.path + "/debian"
        output("debootstrap", "--variant=minbase", "bookworm", root, mirror(), seconds=900)
        for name in glob.glob("/etc/apt/apt.conf.d/*") + ["/etc/resolv.conf"]:
            shutil.copy(name, root + name)
        container = self.do("from", "scratch")
        self.do("add", container, root, "/")
        self.do("commit", container, "localhost/debian")
        shutil.rmtree(root)
        return "localhost/debian"

    def build(self):
        environment = {**os.environ, "BASE": self.base(), "BUILDAH": " ".join(self.options),
                       "BUILDAH_ISOLATION": "chroot"}
        output(ROOT + "/scripts/release", "tarball", "image", env=environment, seconds=2400)
        image, = [one for one in self.do("images", "--format", "{{.Name}}:{{.Tag}}").split()
                  if PACKAGE in one]
        health = json.loads(self.do("inspect", "--type", "image", image))["Docker"]["config"]
        equal(health["Healthcheck"]["Test"],
              ["CMD", "/usr/bin/defender_exporter", "check", "health"], "how it is asked")
        self.do("push", image, f"oci:{self.path}/oci:image")


def made(path):
    os.makedirs(path)
    return path


def blob(folder, digest):
    with open(f"{folder}/oci/blobs/{digest.replace(':', '/')}", encoding="utf-8") as file:
        return json.load(file)


class Contained(Exporter):
    """The image's own command, in a root that cannot be written, with no rights."""

    def __init__(self, folder, root, config, settings_of):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        storage = made(folder.path + "/storage")
        os.chmod(storage, 0o700)
        os.chown(storage, NOBODY, NOBODY)
        files = made(folder.path + "/config")
        for name, text in (("defender_exporter.yml", json.dumps(config)), ("secret", SECRET)):
            with open(f"{files}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        os.chmod(folder.path, 0o755)
        self.box = ["bwrap", "--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev",
                    "--ro-bind", files, "/etc/defender_exporter",
                    "--bind", storage, "/var/lib/defender_exporter", "--unshare-pid",
                    "--unshare-ipc", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"]
        if os.geteuid() == 0:
            self.box = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                        *self.box, "--unshare-user"]
        self.where = f"--web.listen-address=127.0.0.1:{self.port}"
        Program.__init__(self, [*self.box, *settings_of["Entrypoint"], self.where])


def check_root(root):
    names = {os.path.basename(path) for path in glob.glob(root + "/*/**", recursive=True)}
    equal(names & {"sh", "bash", "dash", "busybox", "apt", "dpkg", "perl", "python3"}, set(),
          "what an image need not have")
    programs = glob.glob(root + "/usr/bin/*")
    equal([os.path.basename(path) for path in programs], ["defender_exporter"], "programs")
    with open(root + "/usr/share/doc/defender_exporter/sbom.spdx.json", encoding="utf-8") as file:
        packages = check_sbom(file.read())
    print(f"SBOM: {len(packages)} packages")


def test_image_runs():
    if not ALL:
        raise Skip("only with scripts/test --all")
    need("buildah", "debootstrap", "umoci", "bwrap", "setpriv")
    with Folder() as folder:
        Store(folder).build()
        with open(folder.path + "/oci/index.json", encoding="utf-8") as file:
            manifest = json.load(file)["manifests"]
        layers = blob(folder.path, manifest[0]["digest"])
        size = sum(layer["size"] for layer in layers["layers"])
        print(f"image: {size} bytes packed")
        assert size <= BYTES_MAX, size
        config = blob(folder.path, layers["config"]["digest"])["config"]
        equal(config["User"], "65534:65534", "user")
        equal(list(config["ExposedPorts"]), ["9887/tcp"], "port")
        output("umoci", "raw", "unpack", "--image", folder.path + "/oci:image",
               folder.path + "/root")
        check_root(folder.path + "/root")
        storage = os.stat(folder.path + "/root/var/lib/defender_exporter")
        equal((storage.st_uid, storage.st_mode & 0o777), (NOBODY, 0o700), "folder for the database")
        runs(folder, folder.path + "/root", config)


def runs(folder, root, config):
    with Fake("--seed", "7", "--subscriptions", "2", "--assessments", "200") as fake:
        wanted = settings(fake.url, "/etc/defender_exporter/secret")
        with Contained(folder, root, wanted, config) as exporter:
            exporter.wait_ready()
            done = subprocess.run([*exporter.box, "/usr/bin/defender_exporter", "check", "health",
                                   exporter.where], stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, check=False)
            equal((done.returncode, done.stdout), (0, "it answers\n"), f"health {done.stderr}")
            until("findings", lambda: exporter.metrics().sum("defender_findings") > 0)


if __name__ == "__main__":
    run(globals())
