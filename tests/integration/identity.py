#!/usr/bin/env python3
"""Every way to sign in against the stand-in, which Azure's own client accepts by the same ways."""
import os
import shutil
import subprocess

from certificates import Authority
from fetched import node_folder
from harness import (CLIENT, EXPORTER, SECRET, SLOWNESS, TENANT, Exporter, Fake, Folder, Skip,
                     contains, equal, fetch, run, settings)

ONLY = {"collector": {"disable_defaults": True}, "collectors": {"subscriptions": {"enabled": True}}}
ARC_FOLDER = "/var/opt/azcmagent/tokens"


class Bench:
    """The stand-in with certificates of its own: for TLS, and of the application."""

    def __init__(self, *options, certificate=False):
        self.options, self.certificate = options, certificate

    def __enter__(self):
        self.folder = Folder()
        self.folder.__enter__()
        try:
            self.authority = Authority(self.folder)
            options = self.options
            if self.certificate:
                self.cert, self.key = self.authority.issue("app", use="clientAuth",
                                                           algorithm="rsa")
                options = (*options, "--client-certificate", self.cert)
            self.fake = Fake("--tls", *self.authority.issue("server"), "--subscriptions", "2",
                             "--assessments", "100", *options)
        except BaseException:
            self.folder.__exit__()
            raise
        return self

    def __exit__(self, *why):
        self.fake.__exit__(*why)
        self.folder.__exit__()

    def path(self, name):
        return os.path.join(self.folder.path, name)

    def pem(self, name="app.pem", key=None):
        """The certificate and its key in one file."""
        with open(self.cert, encoding="ascii") as cert, \
             open(key or self.key, encoding="ascii") as own:
            return self.folder.file(name, own.read() + cert.read())

    def collect(self, azure, environment=None, prefix=(), status=0):
        """What the program says in one run of its first collector."""
        hosts = {"resource_manager": self.fake.url, "authority_host": self.fake.url}
        config = self.folder.file("config.yml", {"azure": {**hosts, **azure}, **ONLY})
        done = subprocess.run(
            [*prefix, EXPORTER, "run", "--once", f"--config.file={config}",
             f"--storage.path={self.folder.path}/state"], stdin=subprocess.DEVNULL, text=True,
            capture_output=True, check=False, timeout=60 * SLOWNESS,
            env={"PATH": os.environ["PATH"], "SSL_CERT_FILE": self.authority.cert,
                 **(environment or {})})
        equal(done.returncode, status, f"{azure}: {done.stderr}")
        return done.stderr

    def judge(self, way, *more, environment=None, prefix=()):
        """Azure's own client signs in, and its token opens the stand-in's door."""
        folder = node_folder("clients", "identity.js")
        done = subprocess.run(
            [*prefix, "node", folder + "/identity.js", way, self.fake.url, TENANT, CLIENT, *more],
            cwd=folder, stdin=subprocess.DEVNULL, text=True, capture_output=True, check=False,
            timeout=120 * SLOWNESS,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": self.authority.cert, **(environment or {})})
        equal(done.returncode, 0, f"{way} by Azure's client: {done.stderr[-2000:]}")
        answer = fetch(self.fake.url + "/subscriptions?api-version=2022-12-01",
                       headers={"Authorization": "Bearer " + done.stdout})
        equal(answer.status, 200, f"what opens the token of {way}")


APPLICATION = {"tenant_id": TENANT, "client_id": CLIENT}


# --- certificates ------------------------------------------------------------------------------
def test_a_certificate_in_every_form_it_comes_in():
    with Bench(certificate=True) as bench:
        pem = bench.pem()
        locked, pfx = bench.path("locked.key"), bench.path("app.pfx")
        bench.authority.openssl("rsa", "-aes256", "-passout", "pass:open", "-in", bench.key,
                                "-out", locked)
        bench.authority.openssl("pkcs12", "-export", "-passout", "pass:open", "-in", bench.cert,
                                "-inkey", bench.key, "-out", pfx)
        password = {"client_certificate_password_file": bench.folder.file("password", "open\n")}
        for azure in ({"client_certificate_file": pem},
                      {"client_certificate_file": pem, "client_certificate_algorithm": "RS256"},
                      {"client_certificate_file": bench.pem("locked.pem", locked), **password},
                      {"client_certificate_file": pfx, **password}):
            contains(bench.collect({**APPLICATION, **azure}), 'by="client certificate"', "the way")
        log = bench.collect(APPLICATION, {"AZURE_CLIENT_CERTIFICATE_PATH": pfx,
                                          "AZURE_CLIENT_CERTIFICATE_PASSWORD": "open"})
        contains(log, 'by="client certificate"', "by the environment")


def test_a_certificate_that_does_not_do_is_told_why():
    with Bench(certificate=True) as bench:
        other, other_key = bench.authority.issue("other", use="clientAuth", algorithm="rsa")
        ec_cert, ec_key = bench.authority.issue("curve", use="clientAuth")

        def joined(name, *paths):
            texts = []
            for path in paths:
                with open(path, encoding="ascii") as file:
                    texts.append(file.read())
            return bench.folder.file(name, "".join(texts))
        pfx = bench.path("app.pfx")
        bench.authority.openssl("pkcs12", "-export", "-passout", "pass:open", "-in", bench.cert,
                                "-inkey", bench.key, "-out", pfx)
        for path, why in (
                (joined("other.pem", other, other_key), "client certificate refused: not one of "
                 "the application's: AADSTS700027"),
                (joined("mixed.pem", other, bench.key), "no certificate belongs to its key"),
                (joined("bare.pem", bench.cert), "has no private key"),
                (joined("curve.pem", ec_cert, ec_key), "its key is no RSA key"),
                (pfx, "the password does not open it"),
                (bench.folder.file("text", "no certificate"), "has no private key"),
                (bench.path("none"), "No such file")):
            log = bench.collect({**APPLICATION, "client_certificate_file": path}, status=1)
            contains(log, why, path)


def test_a_replaced_certificate_needs_no_reload():
    with Bench(certificate=True) as bench:
        path = bench.pem()
        config = settings(bench.fake.url, "", {"subscriptions": {"interval": "1s"}})
        del config["azure"]["client_secret_file"]
        config["azure"]["client_certificate_file"] = path
        with Exporter(bench.folder, config,
                      environment={"SSL_CERT_FILE": bench.authority.cert}) as exporter:
            exporter.wait_ready()
            other, key = bench.authority.issue("other", use="clientAuth", algorithm="rsa")
            with open(other, encoding="ascii") as cert, open(key, encoding="ascii") as own:
                bench.folder.file("app.pem", cert.read() + own.read())
            exporter.wait_for("token not renewed, the old one is still valid.*AADSTS700027")
            equal(exporter.get("/-/ready").status, 200, "the token that is valid serves")


def test_azures_client_signs_the_same():
    with Bench(certificate=True) as bench:
        bench.judge("certificate", bench.pem())


# --- other ways --------------------------------------------------------------------------------
def test_a_workload_identity():
    with Bench("--federated-token", "eyJ.token.x") as bench:
        path = bench.folder.file("token", "eyJ.token.x")
        log = bench.collect({}, {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT,
                                 "AZURE_FEDERATED_TOKEN_FILE": path})
        contains(log, 'by="workload identity"', "the way")
        bench.judge("workload", path)


def test_app_service():
    with Bench("--identity-header", "platform-key") as bench:
        environment = {"IDENTITY_ENDPOINT": bench.fake.url + "/msi/token",
                       "IDENTITY_HEADER": "platform-key"}
        contains(bench.collect({}, environment), 'by="managed identity"', "the way")
        contains(bench.collect({}, {**environment, "IDENTITY_HEADER": "another"}, status=1),
                 "managed identity refused: Unauthorized", "a wrong header")
        contains(bench.collect({}, {**environment, "AZURE_CLIENT_ID": TENANT}, status=1),
                 "No User Assigned or Delegated Managed Identity found", "an unknown identity")
        bench.judge("managed", environment=environment)


def arc_machine(keys):
    """Words that run a program where Azure Arc's folder is this one."""
    words = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", "/var/opt", "--bind", keys, ARC_FOLDER]
    if not shutil.which("bwrap") or subprocess.run([*words, "true"], check=False).returncode:
        raise Skip("no bwrap that works on this machine")
    return words


def test_a_machine_of_azure_arc():
    with Folder() as keys, Bench("--arc-keys", keys.path) as bench:
        prefix = arc_machine(keys.path)
        endpoint = bench.fake.url + "/metadata/identity/oauth2/token"
        environment = {"IDENTITY_ENDPOINT": endpoint, "IMDS_ENDPOINT": bench.fake.url}
        log = bench.collect({}, environment, prefix)
        contains(log, 'by="managed identity"', "the way")
        contains(bench.collect({}, environment, status=1), "key file of azure arc", "no folder")
        contains(bench.collect(APPLICATION, environment, status=2), "has one identity", "a client")
        bench.judge("managed", environment=environment, prefix=prefix)


def test_who_is_logged_in_with_az():
    with Bench() as bench:
        token = fetch(f"{bench.fake.url}/metadata/identity/oauth2/token?api-version=2018-02-01"
                      "&resource=https%3A%2F%2Fmanagement.azure.com%2F",
                      headers={"Metadata": "true"}).json()["access_token"]
        program = bench.folder.file("az", (
            "#!/bin/sh\n[ \"$1 $2\" = 'account get-access-token' ] || exit 1\n"
            f"echo '{{\"accessToken\":\"{token}\",\"expires_on\":4000000000,"
            "\"expiresOn\":\"2096-10-02 09:06:40.000000\"}'\n"))
        os.chmod(program, 0o755)
        environment = {"PATH": f"{bench.folder.path}:{os.environ['PATH']}",
                       "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}
        contains(bench.collect({}, environment), 'by="az command line"', "the way")
        bench.judge("az", environment=environment)


def test_nothing_works_and_each_is_told_why():
    with Bench() as bench:
        log = bench.collect({}, {"PATH": "/nowhere", "AZURE_POD_IDENTITY_AUTHORITY_HOST":
                                 "http://127.0.0.1:1"}, status=1)
        for part in ("client secret: AZURE_CLIENT_SECRET is not set", "managed identity: connection"
                     " refused", "az command line: az: is not installed"):
            contains(log, part, "why")


def test_what_azure_demands_of_a_token_is_asked_for():
    with Bench() as bench:
        bench.fake.fault("claims")
        secret = bench.folder.file("secret", SECRET)
        log = bench.collect({**APPLICATION, "client_secret_file": secret})
        contains(log, "Azure demands more of the token", "the demand")
        equal(bench.fake.admin("stats")["endpoints"]["token"]["requests"], 2, "tokens")


if __name__ == "__main__":
    run(globals())
