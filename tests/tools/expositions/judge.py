"""judge.py openmetrics|text FILE: the samples that prometheus_client's parser reads, one JSON array
a line: name, labels, value, exemplar or null. What it refuses is an error."""
import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

kind, path = sys.argv[1:]
with open(path, encoding="utf-8", newline="") as file:
    body = file.read()
for family in {"openmetrics": openmetrics, "text": text}[kind](body):
    for sample in family.samples:
        exemplar = sample.exemplar and [sample.exemplar.labels, sample.exemplar.value,
                                        float(sample.exemplar.timestamp or 0)]
        print(json.dumps([sample.name, sample.labels, str(sample.value), exemplar]))
