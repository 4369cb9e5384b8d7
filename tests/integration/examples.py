#!/usr/bin/env python3
"""Examples work as they stand: rules and their tests, receivers, configurations in documents."""
import os
import re
import subprocess

from harness import EXPORTER, ROOT, SLOWNESS, Folder, contains, documents, equal, run
from sink import Sink

EXAMPLES = os.path.join(ROOT, "packaging/examples")
SECRETS = "/etc/defender_exporter/secrets"
SECRET_TEXTS = {"webhook_signing_secret": "whsec_" + "A" * 43 + "=",
                "otlp_headers": "api-key=a,tenant=b"}


def command(*words):
    return subprocess.run([EXPORTER, *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, timeout=60 * SLOWNESS)


def read(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


def check(folder, text, what):
    """A configuration beside the example rules, with secrets where it looks for them."""
    os.makedirs(os.path.join(folder.path, "rules"), exist_ok=True)
    folder.file("rules/rules.yml", read("rules/rules.yml"))
    for name in re.findall(SECRETS + r"/(\w+)", text):
        plain = "https://example.com/" if name.endswith("url") else "x" * 32
        secret = SECRET_TEXTS.get(name, plain)
        folder.file(name, secret)
    path = folder.file("defender_exporter.yml", text.replace(SECRETS, folder.path))
    done = command("check", "config", path)
    equal((done.returncode, done.stderr), (0, ""), what)


def test_rules_and_their_tests():
    done = command("test", "rules", os.path.join(EXAMPLES, "rules", "rules_test.yml"))
    equal((done.returncode, done.stderr), (0, ""), "test rules\n" + done.stdout)
    contains(done.stdout, "SUCCESS", "test rules")


def test_every_kind_of_news_has_a_rule():
    rules = read("rules/rules.yml")
    for name in ("finding.opened", "finding.overdue", "baseline.rule_regressed", "plan.disabled",
                 "score.dropped", "attack_path.opened", "security_alert.opened",
                 "remediation.failed"):
        contains(rules, name, "an event of the example rules")
    for name in ("defender_secure_score_ratio", "defender_compliance_ratio",
                 "defender_unassessed_machines", "defender_exemptions_expiring",
                 "defender_subassessment_exploitable_findings"):
        contains(rules, f"metric: {name}\n", "a metric of the example rules")


def test_rule_tests_notice_another_rule():
    with Folder() as folder:
        folder.file("rules.yml", read("rules/rules.yml").replace("min_age: 1h", "min_age: 2h"))
        done = command("test", "rules", folder.file("rules_test.yml", read("rules/rules_test.yml")))
        equal(done.returncode, 1, "test rules\n" + done.stdout)
        contains(done.stdout, "FAILED", "test rules")


def test_receivers():
    names = os.listdir(os.path.join(EXAMPLES, "alerts"))
    assert len(names) > 5, names
    for name in names:
        with Folder() as folder:
            check(folder, read("alerts/" + name), name)


BODIES = {  # what of a test message stands where
    "google_chat": lambda body: body["cardsV2"][0]["card"]["header"]["title"],
    "mattermost": lambda body: body["attachments"][0]["title"],
    "discord": lambda body: body["embeds"][0]["title"],
    "ntfy": lambda body: body["title"],
    "ocsf": lambda body: body[0]["message"],
}


def test_bodies_arrive():
    """The examples with a body of their own, over the path of real messages."""
    for name, title_of in BODIES.items():
        with Folder() as folder, Sink() as sink:
            text = read(f"alerts/{name}.yml")
            if name == "ocsf":
                text = text.replace("        http:", "        http:\n          allow_private: true")
                folder.file("ocsf_token", "x" * 32)
            else:
                text = text.replace("        body:", "        http: { allow_private: true }\n"
                                                     "        body:")
            folder.file(name + "_url", sink.url)
            os.makedirs(os.path.join(folder.path, "rules"))
            folder.file("rules/rules.yml", read("rules/rules.yml"))
            path = folder.file("defender_exporter.yml", text.replace(SECRETS, folder.path))
            receiver = re.search(r"- name: (\w+)", text)[1]
            done = command(f"--config.file={path}", f"--storage.path={folder.path}", "test",
                           "receiver", receiver)
            equal(done.returncode, 0, done.stdout + done.stderr)
            fires, over = sink.messages
            for message in (fires, over):
                title = title_of(message["body"]).replace("\\", "")
                contains(title, "[TEST]", f"{name}: {message['raw']}")
                equal(message["headers"]["Content-Type"], "application/json", name)
            equal(fires["body"] == over["body"], False, f"{name}: what fires and what is over")


def blocks(key):
    """Blocks of YAML that begin with a key, of the README and of docs."""
    found = [block for text in documents().values()
             for block in re.findall(rf"```yaml\n({key}:.*?)```", text, re.S)]
    assert found, f"no document has a block with {key}"
    return found


def test_configurations_in_documents():
    for block in blocks("alerts") + blocks("collectors") + blocks("otlp"):
        with Folder() as folder:
            check(folder, block, block)


def test_rules_in_documents():
    for block in blocks("groups"):
        with Folder() as folder:
            collectors = [part.removeprefix("collectors:\n") for part in blocks("collectors")]
            config = folder.file("defender_exporter.yml", "collectors:\n" + "".join(collectors))
            done = command("check", "rules", f"--config.file={config}",
                           folder.file("rules.yml", block))
            equal((done.returncode, done.stderr), (0, ""), block)
    for block in blocks("rule_files"):
        with Folder() as folder:
            folder.file("rules.yml", read("rules/rules.yml"))
            done = command("test", "rules", folder.file("rules_test.yml", block))
            equal((done.returncode, done.stderr), (0, ""), block + done.stdout)


run(globals())
