#!/usr/bin/env python3
"""What is published: the same sources give the same program wherever they are built; its version
is that of the tag; it is also built for arm64, and runs there."""
import os
import re
import shutil
import subprocess

from harness import ALL, EXPORTER, ROOT, Folder, Skip, contains, equal, run
from package import mirror, need, output

ARM = "aarch64-linux-gnu"


def sources(path, *tags):
    """The tree as it is, as a repository of one commit with these tags."""
    names = output("git", "-C", ROOT, "ls-files", "-z").split("\0")[:-1]
    for name in names:
        if os.path.lexists(os.path.join(ROOT, name)):
            os.makedirs(os.path.join(path, os.path.dirname(name)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), os.path.join(path, name), follow_symlinks=False)
    git = ["git", "-C", path, "-c", "user.name=test", "-c", "user.email=test@localhost"]
    environment = {**os.environ, "GIT_COMMITTER_DATE": "1700000000 +0000",
                   "GIT_AUTHOR_DATE": "1700000000 +0000"}
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"],
                  *(["tag", tag] for tag in tags)):
        output(*git, *words, env=environment)
    return path


def version_of(path):
    return output("cmake", "-P", path + "/cmake/print_version.cmake").split()


def test_version_is_the_tag_s():
    need("git", "cmake")
    with Folder() as folder:
        path = sources(folder.path + "/tree", "v9.8.7", "unrelated")
        equal(version_of(path), ["9.8.7", "1700000000"], "of a tag")
        packed = folder.path + "/packed"
        os.mkdir(packed)
        output("sh", "-c", f"git -C {path} archive HEAD | tar -x -C {packed}")
        equal(version_of(packed), ["9.8.7", "1700000000"], "of an archive")
        output("git", "-C", path, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit",
               "-q", "--allow-empty", "-m", "two")
        version = version_of(path)[0]
        assert re.fullmatch(r"9\.8\.7\+1\.g[0-9a-f]+", version), version
        output("git", "-C", path, "tag", "-d", "v9.8.7")
        equal(version_of(path)[0], "0.1.0", "without a tag")


def build(path, *more):
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    output("cmake", "-S", path, "-B", path + "/out", "-G", "Ninja", "-DBUILD_TESTING=OFF",
           "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DHARDENING=ON", *more, env=environment)
    output("cmake", "--build", path + "/out", "--target", "defender_exporter", env=environment,
           seconds=2400)
    with open(path + "/out/defender_exporter", "rb") as file:
        return file.read()


def test_two_builds_are_equal():
    if not ALL:
        raise Skip("only with scripts/test --all")
    with Folder() as one, Folder() as other:
        here, there = one.path + "/here", other.path + "/a/folder/with/a/longer/name"
        shutil.copytree(sources(here, "v1.2.3"), there, symlinks=True)
        first, second = build(here), build(there)
        equal(len(first), len(second), "sizes")
        equal(first == second, True, "bytes")
        for path in (one.path, other.path):
            equal(path.encode() in first, False, path + " in the program")


def arm_libraries(folder):
    """The libraries for arm64, unpacked: nothing is installed."""
    apt = folder.path + "/apt"
    for name in ("lists/partial", "archives/partial"):
        os.makedirs(f"{apt}/{name}")
    open(apt + "/status", "w", encoding="ascii").close()
    config = folder.file("apt.conf", f'''
APT::Architecture "arm64"; APT::Architectures "arm64";
Dir::State "{apt}"; Dir::State::status "{apt}/status"; Dir::Cache "{apt}";
Dir::Etc::sourcelist "{folder.path}/sources.list"; Dir::Etc::sourceparts "/dev/null";
APT::Sandbox::User "root";
''')
    folder.file("sources.list", f"deb {mirror()} bookworm main\n")
    environment = {**os.environ, "APT_CONFIG": config}
    with open(ROOT + "/packaging/debian/control", encoding="utf-8") as file:
        named = re.search(r"Build-Depends: ([^:]*?)\nStandards", file.read()).group(1)
    names = [one for one in re.findall(r"[a-z0-9.+-]+-dev", named)]
    output("apt-get", "-qq", "update", env=environment)
    output("apt-get", "-qq", "-y", "--no-install-recommends", "--download-only", "install",
           "libc6-dev", *names, env=environment, seconds=900)
    for name in sorted(os.listdir(apt + "/archives")):
        if name.endswith(".deb"):
            output("dpkg", "-x", f"{apt}/archives/{name}", folder.path + "/arm")
    for name in ("lib", "bin", "sbin"):  # as an installed system has them
        moved = f"{folder.path}/arm/{name}"
        if os.path.isdir(moved) and not os.path.islink(moved):
            shutil.copytree(moved, f"{folder.path}/arm/usr/{name}", symlinks=True,
                            dirs_exist_ok=True)
            shutil.rmtree(moved)
        os.symlink("usr/" + name, moved)
    return folder.path + "/arm"


def test_it_runs_on_arm64():
    if not ALL:
        raise Skip("only with scripts/test --all")
    need(ARM + "-gcc", "qemu-aarch64-static", "apt-get", "dpkg", "protoc-c")
    with Folder() as folder:
        root = arm_libraries(folder)
        toolchain = folder.file("arm64.cmake", f'''
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER {ARM}-gcc)
set(CMAKE_SYSROOT {root})
set(CMAKE_FIND_ROOT_PATH {root})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{{PKG_CONFIG_SYSROOT_DIR}} {root})
set(ENV{{PKG_CONFIG_LIBDIR}} {root}/usr/lib/{ARM}/pkgconfig:{root}/usr/share/pkgconfig)
''')
        build(sources(folder.path + "/tree"), "-DCMAKE_TOOLCHAIN_FILE=" + toolchain)
        program = folder.path + "/tree/out/defender_exporter"
        contains(output("file", program) if shutil.which("file") else "aarch64", "aarch64",
                 "its kind")
        arm = ["qemu-aarch64-static", "-L", root, program]
        contains(output(*arm, "--version"), "Linux/aarch64", "version")
        here = subprocess.run([EXPORTER, "config"], check=True, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL).stdout
        equal(output(*arm, "config") == here, True, "the same reference here and there")


if __name__ == "__main__":
    run(globals())
