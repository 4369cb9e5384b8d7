/* Why nothing can be decided: the reason at once, but a lock only when it lasts. */
#include "alerts/trouble.h"
#include "test.h"

static double shown(struct metric_store *metrics, const char *reason)
{
    return metric_read_values(metrics, &trouble_family.family, METRIC_LABELS(reason)->values);
}

TEST(a_reason_begins_and_ends)
{
    struct metric_store *metrics = metric_store_create();
    struct trouble *trouble = trouble_create(metrics);
    char text[TROUBLE_TEXT_BYTES];
    struct error full = { .code = ERROR_IO, .message = "database or disk is full" };
    CHECK_INT(trouble_get(trouble, text), TROUBLE_NONE);
    CHECK_INT(shown(metrics, "unwritable"), 0);
    CHECK(trouble_note(trouble, DATABASE_FILE_SOUND, &full, 1000));
    CHECK(!trouble_note(trouble, DATABASE_FILE_SOUND, &full, 2000));
    CHECK_INT(trouble_get(trouble, text), TROUBLE_UNWRITABLE);
    CHECK_TEXT(text, "database or disk is full");
    CHECK_INT(shown(metrics, "unwritable"), 1);
    CHECK(trouble_note(trouble, DATABASE_FILE_REMOVED, &full, 3000));
    CHECK_INT(trouble_get(trouble, text), TROUBLE_REMOVED);
    CHECK_INT(shown(metrics, "unwritable"), 0);
    CHECK_INT(shown(metrics, "removed"), 1);
    CHECK(trouble_note(trouble, DATABASE_FILE_SOUND, NULL, 4000));
    CHECK_INT(trouble_get(trouble, text), TROUBLE_NONE);
    CHECK_TEXT(text, "");
    trouble_destroy(trouble);
    metric_store_destroy(metrics);
}

TEST(a_lock_is_trouble_when_it_lasts)
{
    struct metric_store *metrics = metric_store_create();
    struct trouble *trouble = trouble_create(metrics);
    char text[TROUBLE_TEXT_BYTES];
    struct error locked = { .code = ERROR_TIMEOUT, .message = "database is locked" };
    CHECK(!trouble_note(trouble, DATABASE_FILE_SOUND, &locked, 1000));
    CHECK(!trouble_note(trouble, DATABASE_FILE_SOUND, &locked, 10999));
    CHECK(!trouble_note(trouble, DATABASE_FILE_SOUND, NULL, 11000));
    CHECK(!trouble_note(trouble, DATABASE_FILE_SOUND, &locked, 12000));
    CHECK(!trouble_note(trouble, DATABASE_FILE_SOUND, &locked, 21999));
    CHECK(trouble_note(trouble, DATABASE_FILE_SOUND, &locked, 22000));
    CHECK_INT(trouble_get(trouble, text), TROUBLE_LOCKED);
    CHECK_TEXT(text, "database is locked");
    trouble_destroy(trouble);
    metric_store_destroy(metrics);
}
