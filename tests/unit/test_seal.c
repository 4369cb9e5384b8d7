#include "exporter/web/seal.h"

#include <string.h>

#include "core/compiler.h"
#include "test.h"

TEST(a_seal_is_of_one_process_user_and_act)
{
    static const struct {
        const char *user, *act;
    } others[] = { { "bob", "/silences/new" },
                   { "alice", "/silences/1" },
                   { "", "alice/silences/new" },
                   { "alice/silences", "/new" } };
    struct seal seal, other;
    char text[SEAL_BYTES], wrong[SEAL_BYTES];
    seal_init(&seal);
    seal_init(&other);
    seal_text(&seal, "alice", "/silences/new", text);
    CHECK_INT(strlen(text), SEAL_BYTES - 1);
    CHECK(seal_fits(&seal, "alice", "/silences/new", text));
    CHECK(!seal_fits(&other, "alice", "/silences/new", text));
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        CHECK(!seal_fits(&seal, others[i].user, others[i].act, text));
    for (size_t i = 0; i < sizeof text - 1; i++) { /* each of its characters counts */
        memcpy(wrong, text, sizeof wrong);
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        CHECK(!seal_fits(&seal, "alice", "/silences/new", wrong));
    }
    CHECK(!seal_fits(&seal, "alice", "/silences/new", NULL));
    CHECK(!seal_fits(&seal, "alice", "/silences/new", ""));
    text[SEAL_BYTES - 2] = 0;
    CHECK(!seal_fits(&seal, "alice", "/silences/new", text));
}
