#include "core/http_mail.h"

#include "test.h"

static const char *const to[] = { "a@x.example", "b@x.example" };

/* The lines of a dialogue and what they come to. */
TEST(replies_are_given_to_their_recipients)
{
    static const struct {
        const char *lines;
        int ended, status;
        const char *body, *refused;
    } cases[] = {
        { "220 hi\n250-r\n250 8BITMIME\n250 m\n250 a\n250 b\n354 go\n250 ok 1\n221 bye\n", 250, 250,
          "250 ok 1", "" },
        { "220 hi\n250 r\n250 m\n550 no a\n250 b\n354 go\n250 ok\n", 250, 250, "250 ok",
          "a@x.example: 550 no a\n" },
        { "220 hi\n250 r\n250 m\n250 a\n450-b\n450 no b\n354 go\n554 spam\n", 554, 554, "554 spam",
          "b@x.example: 450 no b\n" },
        { "220 hi\n250 r\n250 m\n550 no a\n551 no b\n221 bye\n", 551, 551, "551 no b",
          "a@x.example: 550 no a\nb@x.example: 551 no b\n" },
        { "220 hi\n250 r\n250 m\n452 a full\n550 no b\n", 550, 452, "452 a full",
          "a@x.example: 452 a full\nb@x.example: 550 no b\n" },
        { "220 hi\n250 r\n550 not from you\n", 550, 550, "550 not from you", "" },
        { "554 no\n", 554, 554, "554 no", "" },
        { "", 421, 421, "", "" },
        { "250\n354\n25 x\nnot a reply", 250, 250, "250", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(http_response_finish) struct http_response response = { .status = cases[i].ended };
        buf_text(&response.headers, cases[i].lines);
        http_mail_read(to, ARRAY_COUNT(to), &response);
        CHECK_INT(response.status, cases[i].status);
        CHECK_TEXT(buf_cstr(&response.body), cases[i].body);
        CHECK_TEXT(buf_cstr(&response.refused), cases[i].refused);
    }
}

TEST(a_name_of_its_own_is_used)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    char host[256];
    http_mail_url("smtp://relay:25", "[192.0.2.1]", "me@x.example", &url);
    CHECK_TEXT(buf_cstr(&url), "smtp://relay:25/[192.0.2.1]");
    CHECK(strchr(http_mail_hello("me@x.example", host), '.'));
}
