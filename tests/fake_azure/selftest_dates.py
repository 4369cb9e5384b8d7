#!/usr/bin/env python3
"""The dates of changes of status, as a look at changed rows meets them.

  FAKE_AZURE=build/release/fake_azure tests/fake_azure/selftest_dates.py [test_name...]
"""
import time

from client import Fake, equal, query, run, true

NOW = "1790000000"


def test_the_fast_lane_sees_what_changed_since():
    """Dates of a clock that is ahead, and of rows that are evaluated again without a change."""
    kql, skew = query("assessments_changed_rows"), 300
    with Fake("--assessments", "2000", "--reevaluated", 40, "--date-skew", skew,
              "--now", NOW) as fake:
        def changed(since):
            instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
            return {row["id"]: row for row in fake.rows(kql.replace("{{since}}", instant))}
        before = {row["id"]: row for row in fake.rows(query("assessments_rows"))}
        equal(changed(int(NOW) + 1), {}, "rows that changed before anything did")
        fake.admin("advance?steps=1", "POST")
        after = {row["id"]: row for row in fake.rows(query("assessments_rows"))}
        now = fake.admin("dump")["now"]
        rows = changed(now + skew)
        equal(rows, {key: row for key, row in after.items()
                     if key in rows}, "the rows themselves")
        other = {key for key in after if before.get(key, {}).get("statusCode") !=
                 after[key]["statusCode"]}
        true(other and other <= set(rows), f"changed and not told: {other - set(rows)}")
        true(len(set(rows) - other) >= 30, f"evaluated again: {len(rows)} of {len(other)} changed")
        equal(changed(now + skew + 1), {}, "rows that changed later")


run(globals())
