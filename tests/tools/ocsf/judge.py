"""judge.py VERSION < events: what the published schema says of OCSF events, one JSON object a line.

Prints a line for each event, "ok ..." or "FAILED ...". First it shows that it refuses something."""
import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

SCHEMA = OcsfJsonSchemaEmbedded(get_ocsf_schema(sys.argv[1]))
validators = {}


def wrong_with(event):
    """What the definition of its class with its profiles refuses."""
    name = SCHEMA.lookup_class_name_from_uid(event["class_uid"])
    profiles = tuple(event["metadata"].get("profiles", []))
    if (name, profiles) not in validators:
        definition = SCHEMA.get_class_schema(name, list(profiles))
        validators[name, profiles] = jsonschema.Draft202012Validator(definition)
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}"
            for error in validators[name, profiles].iter_errors(event)]


for line in sys.stdin:
    event = json.loads(line)
    assert wrong_with({**event, "time": "today"}) and wrong_with({**event, "colour": "red"})
    wrong = wrong_with(event)
    print("FAILED" if wrong else "ok", event["class_name"], *wrong)
