#!/usr/bin/env python3
"""What commonly goes wrong at the start gives five different sentences a person understands."""
import re
import socket
import subprocess
import time

from harness import (CLIENT, EXPORTER, SECRET, SLOWNESS, TENANT, Exporter, Fake, Folder, Program,
                     contains, equal, free_port, run, settings, until)


def words(folder, config):
    """What `run --once` says is wrong."""
    path = folder.file("config.yml", config)
    result = subprocess.run(
        [EXPORTER, "run", "--once", f"--config.file={path}", f"--storage.path={folder.path}"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=60 * SLOWNESS)
    equal(result.returncode, 1, "exit status: " + result.stderr)
    found = re.findall(r'level=(?:WARN|ERROR) .*err="((?:\\.|[^"\\])*)"', result.stderr)
    equal(bool(found), True, "a reason in: " + result.stderr)
    return found[0], result.stderr


def short(fake_url, secret_file):
    """Deadlines that end soon where Azure does not answer."""
    timeout = f"{max(1, SLOWNESS / 3):.0f}s"
    return settings(fake_url, secret_file, {name: {"timeout": timeout} for name in (
        "subscriptions", "catalogue", "assessments", "secure_scores", "baselines")})


def test_five_different_messages():
    said = {}
    with Folder() as folder:
        secret = folder.file("secret", SECRET)
        with Fake("--secret", "another") as fake:
            said["wrong secret"] = words(folder, short(fake.url, secret))
        with Fake("--fault", "expired-token") as fake:
            said["expired token"] = words(folder, short(fake.url, secret))
        said["unreachable host"] = words(folder, short(f"http://127.0.0.1:{free_port()}", secret))
        with Fake("--empty") as fake:
            said["empty tenant"] = words(folder, short(fake.url, secret))
        with Fake("--fault", "denied-all") as fake:
            said["nothing readable"] = words(folder, short(fake.url, secret))
    for case, (message, _) in said.items():
        print(f"     {case}: {message}")
    equal(len({message for message, _ in said.values()}), 5, "different messages")
    for case, parts in {
            "wrong secret": ("AADSTS7000215", "secret"),
            "expired token": ("token", "expir"),
            "unreachable host": ("127.0.0.1", "connect"),
            "empty tenant": ("no subscription", "Reader"),
            "nothing readable": ("403", "denied", "read access")}.items():
        for part in parts:
            contains(said[case][0].lower(), part.lower(), case)


def test_azure_that_is_unreachable_is_said_once_and_soon():
    """Collectors with their usual time-outs: minutes, were each to try again until then."""
    with Folder() as folder:
        url = f"http://127.0.0.1:{free_port()}"
        began = time.monotonic()
        message, log = words(folder, settings(url, folder.file("secret", SECRET)))
        contains(message, "connect", "refused")
        equal(log.count("level=WARN"), 1, "failures that are logged: " + log)
        contains(log, 'msg="Azure cannot be reached" url=' + url, "refused")
        equal(time.monotonic() - began < 30 * SLOWNESS, True, "gives up soon")


def test_who_cannot_sign_in_hears_it_once():
    with Folder() as folder, Fake("--secret", "another") as fake:
        message, log = words(folder, settings(fake.url, folder.file("secret", SECRET)))
        contains(message, "AADSTS7000215", "refused")
        equal(log.count("level=WARN"), 1, "failures that are logged: " + log)
        contains(log, 'msg="nothing more is asked"', "refused")
        equal(fake.requests("token"), 1, "tries to sign in")


def test_a_token_that_does_not_come_is_given_up_within_five_seconds():
    """Whatever the endpoint does: it hangs, answers drop by drop, or fails again and again."""
    for fault in ("hang:path=/oauth2", "slow:path=/oauth2,ms=2000", "503:path=/oauth2"):
        with Folder() as folder, Fake("--fault", fault) as fake:
            config = settings(fake.url, folder.file("secret", SECRET))
            began = time.monotonic()
            message, log = words(folder, config)
            took = time.monotonic() - began
            contains(message, "token endpoint", fault)
            equal(log.count("level=WARN") - log.count("no answer from Azure yet"), 1,
                  "failures that are logged: " + log)
            equal(fake.requests("token"), 1, "tries to sign in with " + fault)
            equal(took < 5 * SLOWNESS, True, f"{fault}: it took {took:.1f} s")


def test_azure_that_does_not_answer_is_said_while_it_is_waited_for():
    """Of who gives a token. (For a token it is not waited for so long.)"""
    with Folder() as folder, Fake() as fake, socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        wanted = settings(fake.url, folder.file("secret", SECRET))
        wanted["azure"]["resource_manager"] = url
        config = folder.file("config.yml", wanted)
        with Program([EXPORTER, "run", "--once", f"--config.file={config}",
                      f"--storage.path={folder.path}"]) as once:
            once.wait_for('msg="no answer from Azure yet" url=' + url)
            equal(once.alive, True, "it is still waiting")


RIGHT = ("azure: {method: client_secret, tenant_id: t, client_id: c, client_secret: s3cret}\n"
         "collectors:\n"
         "  plans: {interval: 1h}\n")
# What is appended, and what is told of it: the line in the file that is meant, and words.
WRONG = [
    ("alerts:\n  time_intervals:\n  - name: night\n    time_intervals:\n    - weekdays:\n"
     "      - monday\n      - mittwoch\n      location: Europe/Berlin\n", 10,
     "weekdays: \"mittwoch\""),
    ("alerts:\n  receivers:\n  - name: team\n    webhook: {url: 'https://hooks.example.com/'}\n"
     "  heartbeat:\n    interval: 1m\n    receiver: taem\n", 10, "no receiver is called taem; did"),
    ("alerts:\n  enabled: true\n  rules:\n  - missing.yml\n", 7, "missing.yml: No such file"),
    ("alerts:\n  receivers:\n  - name: hook\n    webhook:\n      body: standard\n"
     "      url: http://127.0.0.1:8080/hook\n", 9, "url: its host is a loopback"),
    ("alerts:\n  heartbeat:\n    interval: 1m\n    url: http://169.254.169.254/\n", 7,
     "alerts.heartbeat.url: its host is a loopback"),
    ("web: {listen_address: ':70000'}\n", 4, "port"),
    ("web: {config_file: missing.yml}\n", None, "missing.yml: No such file"),
    ("\tlog: {level: info}\n", 4, "tab"),
    ("nonsense: 1\nalerts: {heartbeat: {receiver: nobody}}\n", 5, "no receiver is called nobody"),
]


def check_and_run(folder, path):
    """What checking a configuration says of it, which is what starting with it says."""
    said = []
    for words in (["check", "config"], ["run"], ["run", "--once"], []):
        done = subprocess.run(
            [EXPORTER, *words, f"--config.file={path}", f"--storage.path={folder.path}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=20 * SLOWNESS, env={})
        equal(done.returncode, 2, f"exit status of {words}: {done.stdout} {done.stderr}")
        said.append(done.stdout + done.stderr)
    equal(len(set(said)), 1, f"different words: {said}")
    return said[0]


def test_a_wrong_configuration_is_the_same_to_all_and_names_the_line():
    with Folder() as folder:
        for text, line, words in WRONG:
            path = folder.file("config.yml", RIGHT + text)
            told = check_and_run(folder, path)
            where = f"{path}:{line}: " if line else ""
            equal([one for one in told.splitlines() if one.startswith(where) and words in one]
                  != [], True, f"{where} {words} in: {told}")


def test_a_wrong_file_hides_nothing_of_the_others():
    with Folder() as folder:
        folder.file("a.yml", "groups:\n- name: a\n  rules:\n"
                             "  - alert: A\n    event: finding.opened\n    colour: red\n"
                             "  - alert: B\n    event: finding.opend\n    labels: {'a b': c}\n")
        folder.file("b.yml", "groups:\n- name: b\n  rules:\n"
                             "  - alert: C\n    metric: defender_finding\n    above: 1\n")
        folder.file("c.yml", "groups:\n- name: node\n  rules:\n"
                             "  - alert: Down\n    expr: up == 0\n    for: 5m\n")
        path = folder.file("config.yml", RIGHT + "log: {level: loud}\nalerts:\n"
                           "  rules: [a.yml, 'b*.yml', c.yml]\n  audit: {receiver: nobody}\n")
        told = check_and_run(folder, path).replace(folder.path + "/", "")
        for line, one in zip(("config.yml:4: log.level: ",
                              "a.yml:6: groups[0].rules[0].colour: unknown key",
                              "a.yml:9: B.labels: that is no label name",
                              "a.yml:8: B.event: there is no event \"finding.opend\"",
                              "b.yml:5: C.metric: there is no metric \"defender_finding\"",
                              "c.yml:5: these are rules of Prometheus (expr)",
                              "config.yml:7: alerts.audit.receiver: no receiver"),
                             told.splitlines(), strict=True):
            equal(one.startswith(line), True, f"{line} in: {told}")


def test_a_pattern_without_files_is_told():
    with Folder() as folder:
        path = folder.file("config.yml", RIGHT + "alerts:\n  rules:\n  - 'rules/*.yml'\n")
        done = subprocess.run([EXPORTER, "check", "config", path], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=20 * SLOWNESS)
        equal(done.returncode, 0, done.stderr)
        contains(done.stdout, "warning: alerts.rules: no file matches rules/*.yml (line 6)", "told")


def test_missing_settings_are_named():
    with Folder() as folder:
        for azure, part in (({"method": "client_secret", "client_id": CLIENT}, "tenant_id"),
                            ({"method": "client_secret", "tenant_id": TENANT}, "client_id"),
                            ({"method": "client_secret", "tenant_id": TENANT,
                              "client_id": CLIENT}, "client_secret"),
                            ({"method": "workload_identity", "tenant_id": TENANT,
                              "client_id": CLIENT}, "federated_token_file")):
            path = folder.file("config.yml", {"azure": azure})
            result = subprocess.run(
                [EXPORTER, f"--config.file={path}", f"--storage.path={folder.path}"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                timeout=20 * SLOWNESS, env={})
            equal(result.returncode, 2, f"exit status without {part}")
            contains(result.stderr, part, f"message without {part}")


def test_a_new_secret_is_found_without_a_reload():
    with Folder() as folder, Fake("--token-lifetime", "2") as fake:
        path = folder.file("secret", SECRET)
        often = {name: {"interval": "1s"} for name in ("subscriptions", "assessments")}
        with Exporter(folder, settings(fake.url, path, often)) as exporter:
            exporter.wait_ready()
            fake.fault("new-secret:body=renewed")
            exporter.wait_for("AADSTS7000222")
            folder.file("secret", "\ufeff renewed \r\n")
            exporter.wait_metric("collections with the new secret", lambda metrics: all(
                value for _, value in metrics.all("defender_scrape_collector_success")), 60)


def test_the_end_of_a_token_may_be_a_date():
    for form in ("us", "iso"):
        with Folder() as folder, Fake("--fault", "expires-on:body=" + form) as fake:
            config = settings(fake.url, folder.file("secret", SECRET))
            config["azure"] = {"method": "managed_identity", "resource_manager": fake.url}
            path = folder.file("config.yml", config)
            result = subprocess.run(
                [EXPORTER, "run", "--once", f"--config.file={path}",
                 f"--storage.path={folder.path}"], stdin=subprocess.DEVNULL, capture_output=True,
                text=True, check=False, timeout=60 * SLOWNESS,
                env={"AZURE_POD_IDENTITY_AUTHORITY_HOST": fake.url})
            equal(result.returncode, 0, f"{form}: {result.stderr}")


def test_the_pages_say_it_too():
    with Folder() as folder, Fake("--secret", "another") as fake:
        config = short(fake.url, folder.file("secret", SECRET))
        with Exporter(folder, config) as exporter:
            exporter.wait_answering()
            exporter.wait_for("AADSTS7000215")
            until("the status page", lambda: "AADSTS7000215" in exporter.get("/status").text)
            named = re.findall(r"collector=(\w+) .*AADSTS7000215", exporter.log)
            equal(len(named), len(set(named)), "no collector repeats it:\n" + exporter.log)


run(globals())
