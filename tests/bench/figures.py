"""Figures of benches: one line each, with its goal and whether it holds. $FIGURES names a file that
takes them, too, as lines of JSON: table.py makes a page of these."""
import json
import os


def figure(what, value, unit="", most=None):
    """Print one, and return whether it holds. most: None = without a goal; unit "x": a ratio."""
    holds = None if most is None else value <= most
    goal = "" if most is None else f"<= {most:g} {unit}"
    verdict = "" if holds is None else "holds" if holds else "OVER"
    print(f"{what[:72]:72} {value:10.4g} {unit:4} {goal:14} {verdict}", flush=True)
    if os.environ.get("FIGURES"):
        with open(os.environ["FIGURES"], "a", encoding="utf-8") as file:
            json.dump({"what": what, "value": value, "unit": unit, "most": most}, file)
            file.write("\n")
    return holds is not False
