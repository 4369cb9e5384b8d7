#!/usr/bin/env python3
"""Plants errors into the program, one at a time, and sees the simulator find each within so many
days: one that finds none of them proves nothing.

  planted.py FOLDER [NAME...]     all of them, or these; FOLDER is for copies of the tree and builds

An error is text of a source that becomes another. Exit status 1: one was not found, or no longer
fits its source. What each means for who trusts the program is in docs/reliability.md.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

import simulation

DAYS = 60  # within which each is to be found, unless it says otherwise
KILLED = 1000000  # the first of the seeds in which lives are killed all day long

# Name: file, what stands there, what is planted there, how many days it may take, and the first
# seed, when that is another.
ERRORS = {
    "two_transactions": (
        "alerts/evaluation.c", "error) || !happen(step, error))",
        "error) || !happen(step, error) ||\n"
        "        !database_commit(evaluation->database, error) ||\n"
        "        !database_begin(evaluation->database, error))",
        DAYS, KILLED),
    "memory_ahead_of_the_database": (
        "alerts/evaluator.c", "evaluator->reload && !ledger_reload(evaluator->ledger, error)",
        "false && !ledger_reload(evaluator->ledger, error)", DAYS),
    "carried_rows_end": (
        "alerts/ledger/ledger_merge.c", """            merge->frozen[ours] = part->cover[i].carried;
            merge->covered[ours] = ledger_cover_has(&part->cover[i]) && !part->cover[i].gaps;""",
        "            merge->covered[ours] = true;", DAYS),
    "silence_is_believed": ("collectors/run/none.c", "= is_silent(&doubt, i);",
                            "= false && is_silent(&doubt, i);", 2 * DAYS),
    "noted_before_it_is_sent": ("alerts/notify/lane.c", "    if (!attempt_message(step,",
                                """    struct database *database = lane->database;
    if (!outbox_mark_sent(database, message->id, 200, step->now, error) ||
        !attempt_message(step,""", DAYS),
    "another_id_each_attempt": ("alerts/notify/lane.c", "    notification.id = message->id;",
                                """    char again[OUTBOX_ID_BYTES];
    memcpy(again, message->id, sizeof again);
    again[sizeof again - 2] = (char)('A' + message->attempts % 26);
    notification.id = again;""", DAYS),
    "busy_is_accepted": ("alerts/receivers/receiver.c", """    if (status / 100 == 2)
        return""", """    if (status / 100 == 2 || status == 503)
        return""", DAYS),
    "silent_receivers_are_given_up": (
        "alerts/notify/lane.c", "result->outcome = attempt->verdict.outcome;",
        "result->outcome = attempt->status ? attempt->verdict.outcome : RECEIVER_REFUSED;", DAYS),
    "soon_given_up": ("alerts/notify/outbox.c", ".expires_at = now + expires_s,",
                      ".expires_at = now + expires_s / 100,", DAYS),
    "the_same_id_twice": ("alerts/notify/outbox.c",
                          "now_ms > clock->last_ms ? now_ms : clock->last_ms + 1;\n",
                          "now_ms;\n    memset(random, 0, sizeof random);\n", DAYS),
    "the_body_changes": ("alerts/notify/lane.c", "    notification.id = message->id;",
                         "    notification.id = message->id;\n"
                         "    notification.firing_count += message->attempts;", DAYS),
    "no_second_episode": ("alerts/ledger/ledger_merge.c", ".episode = past.episode + 1,",
                          ".episode = 1,", DAYS),
    "adopted_after_each_start": ("alerts/ledger/ledger_merge.c",
                                 ".adopting = !ledger->sources[source->index].adopted,",
                                 ".adopting = !ledger->sources[source->index].adopted || "
                                 "ledger->sources[source->index].generation == UINT64_MAX,", DAYS),
    "a_reload_forgets_who_was_told": (
        "alerts/evaluation.c", "(!rekey_once(evaluation->database, evaluation->settings,",
        """(!database_run(database_prepare(evaluation->database, "DELETE FROM group_member"),
                       error) ||
         !rekey_once(evaluation->database, evaluation->settings,""", DAYS),
    "healthy_is_overlooked": ("alerts/ledger/ledger_merge.c",
                              "said ? &part->closed[closed] : NULL",
                              "false && said ? &part->closed[closed] : NULL", DAYS),
    "no_witness": ("collectors/run/prove.c",
                   "return inquiry->seen[asked->kind] ? PROOF_DELETED : PROOF_NONE;",
                   "return PROOF_DELETED;", DAYS),
    "much_at_once_is_believed": ("alerts/ledger/ledger_thinned.c", "thinned[i] = all >= FEW &&",
                                 "thinned[i] = all > source->count &&", DAYS),
    "odd_rows_hide_for_an_hour": ("collectors/run/cover.c", "enum { GAPS_S = 86400 };",
                                  "enum { GAPS_S = 3600 };", DAYS),
    "accepted_is_not_noted": (
        "alerts/notify/lane.c", "result->outcome = attempt->verdict.outcome;",
        """result->outcome = attempt->verdict.outcome == RECEIVER_SENT && !message->attempts
                          ? RECEIVER_RETRY
                          : attempt->verdict.outcome;""", DAYS),
    "stale_for_ever": ("alerts/ledger/watch.c",
                       "(!told || add_data_event(watch, EVENT_DATA_RECOVERED, \"\", name,",
                       "(!told || true || add_data_event(watch, EVENT_DATA_RECOVERED, \"\", name,",
                       DAYS),
}


def run(words, folder):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")


class Copy:
    """A copy of the tree and its build, of the life alone: the world is as it was."""

    def __init__(self, folder):
        self.tree, self.build = os.path.join(folder, "tree"), os.path.join(folder, "build")
        shutil.rmtree(self.tree, ignore_errors=True)
        run(["git", "clone", "--quiet", "--shared", simulation.ROOT, self.tree], ".")
        for part in subprocess.run(["git", "diff", "--name-only", "HEAD"], cwd=simulation.ROOT,
                                   capture_output=True, text=True, check=True).stdout.split():
            shutil.copy(os.path.join(simulation.ROOT, part), os.path.join(self.tree, part))
        run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja",
             "-DCMAKE_BUILD_TYPE=RelWithDebInfo"], ".")

    def life(self, change=None):
        """Build a life, with that change, and take it back."""
        if change:
            path = os.path.join(self.tree, change[0])
            with open(path, encoding="utf-8") as file:
                before = file.read()
            if before.count(change[1]) != 1:
                return f"{change[0]} has it {before.count(change[1])} times"
            with open(path, "w", encoding="utf-8") as file:
                file.write(before.replace(change[1], change[2]))
        try:
            run(["cmake", "--build", self.build, "--target", "simulated_life"], ".")
        except SystemExit as error:
            return f"does not build: {error}"
        finally:
            if change:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(before)
        simulation.LIFE = os.path.join(self.build, "simulated_life")
        return None


def find(days, seed=1):
    """The first violation: seed, day, what; None when there is none."""
    lived = 0
    while lived < days:
        wanted = min(simulation.days_of(seed), days - lived)
        one, _ = simulation.live_somewhere(seed, wanted)
        if one.violations:
            at, what = min(one.violations)
            day = lived + (1 + (at - one.first_at) // 86400 if at else wanted)
            return seed, day, what
        lived += wanted
        seed += 1
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    os.makedirs(words.folder, exist_ok=True)
    copy, lost = Copy(os.path.abspath(words.folder)), []
    for name in words.names or ERRORS:
        began = time.monotonic()
        wrong = copy.life(ERRORS[name][:3])
        found = None if wrong else find(*ERRORS[name][3:])
        if not found:
            lost.append(name)
        print(f"{name}: " + (wrong or ("not found" if not found else
                                       f"seed {found[0]}, day {found[1]}, {found[2]}"))
              + f" ({time.monotonic() - began:.0f} s)", flush=True)
    sys.exit(f"not found: {', '.join(lost)}" if lost else 0)


if __name__ == "__main__":
    main()
