"""Labels: a sample has as many as its family, a family as many as its type says."""

PRELUDE = """
#include "core/metric.h"
static const double buckets[] = { 1, 2 };
static const struct family_0 none = { .name = "none", .help = "None." };
static const struct family_2 two = { .name = "two", .help = "Two.", LABELS("a", "b"), .level = 1 };
static const struct family_1 delay = {
    .name = "delay_seconds", .type = METRIC_HISTOGRAM, .buckets = buckets, .bucket_count = 2,
    .help = "Delay.", LABELS("a"),
};
static const struct family *const families[] = { &none.family, &two.family, &delay.family, NULL };
"""


def call(line):
    return ("void emit(struct metric_set *set, struct metric_store *store,\n"
            "          const struct metric_histogram *histogram, const char *text)\n"
            "{\n    " + line + "\n    (void)families;\n}\n")


def family(number, labels):
    return (f"static const struct family_{number} other = "
            f'{{ .name = "other", .help = "Other.", LABELS({labels}) }};\n')


CASES = (
    ("as many as the family has", None, call("""
    const struct metric_labels_2 *both = METRIC_LABELS(text, "x");
    metric_add(set, &none, 1, METRIC_LABELS());
    metric_add(set, &two, 1, METRIC_LABELS(text, "x"));
    metric_add(set, &two, 1, both);
    metric_add_histogram(set, &delay, histogram, NULL, METRIC_LABELS(text));
    metric_declare(store, &two, both);
    metric_count(store, &two, 1, both);
    metric_put(store, &two, metric_read(store, &two, both), both);
    metric_observe(store, &delay, 1, METRIC_LABELS(NULL));""")),
    ("families of one label and of eight", None,
     family(1, '"a"') +
     family(8, '"a", "b", "c", "d", "e", "f", "g", "h"').replace("other", "most")),
    ("one label of two", "metric_labels_1", call('metric_add(set, &two, 1, METRIC_LABELS("x"));')),
    ("three labels of two", "metric_labels_3",
     call('metric_add(set, &two, 1, METRIC_LABELS("x", text, "y"));')),
    ("no label of two", "metric_labels_0", call("metric_count(store, &two, 1, METRIC_LABELS());")),
    ("a label too much", "metric_labels_1",
     call('metric_put(store, &none, 1, METRIC_LABELS("x"));')),
    ("no labels at all", "", call("metric_declare(store, &two, NULL);")),
    ("a histogram's", "metric_labels_2",
     call("metric_add_histogram(set, &delay, histogram, NULL, METRIC_LABELS(text, text));")),
    ("an observation's", "metric_labels_0",
     call("metric_observe(store, &delay, 1, METRIC_LABELS());")),
    ("read", "metric_labels_1", call("(void)metric_read(store, &two, METRIC_LABELS(text));")),
    ("labels kept for another family", "metric_labels_1", call("""
    const struct metric_labels_1 *one = METRIC_LABELS(text);
    metric_add(set, &two, 1, one);""")),
    ("a family of unknown labels", "family",
     call("metric_add(set, families[1], 1, METRIC_LABELS());")),
    ("a family with fewer labels than its type", "labels_1", family(2, '"a"')),
    ("a family with more labels than its type", "labels_3", family(2, '"a", "b", "c"')),
    ("a family with labels that should have none", "labels_1", family(0, '"a"')),
)

LABELS = (PRELUDE, CASES)
