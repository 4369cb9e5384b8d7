/* Any bytes as the header Authorization: nobody is let in whose password was not checked, and what
 * is to be checked is what the header says. */
#include <strings.h>

#include "core/hash.h"
#include "exporter/web/login.h"
#include "fuzz.h"

static struct login *login(void)
{
    static struct login *login;
    static struct option_pair users[] = {
        { "alice", "$2y$04$BFzHNAb7WBo5u2fFBBZQ1ePWbEFPoiNQEPoGZCfdC9jF1DmlQfNaW" }
    };
    if (!login) {
        const struct option_pairs pairs = { users, ARRAY_COUNT(users) };
        login = login_create(metric_store_create());
        login_configure(login, &pairs);
    }
    return login;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf said = { 0 };
    CLEANUP(buf_finish) struct buf decoded = { 0 };
    const char *text = arena_copy(&arena, (const char *)bytes, count);
    struct login_ask ask = { 0 };
    enum login_answer answer = login_look(login(), text, &ask);
    FUZZ_CHECK(answer == LOGIN_WRONG || answer == LOGIN_UNKNOWN);
    FUZZ_CHECK(answer == LOGIN_WRONG || !strncasecmp(text, "Basic ", 6));
    if (answer == LOGIN_UNKNOWN) {
        buf_printf(&said, "%s:%s", buf_cstr(&ask.user), buf_cstr(&ask.password));
        FUZZ_CHECK(hash_unbase64(text + 6 + strspn(text + 6, " "), &decoded));
        FUZZ_CHECK(!strcmp(buf_cstr(&said), buf_cstr(&decoded)));
    }
    login_ask_finish(&ask);
    return 0;
}
