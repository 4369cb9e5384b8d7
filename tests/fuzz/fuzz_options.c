/* Any bytes as a configuration: read, refused with reasons, or both; never a crash. A table that
 * accepts them must document itself as something it accepts, too. */
#include <string.h>

#include "core/options.h"
#include "fuzz.h"

struct item {
    const char *name;
    int64_t weight;
    double ratio;
    struct option_items nested;
};
struct config {
    const char *text, *url, *path;
    bool on;
    int64_t count, bytes, interval_ms;
    double ratio;
    int mode, line;
    struct option_texts list;
    struct option_pairs labels;
    struct item section;
    struct option_items items, named;
};

static const char *const words[] = { "slow", "fast", NULL };

/* clang-format off */
static const struct option nested_rows[] = {
    { "weight", OPTION_INTEGER(struct item, weight), .min = 1, .max = 9 },
    { "ratio", OPTION_NUMBER(struct item, ratio), .otherwise = "0.5" },
    { 0 }
};
static const struct option item_rows[] = {
    { "name", OPTION_TEXT(struct item, name), .required = true },
    { "weight", OPTION_INTEGER(struct item, weight) },
    { "nested", OPTION_NAMED(struct item, nested, struct item), .section = nested_rows },
    { 0 }
};
static const struct option rows[] = {
    { "text", OPTION_TEXT(struct config, text), .otherwise = "a",
      OPTION_LINE(struct config, line) },
    { "url", OPTION_URL(struct config, url) },
    { "path", OPTION_PATH(struct config, path) },
    { "on", OPTION_BOOL(struct config, on) },
    { "count", OPTION_INTEGER(struct config, count), .otherwise = "1" },
    { "bytes", OPTION_SIZE(struct config, bytes), .otherwise = "1KiB" },
    { "interval", OPTION_DURATION(struct config, interval_ms), .otherwise = "1m" },
    { "ratio", OPTION_NUMBER(struct config, ratio), .max = 1 },
    { "mode", OPTION_WORD(struct config, mode), .words = words },
    { "list", OPTION_TEXT_LIST(struct config, list), .otherwise = "x,y" },
    { "labels", OPTION_TEXT_MAP(struct config, labels) },
    { "section", OPTION_SECTION(struct config, section), .section = item_rows },
    { "items", OPTION_ITEMS(struct config, items, struct item), .section = item_rows },
    { "named", OPTION_NAMED(struct config, named, struct item), .section = nested_rows },
    { 0 }
};
/* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config config = { 0 };
    options_default(rows, &config, &arena);
    bool ok =
        options_read(rows, "dir/fuzz.yml", (const char *)data, size, &config, &arena, &report);
    FUZZ_CHECK(ok == !report.text.length && ok == !report.count);

    /* The same bytes as one value of each kind, the way flags bring it. */
    char *text = arena_copy(&arena, (const char *)data, size);
    for (const struct option *row = rows; row->type != OPTION_END; row++) {
        FUZZ_CHECK(options_set(rows, row->name, text, "--flag", &config, &arena, &report) ||
                   report.count);
    }
    FUZZ_CHECK(options_set(rows, text, "1", "--flag", &config, &arena, &report) || report.count);
    options_finish(rows, &config);
    return 0;
}
