#!/usr/bin/env python3
"""The Helm chart, and the manifests made of it: what Helm says of them, whether Kubernetes and the
Prometheus Operator have every field, and that the program takes what they give it. --setup builds
Helm and the judge with Go, for scripts/test --all; --write renews packaging/kubernetes."""
import glob
import json
import os
import re
import subprocess
import sys

from fetched import SETTING_UP, TOOLS, built_by_go, set_up, taken_over, text_of
from harness import EXPORTER, ROOT, Folder, Skip, contains, equal, run

CHART = os.path.join(ROOT, "packaging/helm/prometheus-defender-exporter")
PLAIN = os.path.join(ROOT, "packaging/kubernetes")
HELM = "helm.sh/helm/v3/cmd/helm@v3.22.0"


def helm(*arguments, fails=False):
    folder = os.path.join(TOOLS, "helm")
    os.makedirs(folder, exist_ok=True)
    built_by_go(folder, HELM, "Helm", ["env", f"GOBIN={folder}", "go", "install", HELM])
    done = subprocess.run([folder + "/helm", *arguments], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=False)
    equal(done.returncode != 0, fails, f"helm {arguments}: {done.stdout}{done.stderr}")
    return done.stderr if fails else done.stdout


def judge():
    folder = taken_over("manifests", ("main.go", "go.mod", "go.sum"))
    wanted = text_of(folder, "go.mod") + text_of(folder, "main.go")
    built_by_go(folder, wanted, "the judge", ["go", "build", "-o", "manifests", "."])
    return folder + "/manifests"


def judged(text, what):
    done = subprocess.run([judge()], input=text, text=True, capture_output=True, check=False)
    equal(done.returncode, 0, f"{what}: {done.stdout[-3000:]}")
    return done.stdout.split("\n")[:-1]


def rendered(values, *more):
    return helm("template", "release", CHART, "--kube-version", "1.30.0", "-f", values, *more)


def plain():
    text = rendered(PLAIN + "/values.yaml", "--skip-tests")
    text = re.sub(r"^# Source: .*\n", "", text, flags=re.M)
    text = re.sub(r"^ +(helm.sh/chart|app.kubernetes.io/managed-by): .*\n", "", text, flags=re.M)
    return ("# Made of the Helm chart, with values.yaml: tests/integration/charts.py --write\n"
            + text.replace("app.kubernetes.io/instance: release",
                           "app.kubernetes.io/instance: defender-exporter"))


def values():
    found = sorted(glob.glob(CHART + "/ci/*.yaml"))
    assert len(found) >= 10, found
    return found


def objects(text):
    try:
        import yaml
    except ImportError:
        raise Skip("python3-yaml is not installed") from None
    return [one for one in yaml.safe_load_all(text) if one]


def test_helm_takes_the_chart():
    for path in values():
        contains(helm("lint", "--strict", CHART, "-f", path), "0 chart(s) failed", path)


def test_kubernetes_has_every_field():
    for path in values():
        made = judged(rendered(path), path)
        assert any(one.startswith("StatefulSet ") for one in made), made
    everything = judged(rendered(CHART + "/ci/everything.yaml"), "everything")
    kinds = {one.split()[0] for one in everything}
    equal(kinds, {"ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "PrometheusRule", "Service",
                  "ServiceAccount", "ServiceMonitor", "StatefulSet"}, "kinds")
    dashboards = glob.glob(ROOT + "/dashboards/grafana/*.json")
    equal(sum(one.startswith("ConfigMap ") for one in everything), len(dashboards) + 2, "maps")


def test_the_judge_refuses():
    text = rendered(CHART + "/ci/defaults.yaml")
    for old, new in (("replicas: 1", "replica: 1"), ("readOnlyRootFilesystem: true",
                     'readOnlyRootFilesystem: "yes"'), ("kind: Service\n", "kind: Servant\n")):
        done = subprocess.run([judge()], input=text.replace(old, new), text=True,
                              capture_output=True, check=False)
        equal(done.returncode, 1, new)


def test_the_schema_refuses():
    for wrong in ("replicas=2", "persistence.size=much", "workloadIdentity.clientId=me",
                  "probes.scheme=FTP", "serviceMonitor.interval=60", "extraArgs={help}"):
        helm("template", "x", CHART, "--kube-version", "1.30.0", "--set", wrong, fails=True)
    said = helm("template", "x", CHART, "--kube-version", "1.30.0", "--set",
                "workloadIdentity.enabled=true", fails=True)
    contains(said, "workloadIdentity.clientId is needed", "what Helm says")


def test_the_program_takes_its_configuration():
    for path in values():
        for one in objects(rendered(path)):
            text = one.get("data", {}).get("defender_exporter.yml")
            if one["kind"] != "ConfigMap" or text is None or "receivers" in text:
                continue
            with Folder() as folder:
                os.mkdir(folder.path + "/secrets")
                folder.file("secrets/client_secret", "x")
                file = folder.file("defender_exporter.yml", text)
                done = subprocess.run([EXPORTER, "check", "config", file], capture_output=True,
                                      stdin=subprocess.DEVNULL, text=True, check=False)
                equal(done.returncode, 0, f"{path}: {done.stderr}")


def test_flags_are_the_program_s():
    known = subprocess.run([EXPORTER, "--help"], stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, check=True).stdout
    with open(CHART + "/templates/statefulset.yaml", encoding="utf-8") as file:
        flags = re.findall(r"^ +- --([a-z.-]+)", file.read(), re.M)
    assert flags, "no flags"
    for flag in flags:
        assert re.search(rf"^  --(\[no-\])?{re.escape(flag)}(=| |$)", known, re.M), flag


def test_manifests_are_of_the_chart():
    with open(PLAIN + "/defender_exporter.yaml", encoding="utf-8") as file:
        equal(file.read() == plain(), True, "packaging/kubernetes: run charts.py --write")


def test_schema_knows_every_value():
    with open(CHART + "/values.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    own, = objects(open(CHART + "/values.yaml", encoding="utf-8").read())
    equal(own.keys() ^ schema["properties"].keys(), {"global"}, "values and schema")
    for name, value in own.items():
        if isinstance(value, dict) and "properties" in schema["properties"][name]:
            equal(value.keys(), schema["properties"][name]["properties"].keys(), name)


if SETTING_UP:
    set_up("charts.py", lambda: helm("version"), judge)
elif sys.argv[1:] == ["--write"]:
    with open(PLAIN + "/defender_exporter.yaml", "w", encoding="utf-8") as target:
        target.write(plain())
else:
    run(globals())
