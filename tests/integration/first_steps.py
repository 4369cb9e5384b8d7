#!/usr/bin/env python3
"""`init`: it looks what works, asks, and writes a configuration with which the program starts."""
import os
import pty
import re
import select
import stat
import subprocess
import time

from harness import CLIENT, EXPORTER, SECRET, SLOWNESS, TENANT, contains, equal, fetch, run
from harness import Folder
from identity import APPLICATION, Bench, arc_machine

BESIDE = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}  # no identity of the machine
ONE = ["--collector.disable-defaults", "--collector.subscriptions"]
SLACK = "https://hooks.slack.com/services/T/B/never-printed"


def flags(fake, **azure):
    hosts = {"authority_host": fake.url, "resource_manager": fake.url, **azure}
    return [f"--azure.{name.replace('_', '-')}={value}" for name, value in hosts.items()]


class Desk:
    """Who calls the program in an environment of its own."""

    def __init__(self, bench, environment=None, prefix=()):
        self.bench, self.prefix = bench, prefix
        self.out = bench.path("made/defender_exporter.yml")
        os.makedirs(bench.path("made"), exist_ok=True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": bench.folder.path,
                            "SSL_CERT_FILE": bench.authority.cert, **(environment or {})}

    def call(self, *words, status=0):
        done = subprocess.run([*self.prefix, EXPORTER, *words], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, check=False, timeout=60 * SLOWNESS,
                              env=self.environment)
        equal(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def init(self, *words, status=0):
        """What is in the file that was made."""
        self.call("init", self.out, *words, status=status)
        return self.text()

    def text(self):
        with open(self.out, encoding="utf-8") as file:
            return file.read()

    def starts(self, way):
        """The result is valid, and the program signs in with it and collects."""
        contains(self.call("check", "config", self.out), "is valid", "the result")
        log = self.call("run", "--once", f"--config.file={self.out}",
                        f"--storage.path={self.bench.folder.path}/state")
        contains(log, f'by="{way}"', "who signs in")

    def mode(self):
        return stat.S_IMODE(os.stat(self.out).st_mode)


def one_way(bench, way, method, environment=None, prefix=(), **azure):
    desk = Desk(bench, environment, prefix)
    made = desk.init("--force", *flags(bench.fake, **azure), *ONE)
    contains(made, f"# Signed in by: {way}.", "what was found")
    contains(made, f"\n  method: {method}\n", "what is settled")
    contains(made, "Subscriptions that can be read: 2, that are denied: 0.", "what is seen")
    contains(made, "#   subscriptions: works", "what answers")
    desk.starts(way)
    return desk, made


def test_a_secret_in_a_file_or_in_a_variable():
    with Bench() as bench:
        file = bench.folder.file("secret", SECRET)
        desk, made = one_way(bench, "client secret", "client_secret", **APPLICATION,
                             client_secret_file=file)
        contains(made, f'client_secret_file: "{file}"', "its file")
        equal(desk.mode(), 0o600, "mode where files of secrets are named")
        variables = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT,
                     "AZURE_CLIENT_SECRET": SECRET}
        desk, made = one_way(bench, "client secret", "client_secret", variables)
        equal(SECRET in made, False, "the secret is written")
        contains(made, "AZURE_CLIENT_SECRET holds the secret", "where it is")
        contains(made, f'client_id: "{CLIENT}"', "whose it is")
        equal(desk.mode(), 0o644, "mode where there are none")


def test_the_cloud_is_that_of_the_sign_in_host():
    with Bench() as bench:
        file = bench.folder.file("secret", SECRET)
        _, made = one_way(bench, "client secret", "client_secret",
                          {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"},
                          **APPLICATION, client_secret_file=file)
        contains(made, "\n  cloud: AzureUSGovernment\n", "the cloud")


def test_a_certificate():
    with Bench(certificate=True) as bench:
        pem = bench.pem()
        _, made = one_way(bench, "client certificate", "client_certificate", **APPLICATION,
                          client_certificate_file=pem)
        contains(made, f'client_certificate_file: "{pem}"', "by a flag")
        variables = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT,
                     "AZURE_CLIENT_CERTIFICATE_PATH": pem}
        desk, made = one_way(bench, "client certificate", "client_certificate", variables)
        contains(made, f'client_certificate_file: "{pem}"', "by a variable")
        desk.environment.pop("AZURE_CLIENT_CERTIFICATE_PATH")
        desk.starts("client certificate")


def test_a_workload_identity():
    with Bench("--federated-token", "eyJ.token.x") as bench:
        path = bench.folder.file("token", "eyJ.token.x")
        _, made = one_way(bench, "workload identity", "workload_identity",
                          {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT,
                           "AZURE_FEDERATED_TOKEN_FILE": path})
        contains(made, f'federated_token_file: "{path}"', "its token")


def test_identities_of_platforms():
    with Bench() as bench:
        one_way(bench, "managed identity", "managed_identity",
                {"AZURE_POD_IDENTITY_AUTHORITY_HOST": bench.fake.url})
    with Bench("--identity-header", "platform-key") as bench:
        one_way(bench, "managed identity", "managed_identity",
                {"IDENTITY_ENDPOINT": bench.fake.url + "/msi/token",
                 "IDENTITY_HEADER": "platform-key"})


def test_a_machine_of_azure_arc():
    with Folder() as keys, Bench("--arc-keys", keys.path) as bench:
        endpoint = bench.fake.url + "/metadata/identity/oauth2/token"
        one_way(bench, "managed identity", "managed_identity",
                {"IDENTITY_ENDPOINT": endpoint, "IMDS_ENDPOINT": bench.fake.url},
                arc_machine(keys.path))


def test_who_is_logged_in_with_az():
    with Bench() as bench:
        token = fetch(f"{bench.fake.url}/metadata/identity/oauth2/token?api-version=2018-02-01"
                      "&resource=https%3A%2F%2Fmanagement.azure.com%2F",
                      headers={"Metadata": "true"}).json()["access_token"]
        os.chmod(bench.folder.file("az", f"#!/bin/sh\necho '{{\"accessToken\":\"{token}\","
                                         "\"expires_on\":4000000000}'\n"), 0o755)
        one_way(bench, "az command line", "azure_cli",
                {"PATH": f"{bench.folder.path}:{os.environ['PATH']}", **BESIDE})


def test_nobody_signs_in_and_the_file_says_how():
    with Bench() as bench:
        desk = Desk(bench, {"PATH": "/nowhere", **BESIDE})
        made = re.sub("\n# ", " ", desk.init(*flags(bench.fake), *ONE))  # as it reads
        for part in ("Nobody could sign in: ", "az: is not installed", "  tenant_id: 0000",
                     "No subscription was seen.", "  subscriptions: failed"):
            contains(made, part, "what could not be found")
        contains(desk.call("check", "config", desk.out), "is valid", "the result")


def test_nothing_is_written_over():
    with Bench() as bench:
        secret = bench.folder.file("secret", SECRET)
        words = [*flags(bench.fake, **APPLICATION, client_secret_file=secret), *ONE]
        desk = Desk(bench)
        first = desk.init(*words)
        equal(desk.init("--log.level=warn", *words, status=1), first, "the file that was there")
        made = desk.init("--log.level=warn", "--force", *words)
        contains(made, "\nlog:\n  level: warn\n", "what a flag sets")
        equal(os.listdir(bench.path("made")), ["defender_exporter.yml"], "nothing else is left")
        os.unlink(desk.out)
        desk.call("init", desk.out, "slack=/nowhere", *words, status=2)
        desk.call("init", desk.out, "pager=x", *words, status=2)
        desk.call("init", desk.out, "email=relay:25", *words, status=2)
        web = bench.folder.file("web.yml", "nonsense: true\n")
        desk.call("init", desk.out, f"--web.config.file={web}", *words, status=2)
        equal(os.listdir(bench.path("made")), [], "nothing is left of what was refused")


def test_every_receiver_by_words():
    with Bench() as bench:
        file = bench.folder.file("url", SLACK)
        key = bench.folder.file("key", "0123456789abcdef0123456789abcdef")
        secret = bench.folder.file("secret", SECRET)
        desk = Desk(bench)
        made = desk.init(f"slack={file}", f"teams={file}", f"pagerduty={key}", f"webhook={file}",
                         "email=smtp.example.com:587,from@example.com,to@example.com,"
                         "too@example.com",
                         "alertmanager=http://127.0.0.1:9093,http://127.0.0.1:9094",
                         f"slack={file}", *ONE,
                         *flags(bench.fake, **APPLICATION, client_secret_file=secret))
        equal(re.findall("- name: (.*)", made), ["slack", "teams", "pagerduty", "webhook", "email",
                                                 "alertmanager", "slack-2"], "receivers")
        contains(made, 'to: ["to@example.com", "too@example.com"]', "to whom")
        equal("never-printed" in made, False, "a URL is written")
        rules = bench.path("made/rules/findings.yml")
        contains(desk.call("check", "rules", rules), "", "the rules")
        desk.starts("client secret")


def test_what_is_refused_can_be_switched_off():
    with Bench() as bench:
        bench.fake.fault("403:path=assessmentMetadata")
        secret = bench.folder.file("secret", SECRET)
        made = Desk(bench).init(*flags(bench.fake, **APPLICATION, client_secret_file=secret))
        contains(made, "#   catalogue: denied, missing: Microsoft.Security/assessmentMetadata/read",
                 "what is missing")
        contains(made, "#   catalogue: { enabled: false }", "how to do without")


def test_a_name_ends_no_comment():
    with Bench() as bench:
        bench.fake.admin("names", "POST", "x\\nweb: {a: b}\\u2028web: {a: b}\\u0085web: {a: b} ")
        secret = bench.folder.file("secret", SECRET)
        desk = Desk(bench)
        made = desk.init(*flags(bench.fake, **APPLICATION, client_secret_file=secret), *ONE)
        equal(len(re.findall(r"^#   \S+ .*web: \{a: b\}", made, re.M)), 2, "names in comments")
        equal(re.findall("[\u0085\u2028]|^web", made, re.M), [], "what ends a line")
        desk.starts("client secret")


# --- at a terminal ------------------------------------------------------------------------------
class Terminal:
    """The program at a terminal, and somebody who types."""

    def __init__(self, desk, *words):
        self.master, slave = pty.openpty()
        self.said = ""
        self.process = subprocess.Popen([*desk.prefix, EXPORTER, *words], stdin=slave, stdout=slave,
                                        stderr=slave, env=desk.environment)
        os.close(slave)

    def read(self, what, enough):
        end = time.monotonic() + 60 * SLOWNESS
        while not enough(self.said):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"waiting for {what}: {self.said}")
            try:
                self.said += os.read(self.master, 4096).decode()
            except OSError:  # it ended
                contains(self.said if enough(self.said) else "", "", what)
                return

    def answer(self, question, text):
        at = len(self.said)
        self.read(question, lambda said: question in said)
        contains(self.said[max(0, at - 400):], question, "what is asked")
        self.said = ""
        os.write(self.master, text.encode() + b"\n")

    def end(self):
        self.read("the end", lambda said: False)
        os.close(self.master)
        return self.process.wait(60 * SLOWNESS)


def test_at_a_terminal_it_asks():
    with Bench() as bench:
        secret = bench.folder.file("secret", SECRET)
        url = bench.folder.file("url", SLACK)
        desk = Desk(bench, {"PATH": "/nowhere", **BESIDE})
        terminal = Terminal(desk, "init", desk.out, *flags(bench.fake), *ONE)
        terminal.answer("Tenant id: ", TENANT)
        terminal.answer("Client id of the application: ", CLIENT)
        terminal.answer("File that holds its secret (empty: a certificate): ", secret)
        terminal.answer("empty: no more): ", "slack")
        terminal.answer("incoming webhook: ", "/nowhere")
        terminal.answer("empty: no more): ", "pager")
        terminal.answer("empty: no more): ", "slack")
        terminal.answer("incoming webhook: ", url)
        terminal.answer("empty: no more): ", "")
        equal(terminal.end(), 0, "exit status: " + terminal.said)
        made = desk.text()
        contains(made, "# Signed in by: client secret.", "what was found")
        contains(made, f'url_file: "{url}"', "the receiver")
        equal(desk.mode(), 0o600, "mode")
        desk.starts("client secret")


def test_at_a_terminal_nothing_need_be_answered():
    with Bench() as bench:
        desk = Desk(bench, {"PATH": "/nowhere", **BESIDE})
        terminal = Terminal(desk, "init", desk.out, *flags(bench.fake), *ONE)
        terminal.answer("Tenant id: ", "")
        terminal.answer("empty: no more): ", "")
        equal(terminal.end(), 0, "exit status: " + terminal.said)
        contains(desk.text(), "# Nobody could sign in: ", "what was found")
        contains(desk.call("check", "config", desk.out), "is valid", "the result")


if __name__ == "__main__":
    run(globals())
