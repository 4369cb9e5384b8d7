#!/usr/bin/env python3
"""One whole collection under valgrind: no invalid access, nothing leaked."""
import shutil
import subprocess

from harness import (EXPORTER, SECRET, SLOWNESS, Fake, Folder, Skip, contains, equal, run,
                     settings)


def test_memcheck():
    if not shutil.which("valgrind"):
        raise Skip("no valgrind on this machine")
    with Folder() as folder, Fake("--seed", "6", "--subscriptions", "2",
                                  "--assessments", "1500") as fake:
        config = folder.file("config.yml", settings(fake.url, folder.file("secret", SECRET)))
        result = subprocess.run(
            ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
             "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect",
             "--num-callers=30", EXPORTER, "run", "--once", f"--config.file={config}",
             f"--storage.path={folder.path}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=280 * SLOWNESS)
        equal(result.returncode, 0, "valgrind: " + result.stderr[-4000:])
        contains(result.stdout, "defender_findings{", "metrics under valgrind")


run(globals())
