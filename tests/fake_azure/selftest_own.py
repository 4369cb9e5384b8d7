#!/usr/bin/env python3
"""The stand-in answers what an operator may write, and refuses the rest as Azure does."""
from client import Fake, equal, error_of, run, true


def test_queries_of_an_operator():
    text = ("// machines\nresources\n| where type contains 'virtualmachines' and location =~ 'X'\n"
            "| project id, n = properties.cores, low = tolower(name) | order by id desc")
    with Fake("--assessments", "600") as fake:
        everything = fake.rows("resources | order by id asc")
        true(len(everything) > 20, "a tenant of many resources")
        place = everything[0]["location"]
        rows = fake.rows(text.replace("'X'", f"'{place.upper()}'"))
        wanted = [row for row in everything
                  if "virtualmachines" in row["type"] and row["location"] == place]
        equal([row["id"] for row in rows], [row["id"] for row in reversed(wanted)], "ids")
        equal([row["n"] for row in rows],
              [row["properties"]["cores"] for row in reversed(wanted)], "cores")
        counts = fake.rows("resources | summarize n = count() by location | order by location asc")
        equal(sum(row["n"] for row in counts), len(everything), "counted")
        equal(len(fake.rows("resources | top 3 by name asc")), 3, "the first three")
        page = fake.graph("resources | order by id asc", 7).json()
        equal((page["count"], page["totalRecords"]), (7, len(everything)), "a page")
        rest = fake.graph("resources | order by id asc", 1000, page["$skipToken"]).json()
        equal(page["data"] + rest["data"], everything, "both pages")
        equal(fake.graph("resources | order by id desc", 7, page["$skipToken"]).status, 400,
              "another's token")
        for kql, line, position, token in (("resources\n| whre x", 2, 2, "whre"),
                                           ("resources | where", 1, 17, "<EOF>"),
                                           ("resources | project a = no(x)", 1, 24, "no"),
                                           ("resources | where name 'x'", 1, 23, "'")):
            fault = error_of(fake.graph(kql))["details"][1]
            equal((fault["code"], fault["line"], fault["characterPositionInLine"], fault["token"]),
                  ("ParserFailure", line, position, token), kql)


run(globals())
