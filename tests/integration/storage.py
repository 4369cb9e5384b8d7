#!/usr/bin/env python3
"""Whatever happens to the storage while the program runs: what is new is told, or defender_up is 0
within an interval and the program says why. And what an operator does about it."""
import contextlib
import os
import shutil
import sqlite3
import subprocess

from alerts_flow import advance, command, configuration, tenant, told
from alerts_model import Model, settled
from hardened import AS_NOBODY, NOBODY
from harness import (EXPORTER, SECRET, Exporter, Folder, Program, Skip, contains, equal, free_port,
                     run, settings, until)
from sink import Sink, receiver

NAME = "defender_exporter.db"


@contextlib.contextmanager
def small_volume(folder, size="4m"):
    """A volume of its own below the folder; the path."""
    path = os.path.join(folder.path, "volume")
    os.makedirs(path)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Skip("no volume can be mounted: " + done.stderr.strip())
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=False)


class Scene:
    """A program with a receiver that is told everything, and a tenant that moves."""

    def __init__(self, stack, storage=None, **alerts):
        self.folder = stack.enter_context(Folder())
        self.storage = storage(stack, self.folder) if storage else self.folder.path
        self.sink = stack.enter_context(Sink())
        self.alarms = stack.enter_context(Sink())
        self.fake = stack.enter_context(tenant(200))
        self.config = configuration(
            self.fake, self.folder, [receiver(self.sink), receiver(self.alarms, "switch")],
            {"receiver": "team"}, heartbeat={"receiver": "switch", "interval": "1s"}, **alerts)
        self.model = Model(self.fake.admin("dump"))
        self.path = os.path.join(self.storage, NAME)
        self.exporter = stack.enter_context(self.start())
        self.exporter.wait_ready()
        until("the first summary", self.sink.taken)

    def start(self):
        return Exporter(self.folder, self.config, f"--storage.path={self.storage}")

    def is_down(self):
        """The reason, when the program says with every voice that nothing is decided."""
        ready = self.exporter.get("/-/ready")
        metrics = self.exporter.metrics()
        reasons = [labels["reason"] for labels, value in
                   metrics.all("defender_exporter_state_trouble") if value]
        if metrics.one("defender_up") or ready.status == 200 or not reasons:
            return None
        contains(ready.text, "nothing can be decided about alerts: ", "/-/ready")
        return reasons[0], ready.text

    def until_down(self, reason, text):
        advance(self.fake, self.model)
        found = until("defender_up 0", self.is_down, 60)
        equal(found[0], reason, "reason")
        contains(found[1], text, "/-/ready")
        until("the alarm", lambda: self.alarm("firing"), 60)
        contains(self.alarm("firing")["text"], text, "the alarm")

    def alarm(self, status):
        found = [m["body"]["data"] for m in self.alarms.taken()
                 if m["body"]["type"] == "exporter.failing" and
                 m["body"]["data"]["status"] == status]
        assert len(found) <= 1, "an alarm is told once"
        return found[0] if found else None

    def until_well(self):
        until("defender_up 1", lambda: self.exporter.metrics().one("defender_up") and
              self.exporter.get("/-/ready").status == 200, 60)
        until("the end of the alarm", lambda: self.alarm("resolved"), 60)
        until("what happened meanwhile", lambda: self.model.told <= told(self.sink), 60)


def test_removed_and_put_back():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        os.rename(scene.path, scene.path + ".away")
        scene.until_down("removed", "was removed while running")
        os.rename(scene.path + ".away", scene.path)
        scene.until_well()


def test_replaced():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        shutil.copy(scene.path, scene.path + ".copy")
        os.rename(scene.path + ".copy", scene.path)
        scene.until_down("replaced", "was replaced while running")


def test_folder_removed():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, lambda _, folder: os.path.join(folder.path, "state"))
        os.rename(scene.storage, scene.storage + ".away")
        scene.until_down("removed", "was removed while running")
        os.makedirs(scene.storage)  # an empty volume in its place
        advance(scene.fake, scene.model)
        assert scene.is_down()
        equal(os.listdir(scene.storage), [], "what was made in the empty folder")


def test_emptied_and_no_silent_first_start():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        os.truncate(scene.path, 0)
        scene.until_down("emptied", "was emptied while running")
        scene.exporter.stop()
        with contextlib.suppress(FileNotFoundError):
            os.remove(scene.path + "-wal")
        os.truncate(scene.path, 0)  # its log may have filled it again
        with scene.start() as again:
            equal(again.wait_end(), 2, "exit status")
            contains(again.log, "is gone or empty, but there was a database", "log")
        os.remove(scene.path)
        os.remove(scene.path + ".lock")
        with scene.start() as anew:
            anew.wait_ready()
            contains(anew.log, "the database is new", "log")


def test_shrunk():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        with contextlib.closing(sqlite3.connect(scene.path, timeout=60)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        until("a look at the whole file", lambda: scene.exporter.metrics().one("defender_up"))
        advance(scene.fake, scene.model)
        until("decisions", lambda: settled(scene.folder, scene.model), 60)
        os.truncate(scene.path, os.stat(scene.path).st_size // 2)
        scene.until_down("damaged", "")


def test_locked_by_another_for_long():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        other = stack.enter_context(contextlib.closing(
            sqlite3.connect(scene.path, timeout=60, isolation_level=None)))
        other.execute("BEGIN IMMEDIATE")
        scene.until_down("locked", "locked")
        other.execute("ROLLBACK")
        scene.until_well()


def test_full():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, lambda stack, folder: stack.enter_context(small_volume(folder)))
        filler = os.path.join(scene.storage, "filler")
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        scene.until_down("unwritable", "full")
        os.remove(filler)
        scene.until_well()


def test_copied_and_checked_while_it_runs():
    with contextlib.ExitStack() as stack:
        scene = Scene(stack)
        copy = os.path.join(scene.folder.path, "copy.db")
        equal(command(scene.folder, "db", "check"), (0, "the database is whole\n"), "db check")
        equal(command(scene.folder, "db", "backup", copy)[0], 0, "db backup")
        contains(command(scene.folder, "db", "backup", copy)[1], "exists", "the second copy")
        scene.exporter.stop()
        os.rename(copy, scene.path)  # restored
        with scene.start() as again:
            again.wait_ready()
            advance(scene.fake, scene.model)
            until("what is new", lambda: scene.model.told <= told(scene.sink), 60)
            again.stop()
        with open(scene.path, "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096)
        status, text = command(scene.folder, "db", "check")
        equal(status, 1, "exit status for a damaged file")
        contains(text, "is damaged", "db check")
        with contextlib.closing(sqlite3.connect(scene.path)) as other:
            other.execute("PRAGMA user_version = 99")
            other.commit()
        contains(command(scene.folder, "db", "check")[1], "use a newer program", "a newer file")


def test_without_a_path_it_is_where_the_user_can_write():
    """Somebody who is not root, with a home, a state folder, or systemd's."""
    with Folder() as folder, tenant(50) as fake:
        prefix = AS_NOBODY if os.geteuid() == 0 else []
        if prefix and not shutil.which(prefix[0]):
            raise Skip("setpriv is not here")
        homes = {name: os.path.join(folder.path, name) for name in ("home", "state", "service")}
        path = folder.file("config.yml", settings(fake.url, folder.file("secret", SECRET)))
        for where in (folder.path, *homes.values()):
            os.makedirs(where, exist_ok=True)
            os.chmod(where, 0o755)
            if prefix:
                shutil.chown(where, NOBODY, NOBODY)
        for file in (path, os.path.join(folder.path, "secret")):
            os.chmod(file, 0o644)
        for more, made in (({}, "home/.local/state/defender_exporter"),
                           ({"XDG_STATE_HOME": homes["state"]}, "state/defender_exporter"),
                           ({"STATE_DIRECTORY": homes["service"]}, "service")):
            address = f"127.0.0.1:{free_port()}"
            with Program([*prefix, EXPORTER, f"--config.file={path}",
                          f"--web.listen-address={address}"],
                         {"HOME": homes["home"], "XDG_STATE_HOME": "", **more}) as program:
                database = os.path.join(folder.path, made, NAME)
                until(database, lambda: os.path.exists(database) or not program.alive)
                equal(program.alive, True, "it runs: " + program.log)
                equal("nothing is kept" in program.log, False, program.log)
        refused = subprocess.run([*prefix, EXPORTER, "db", "check", f"--config.file={path}",
                                  "--storage.path=/proc/nowhere"], capture_output=True, text=True,
                                 check=False, stdin=subprocess.DEVNULL)
        contains(refused.stderr, "--storage.path: ", "a database that cannot be opened")


if __name__ == "__main__":
    run(globals())
