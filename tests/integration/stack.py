#!/usr/bin/env python3
"""The files of dashboards/stack are accepted by the programs they are for, and fit together."""
import glob
import os
import re
import shutil
import subprocess

from harness import EXPORTER, ROOT, Folder, Skip, equal, run
from rules import command, mixin, rules_of

STACK = os.path.join(ROOT, "dashboards/stack")


def read(name):
    with open(os.path.join(STACK, name), encoding="utf-8") as file:
        return file.read()


def documents(name):
    try:
        import yaml
    except ImportError:
        raise Skip("python3-yaml is not installed") from None
    return list(yaml.safe_load_all(read(name)))


def test_programs_accept_them():
    with Folder() as folder:
        shutil.copytree(os.path.join(ROOT, "dashboards/prometheus"), folder.path + "/rules")
        file = folder.file("prometheus.yml", read("prometheus.yml"))
        command("promtool", "check", "config", file)
    command("amtool", "check-config", os.path.join(STACK, "alertmanager.yml"))
    for path in glob.glob(STACK + "/**/defender_exporter.yml", recursive=True):
        subprocess.run([EXPORTER, "check", "config", path], stdin=subprocess.DEVNULL, check=True,
                       stdout=subprocess.DEVNULL)


def test_names_are_those_of_the_mixin():
    job = mixin("_config")["job"]
    equal(re.findall(r"job_name: (\w+)", read("prometheus.yml")), [job], "job of Prometheus")
    alerts = {rule["alert"] for rule in rules_of(mixin("prometheusAlerts"))}
    named = re.findall(r'alertname[!=]~?"([\w|]+)"', read("alertmanager.yml"))
    assert named, "no alert is named"
    equal(set("|".join(named).split("|")) - alerts, set(), "alerts nobody has")
    monitor, = documents("kubernetes/servicemonitor.yaml")
    equal(monitor["spec"]["endpoints"][0]["relabelings"],
          [{"targetLabel": "job", "replacement": job}], "job of the Operator")


def test_what_is_in_kubernetes_fits_together():
    kinds = {one["kind"]: one for one in documents("kubernetes/exporter.yaml")}
    monitor, = documents("kubernetes/servicemonitor.yaml")
    service, state = kinds["Service"], kinds["StatefulSet"]["spec"]
    pod = state["template"]["spec"]
    container, = pod["containers"]
    labels = state["template"]["metadata"]["labels"]
    for what, wanted, found in (
            ("monitor", monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"]),
            ("service", service["spec"]["selector"], labels),
            ("set", state["selector"]["matchLabels"], labels)):
        assert wanted.items() <= found.items(), what
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    equal({port["name"]: port["port"] for port in service["spec"]["ports"]}, ports, "ports")
    equal([end["port"] for end in monitor["spec"]["endpoints"]], list(ports), "scraped ports")
    equal({one["name"]: one["mountPath"] for one in container["volumeMounts"]}.keys(),
          {one["name"] for one in pod["volumes"]}
          | {one["metadata"]["name"] for one in state["volumeClaimTemplates"]}, "volumes")
    kustomization, = documents("kubernetes/kustomization.yaml")
    for path in kustomization["resources"] + kustomization["configMapGenerator"][0]["files"]:
        assert os.path.exists(os.path.join(STACK, "kubernetes", path)), path


def test_files_of_compose_are_there():
    services = documents("compose.yaml")[0]["services"]
    equal(set(services), {"exporter", "prometheus", "alertmanager", "grafana"}, "services")
    mounted = [volume.split(":")[0] for service in services.values()
               for volume in service["volumes"] if volume.startswith(".")]
    for path in mounted:
        if path != "../grafana":
            assert os.path.exists(os.path.join(STACK, path)), path
    equal({service["network_mode"] for service in services.values()}, {"host"}, "networks")


run(globals())
