#include "collectors/azure/token.h"
#include <stdio.h>

#include "core/clock.h"
#include "test.h"

enum { NOW = 1600000000 }; /* 2020-09-13T12:26:40Z */

/* What an answer with these members says of the token's life; -1 = refused. */
static int64_t life(const char *members)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    CLEANUP(secret_finish) struct secret token = { 0 };
    struct error error;
    int64_t life_s = 0;
    buf_printf(&body, "{\"access_token\":\"tok-tok-tok\"%s}", members);
    if (!token_read(&body, NOW, &token, &life_s, &error))
        return -1;
    CHECK_TEXT(secret_text(&token), "tok-tok-tok");
    return life_s;
}

TEST(every_form_of_a_life_time_is_read)
{
    static const struct {
        const char *members;
        int64_t life_s;
    } cases[] = {
        { ",\"expires_in\":3599", 3599 },
        { ",\"expires_in\":\"3599\"", 3599 },
        { ",\"expires_in\":\"3599.75\"", 3599 },
        { ",\"expires_in\":3599,\"expires_on\":\"1\"", 3599 },
        { ",\"expires_in\":null,\"expires_on\":1600003600", 3600 },
        { ",\"expires_on\":1600003600", 3600 },
        { ",\"expires_on\":\"1600003600\"", 3600 },
        { ",\"expires_on\":\"1600003600.5\"", 3600 },
        { ",\"expires_on\":1600003600000", 3600 },
        { ",\"expires_on\":\"1600003600123\"", 3600 },
        { ",\"expires_on\":\"9/13/2020 1:26:40 PM +00:00\"", 3600 },
        { ",\"expires_on\":\"09/13/2020 13:26:40 +00:00\"", 3600 },
        { ",\"expires_on\":\"09/13/2020 13:26:40\"", 3600 },
        { ",\"expires_on\":\"09/13/2020 03:26:40 PM +02:00\"", 3600 },
        { ",\"expires_on\":\"09/14/2020 12:26:40 AM +00:00\"", 43200 },
        { ",\"expires_on\":\"2020-09-13T13:26:40Z\"", 3600 },
        { ",\"expires_on\":\"2020-09-13T13:26:40.1234567+00:00\"", 3600 },
        { ",\"expires_on\":\"2020-09-13 13:26:40 +00:00\"", 3600 },
        { ",\"expires_on\":\"2020-09-13 13:26:40.000000\"", 3600 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_INT(life(cases[i].members), cases[i].life_s);
        if (life(cases[i].members) != cases[i].life_s)
            printf("  of %s\n", cases[i].members);
    }
}

TEST(what_says_no_life_time_is_used_for_a_short_one)
{
    static const char *const cases[] = {
        "",
        ",\"expires_in\":0",
        ",\"expires_in\":\"-5\"",
        ",\"expires_in\":\"soon\"",
        ",\"expires_in\":{},\"expires_on\":[]",
        ",\"expires_on\":\"\"",
        ",\"expires_on\":\"tomorrow\"",
        ",\"expires_on\":\"13/13/2020 01:00:00 PM +00:00\"",
        ",\"expires_on\":\"09/13/2020 13:26:40 PM +00:00\"",
        ",\"expires_on\":\"0001-01-01T00:00:00Z\"",
        ",\"expires_on\":1599999999", /* over by our clock, which may be wrong */
        ",\"expires_on\":\"nan\"",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_INT(life(cases[i]), TOKEN_SHORT_LIFE_S);
        if (life(cases[i]) != TOKEN_SHORT_LIFE_S)
            printf("  of %s\n", cases[i]);
    }
}

TEST(a_life_has_an_end)
{
    static const char *const cases[] = {
        ",\"expires_in\":1e18",
        ",\"expires_in\":1e308",
        ",\"expires_in\":\"inf\"",
        ",\"expires_in\":\"9223372036854775807\"",
        ",\"expires_on\":1e18",
        ",\"expires_on\":\"1e999\"",
        ",\"expires_on\":\"11/25/2099 11:00:00 PM +00:00\"",
        ",\"expires_on\":\"9999-12-31T23:59:59Z\"",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(life(cases[i]), 2 * 86400);
}

TEST(a_token_that_cannot_be_sent_is_refused)
{
    static const char *const cases[] = { "{}", "{\"access_token\":\"\"}",
                                         "{\"access_token\":\"a\\r\\nEvil: 1\"}",
                                         "{\"access_token\":7}" };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf body = { 0 };
        struct secret token = { 0 };
        struct error error;
        int64_t life_s;
        buf_text(&body, cases[i]);
        CHECK(!token_read(&body, NOW, &token, &life_s, &error));
        CHECK_TEXT(error.message, "token answer without a usable access_token");
        CHECK_TEXT(secret_text(&token), NULL);
    }
}
