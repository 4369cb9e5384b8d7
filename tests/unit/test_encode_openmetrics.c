#include "exporter/formats/encode_openmetrics.h"

#include <locale.h>

#include "exposition_world.h"

static const struct encoding_options plain, created = { .created_lines = true };

TEST(openmetrics_equals_the_golden_file_in_every_locale)
{
    static const char *const locales[] = { "C", "de_DE.UTF-8" };
    for (size_t i = 0; i < ARRAY_COUNT(locales); i++) {
        if (!setlocale(LC_ALL, locales[i]))
            printf("skipped: locale %s is not installed\n", locales[i]);
        exposition_check("openmetrics 1.0.0", &plain, "openmetrics.txt");
        exposition_check("openmetrics 0.0.1", &plain, "openmetrics.txt");
    }
    setlocale(LC_ALL, "C");
}

TEST(times_of_creation_are_lines_where_they_are_wanted)
{
    exposition_check("openmetrics 1.0.0", &created, "openmetrics_created.txt");
}

TEST(an_empty_set_has_an_end)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    exposition_encode(exposition_format("openmetrics 1.0.0"), &plain, &set, &got);
    CHECK_TEXT(buf_cstr(&got), "# EOF\n");
}

static void encode_with_exemplar(const char *text, struct buf *out)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    const struct metric_exemplar exemplar = { "finding_id", text, 2.5, 0 };
    metric_add_counter(&set, &exposition_used, 7,
                       (&(const struct metric_detail){ .exemplars = &exemplar }), METRIC_LABELS());
    buf_reset(out);
    exposition_encode(exposition_format("openmetrics 1.0.0"), &plain, &set, out);
}

/* Characters are counted and not bytes; the label has ten of the 128. */
TEST(an_exemplar_that_is_too_long_is_left_out)
{
    CLEANUP(buf_finish) struct buf text = { 0 }, got = { 0 };
    for (int i = 0; i < 118; i++)
        buf_text(&text, "ü");
    encode_with_exemplar(buf_cstr(&text), &got);
    CHECK_CONTAINS(buf_cstr(&got), "\ndefender_used_seconds_total 7 # {finding_id=\"üü");
    CHECK_CONTAINS(buf_cstr(&got), "\"} 2.5\n");
    buf_char(&text, '\xff');
    encode_with_exemplar(buf_cstr(&text), &got);
    CHECK_CONTAINS(buf_cstr(&got), "\ndefender_used_seconds_total 7\n");
}

TEST(exemplars_are_escaped_as_labels_are)
{
    CLEANUP(buf_finish) struct buf got = { 0 };
    encode_with_exemplar("a \"b\" \\ \n", &got);
    CHECK_CONTAINS(buf_cstr(&got), "{finding_id=\"a \\\"b\\\" \\\\ \\n\"} 2.5\n");
}

/* What ends otherwise gets its ending, so that nothing is refused. */
TEST(counters_and_infos_without_their_ending_get_it)
{
    static const struct family_0 odd = { .name = "odd", .type = METRIC_COUNTER, .help = "" };
    static const struct family_0 info = { .name = "_info", .type = METRIC_INFO, .help = "" };
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    metric_add(&set, &odd, 1, METRIC_LABELS());
    metric_add(&set, &info, 1, METRIC_LABELS());
    exposition_encode(exposition_format("openmetrics 1.0.0"), &plain, &set, &got);
    CHECK_TEXT(buf_cstr(&got), "# TYPE odd counter\n# HELP odd \nodd_total 1\n"
                               "# TYPE _info info\n# HELP _info \n_info_info 1\n# EOF\n");
}
