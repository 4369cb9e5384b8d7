#!/usr/bin/env python3
"""Neither the secret nor a token ever appears in logs, metrics, pages or error texts."""
from harness import (CLIENT, SECRET, TENANT, Exporter, Fake, Folder, contains, equal, run,
                     settings)

PAGES = ("/", "/metrics", "/-/ready", "/-/healthy", "/nothing", "/metrics?collect[]=nothing")
FEDERATED = "eyJhbGciOiJSUzI1NiJ9.federated-token-of-the-cluster.c2lnbmF0dXJl"
TOKEN = "fake-token~"  # every token of the stand-in begins so


def search(exporter, *more):
    """Look for every secret in everything that leaves the program."""
    texts = {"the log": exporter.log, "an answer": "".join(more)}
    for page in PAGES:
        answer = exporter.get(page)
        texts[page] = str(answer.headers) + answer.text
    for where, text in texts.items():
        for word in (SECRET, FEDERATED, TOKEN):
            if word in text:
                raise AssertionError(f"{word[:8]}... appears in {where}")


def identity(fake, **more):
    return {"azure": {"tenant_id": TENANT, "client_id": CLIENT, "authority_host": fake.url,
                      "resource_manager": fake.url, **more}}


def visit(config_of, *arguments, environment=None, ready=True):
    """Collect, reload, and search; config_of(fake, folder) is the configuration."""
    with Folder() as folder, Fake("--seed", "9", "--subscriptions", "2", "--assessments", "200",
                                  "--federated-token", FEDERATED, *arguments) as fake:
        with Exporter(folder, config_of(fake, folder), "--log.level=debug",
                      "--web.enable-lifecycle", environment=environment) as exporter:
            if ready:
                exporter.wait_ready()
                equal(fake.admin("stats")["tokensIssued"] > 0, True, "tokens handed out")
            else:
                exporter.wait_answering()
                exporter.wait_for("level=(WARN|ERROR)")
            search(exporter, exporter.get("/-/reload", method="POST").text)
            folder.file("defender_exporter.yml", {**config_of(fake, folder), "nonsense": SECRET})
            refused = exporter.get("/-/reload", method="POST")
            equal(refused.status, 500, "reload of a wrong file")
            contains(refused.text, "nonsense", "reload of a wrong file")
            search(exporter, refused.text)


def test_secret_in_a_file():
    visit(lambda fake, folder: settings(fake.url, folder.file("secret", SECRET + "\n")))


def test_secret_in_the_configuration():
    visit(lambda fake, folder: identity(fake, client_secret=SECRET))


def test_secret_in_the_environment():
    visit(lambda fake, folder: identity(fake), environment={"AZURE_CLIENT_SECRET": SECRET})


def test_federated_token():
    visit(lambda fake, folder: identity(
        fake, federated_token_file=folder.file("token", FEDERATED)))


def test_managed_identity():
    with Fake() as other:
        visit(lambda fake, folder: {"azure": {"resource_manager": fake.url}},
              environment={"AZURE_POD_IDENTITY_AUTHORITY_HOST": other.url}, ready=False)


def test_refused_secret():
    """The answer to a refused secret does not carry it further."""
    visit(lambda fake, folder: identity(fake, client_secret=SECRET), "--secret", "another",
          ready=False)


def test_tokens_that_azure_refuses():
    for fault in ("401", "expired-token", "403", "invalid-json"):
        visit(lambda fake, folder: identity(fake, client_secret=SECRET), "--fault", fault,
              ready=False)


run(globals())
