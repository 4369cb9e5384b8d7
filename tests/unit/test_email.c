#include "alerts/receivers/email.h"

#include <ctype.h>

#include "core/hash.h"
#include "core/http_mail.h"
#include "loopback.h"
#include "notification_fixture.h"
#include "relay.h"
#include "test.h"

static const char *to[] = { "soc@example.com", "cloud@example.com" };
static const struct email_config base = { .smarthost = "127.0.0.1:25",
                                          .from = "defender@example.com",
                                          .to = { to, 2 },
                                          .allow_private = true };

static void write_notification(enum fixture which, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    fixture_notification(which, &arena, &notification);
    email_write(&base, &notification, FIXTURE_AT, out);
}

/* The value of a header, unfolded. */
static void header(const struct buf *mail, const char *name, struct buf *out)
{
    size_t length = strlen(name);
    buf_reset(out);
    for (const char *line = buf_cstr(mail); *line && *line != '\r'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *end = strchr(line, '\r');
        buf_append(out, line + length + 1, (size_t)(end - line) - length - 1);
        while (end[2] == ' ') {
            const char *next = strchr(end + 2, '\r');
            buf_append(out, end + 2, (size_t)(next - end) - 2);
            end = next;
        }
        return;
    }
}

/* The text of encoded words. source: RFC 2047. */
static void decode_words(const char *text, struct buf *out)
{
    buf_reset(out);
    while ((text = strstr(text, "=?utf-8?B?"))) {
        char word[80] = "";
        text += 10;
        size_t length = strcspn(text, "?");
        CHECK(length + 12 <= 75);
        memcpy(word, text, length);
        CHECK(hash_unbase64(word, out));
    }
}

/* One part of the message without its quoted-printable. */
static void part(const struct buf *mail, const char *type, struct buf *out)
{
    char start[64];
    snprintf(start, sizeof start, "Content-Type: %s", type);
    const char *text = strstr(buf_cstr(mail), start);
    buf_reset(out);
    if (!text)
        return;
    const char *end = strstr(text, "\r\n--=_");
    for (text = strstr(text, "\r\n\r\n") + 4; text < end; text++) {
        unsigned byte;
        if (*text == '=' && text[1] == '\r') {
            text += 2;
        } else if (*text == '=' && sscanf(text + 1, "%2X", &byte) == 1) {
            buf_char(out, (char)byte);
            text += 2;
        } else if (*text != '\r') {
            buf_char(out, *text);
        }
    }
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

TEST(headers_are_complete)
{
    CLEANUP(buf_finish) struct buf mail = { 0 };
    CLEANUP(buf_finish) struct buf value = { 0 };
    write_notification(FIXTURE_FINDING, &mail);
    static const char *const want[][2] = {
        { "From", " defender_exporter <defender@example.com>" },
        { "To", " soc@example.com, cloud@example.com" },
        { "Date", " Fri, 21 Nov 2025 12:00:00 +0000" },
        { "Message-ID", " <01KAK5Q8T0ABCDEFGHJKMNPQRS@example.com>" },
        { "In-Reply-To", " <dfx1-0123456789abcdef0123456789abcdef01234567@example.com>" },
        { "Auto-Submitted", " auto-generated" },
        { "Importance", " high" },
        { "MIME-Version", " 1.0" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        header(&mail, want[i][0], &value);
        CHECK_TEXT(buf_cstr(&value), want[i][1]);
    }
    header(&mail, "Subject", &value);
    CHECK(!strchr(buf_cstr(&value), '<') && strstr(buf_cstr(&value), "=?utf-8?B?"));
    buf_reset(&mail);
    write_notification(FIXTURE_RESOLVED, &mail);
    header(&mail, "Importance", &value);
    CHECK_TEXT(buf_cstr(&value), "");
}

TEST(what_nobody_looks_at_is_not_called_resolved)
{
    CLEANUP(buf_finish) struct buf mail = { 0 };
    write_notification(FIXTURE_UNASSESSED, &mail);
    CHECK(!strstr(buf_cstr(&mail), "RESOLVED"));
    CHECK_CONTAINS(buf_cstr(&mail), "Nobody looks at it any more");
    CHECK_CONTAINS(buf_cstr(&mail), "Closed because: no longer assessed");
}

/* Lines end in CRLF and are at most 78 bytes of printable ASCII. */
TEST(every_line_is_legal)
{
    for (int which = 0; which < FIXTURE_COUNT; which++) {
        CLEANUP(buf_finish) struct buf mail = { 0 };
        write_notification((enum fixture)which, &mail);
        size_t column = 0;
        bool ok = true;
        for (size_t i = 0; i < mail.length; i++) {
            unsigned char c = (unsigned char)mail.data[i];
            if (c == '\r') {
                ok &= mail.data[i + 1] == '\n' && column <= 78;
                ok &= !column || mail.data[i - 1] != ' ';
                column = 0;
                i++;
            } else {
                ok &= (c >= ' ' && c < 0x7f) || c == '\t';
                column++;
            }
        }
        CHECK(ok);
        CHECK_INT(column, 0);
    }
}

TEST(nothing_breaks_out_of_a_header)
{
    CLEANUP(buf_finish) struct buf mail = { 0 };
    CLEANUP(buf_finish) struct buf value = { 0 };
    CLEANUP(buf_finish) struct buf title = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    static const char *const titles[] = {
        "x\r\nBcc: evil@example.com\r\n\r\n<b>body</b>",
        "x\nBcc: evil@example.com",
        "=?utf-8?Q?x=0ABcc=3A_evil=40example=2Ecom?=",
        "\xf0\x9f\x98\x80 \xc3\xa9 grave",
        "a title of plain words that is longer than a line of seventy-eight bytes may be, is it",
        "",
    };
    fixture_notification(FIXTURE_FINDING, &arena, &notification);
    for (size_t i = 0; i < ARRAY_COUNT(titles); i++) {
        buf_reset(&mail);
        notification.title = titles[i];
        email_write(&base, &notification, FIXTURE_AT, &mail);
        header(&mail, "Bcc", &value);
        CHECK_TEXT(buf_cstr(&value), "");
        header(&mail, "Subject", &value);
        decode_words(buf_cstr(&value), &title);
        CHECK_TEXT(buf_cstr(&title), titles[i]);
    }
}

TEST(both_parts_say_everything_and_html_is_only_text)
{
    CLEANUP(buf_finish) struct buf mail = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf html = { 0 };
    write_notification(FIXTURE_GROUP, &mail);
    part(&mail, "text/plain", &text);
    part(&mail, "text/html", &html);
    static const char *const want[] = { "Storage accounts",     "stprod25",
                                        "2025-11-28 12:00 UTC", "1.83 of 4 points",
                                        "Choose Networking",    "amtool silence add" };
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        if (i)
            CHECK_CONTAINS(buf_cstr(&text), want[i]);
        CHECK_CONTAINS(buf_cstr(&html), want[i]);
    }
    CHECK_CONTAINS(buf_cstr(&text), FIXTURE_LINK);
    CHECK_CONTAINS(buf_cstr(&html), "<a href=\"" FIXTURE_LINK "\"");
    CHECK_CONTAINS(buf_cstr(&html), "<a href=\"https://aka.ms/x\"");
    buf_reset(&mail);
    write_notification(FIXTURE_HOSTILE, &mail);
    part(&mail, "text/html", &html);
    CHECK(!strstr(buf_cstr(&html), "<!channel>"));
    CHECK(!strstr(buf_cstr(&html), "href=\"javascript"));
    CHECK_CONTAINS(buf_cstr(&html), "&lt;!channel&gt; &lt;@U1&gt; &amp; &quot;quoted&quot;");
}

/* The colour and the word of it, and a subject that says how it ended. */
TEST(colours_words_and_subjects)
{
    static const struct {
        const char *risk, *severity, *reason;
        enum notification_status status;
        bool test, about_findings;
        const char *colour, *word, *subject;
    } cases[] = {
        { "critical", "", "", NOTIFICATION_FIRING, false, true, "#b00020", "Critical", "T" },
        { "low", "", "", NOTIFICATION_FIRING, false, true, "#0969da", "Low", "T" },
        { "not_evaluated", "", "", NOTIFICATION_FIRING, false, true, "#57606a",
          "Risk not evaluated", "T" },
        { "not_evaluated", "error", "", NOTIFICATION_FIRING, false, false, "#bc4c00", "", "T" },
        { "not_evaluated", "", "", NOTIFICATION_FIRING, false, false, "#9a6700", "", "T" },
        { "critical", "", "", NOTIFICATION_FIRING, true, true, "#0969da", "Critical", "T" },
        { "critical", "", "fixed", NOTIFICATION_RESOLVED, false, true, "#1a7f37", "Fixed",
          "[FIXED] T" },
        { "critical", "", "exempted", NOTIFICATION_RESOLVED, false, true, "#57606a", "Exempted",
          "[EXEMPT] T" },
        { "critical", "", "no_longer_assessed", NOTIFICATION_RESOLVED, false, true, "#9a6700",
          "No longer assessed", "[NO LONGER ASSESSED] T" },
        { "critical", "", "plan_off", NOTIFICATION_RESOLVED, false, true, "#9a6700",
          "No longer assessed (plan off)", "[NO LONGER ASSESSED (PLAN OFF)] T" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf mail = { 0 };
        CLEANUP(buf_finish) struct buf html = { 0 };
        CLEANUP(buf_finish) struct buf want = { 0 };
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct notification notification;
        fixture_notification(FIXTURE_FINDING, &arena, &notification);
        notification.title = "T";
        notification.risk_level = cases[i].risk;
        notification.severity = cases[i].severity;
        notification.status = cases[i].status;
        notification.reason = cases[i].reason;
        notification.test = cases[i].test;
        notification.resource_total = cases[i].about_findings;
        email_write(&base, &notification, FIXTURE_AT, &mail);
        part(&mail, "text/html", &html);
        buf_printf(&want, "bgcolor=\"%s\" style=\"background-color:%s;", cases[i].colour,
                   cases[i].colour);
        CHECK_CONTAINS(buf_cstr(&html), buf_cstr(&want));
        buf_reset(&want);
        buf_printf(&want, "color:#ffffff;\">%s</td>", *cases[i].word ? cases[i].word : "&nbsp;");
        CHECK_CONTAINS(buf_cstr(&html), buf_cstr(&want));
        buf_reset(&want);
        buf_printf(&want, "\r\nSubject: %s\r\n", cases[i].subject);
        CHECK_CONTAINS(buf_cstr(&mail), buf_cstr(&want));
    }
}

/* "Fixed: T" is "[FIXED] T", not both. */
TEST(a_subject_says_once_how_it_ended)
{
    CLEANUP(buf_finish) struct buf mail = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    fixture_notification(FIXTURE_RESOLVED, &arena, &notification);
    notification.title = "Fixed: T";
    email_write(&base, &notification, FIXTURE_AT, &mail);
    CHECK_CONTAINS(buf_cstr(&mail), "\r\nSubject: [FIXED] T\r\n");
    notification.title = "[EXEMPTED] T"; /* of a rule with a template */
    notification.reason = "exempted";
    buf_reset(&mail);
    email_write(&base, &notification, FIXTURE_AT, &mail);
    CHECK_CONTAINS(buf_cstr(&mail), "\r\nSubject: [EXEMPT] T\r\n");
}

/* Programs show nothing of what they must fetch, and strip what runs or styles from afar. */
TEST(nothing_is_loaded_or_run)
{
    static const char *const never[] = { "<img",    "<script", "<link",   "<style",
                                         "<iframe", "src=",    "url(",    "javascript",
                                         "@import", "<form",   "onclick", "onload" };
    for (int which = 0; which < FIXTURE_COUNT; which++) {
        CLEANUP(buf_finish) struct buf mail = { 0 };
        CLEANUP(buf_finish) struct buf html = { 0 };
        write_notification((enum fixture)which, &mail);
        part(&mail, "text/html", &html);
        for (const char *tag = buf_cstr(&html); (tag = strchr(tag, '<')); tag++) {
            char text[4096];
            snprintf(text, sizeof text, "%.*s", (int)strcspn(tag, ">"), tag);
            for (size_t i = 0; i < ARRAY_COUNT(never); i++) {
                bool links = !strncmp(text, "<a href=\"http", 13);
                CHECK(links || !strcasestr(text, never[i]));
            }
        }
        CHECK_INT(count_of(buf_cstr(&html), "<table"), count_of(buf_cstr(&html), "</table>"));
        CHECK_INT(count_of(buf_cstr(&html), "<td"), count_of(buf_cstr(&html), "</td>"));
        CHECK_INT(count_of(buf_cstr(&html), "<a "), count_of(buf_cstr(&html), "</a>"));
    }
}

/* Who reads text alone misses nothing: every link of the HTML is there. */
TEST(both_parts_say_what_held_it_back)
{
    CLEANUP(buf_finish) struct buf mail = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    fixture_notification(FIXTURE_RESOLVED, &arena, &notification);
    notification.held_back = "until the silence by alice ended";
    email_write(&base, &notification, FIXTURE_AT, &mail);
    part(&mail, "text/plain", &got);
    CHECK_CONTAINS(buf_cstr(&got), "Held back: until the silence by alice ended\n");
    part(&mail, "text/html", &got);
    CHECK_CONTAINS(buf_cstr(&got), "until the silence by alice ended");
}

TEST(the_plain_part_is_complete)
{
    for (int which = 0; which < FIXTURE_HOSTILE; which++) {
        CLEANUP(buf_finish) struct buf mail = { 0 };
        CLEANUP(buf_finish) struct buf text = { 0 };
        CLEANUP(buf_finish) struct buf html = { 0 };
        write_notification((enum fixture)which, &mail);
        part(&mail, "text/plain", &text);
        part(&mail, "text/html", &html);
        size_t links = 0;
        for (const char *at = buf_cstr(&html); (at = strstr(at, "<a href=\"")); links++) {
            char link[2048];
            at += 9;
            snprintf(link, sizeof link, "%.*s", (int)strcspn(at, "\""), at);
            CHECK_CONTAINS(buf_cstr(&text), link);
        }
        CHECK(links > 0);
    }
}

/* --- a relay ---------------------------------------------------------------------------------- */
/* Send one mail to a relay that answers so; what it heard is in heard. */
static bool send_to(const char *at, const char *answer, const struct email_config *changed,
                    struct http_response *response, struct buf *heard, struct error *error)
{
    const char *separator = strchr(answer, '|'); /* "first|from the second time on" */
    char first[128];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(answer, "|"), answer);
    struct relay relay = { .at = at, .answer = first, .then = separator ? separator + 1 : NULL };
    struct email_config config = *changed;
    char smarthost[32];
    FIXTURE built = { 0 };
    relay_start(&relay);
    snprintf(smarthost, sizeof smarthost, "127.0.0.1:%d", relay.port);
    config.smarthost = smarthost;
    fixture_build(&built, &email_kind, &config, FIXTURE_HOSTILE);
    CHECK(built.ok && built.request.is_mail);
    struct http_client *client = http_client_create();
    built.request.mail.timeout_ms = 5000;
    bool ok = http_mail(client, &built.request.mail, response, error);
    http_client_destroy(client);
    relay_stop(&relay);
    buf_reset(heard);
    buf_append(heard, relay.heard.data, relay.heard.length);
    buf_finish(&relay.heard);
    return ok;
}

TEST(a_relay_takes_the_mail)
{
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    CLEANUP(buf_finish) struct buf heard = { 0 };
    struct error error = { 0 };
    struct email_config plain = base;
    plain.tls = EMAIL_PLAIN;
    CHECK(send_to("none", "", &plain, &response, &heard, &error));
    CHECK_TEXT(error.message, "");
    CHECK_INT(response.status, 250);
    CHECK_TEXT(buf_cstr(&response.body), "250 taken as 42");
    CHECK_INT(email_kind.classify(&response, &error).outcome, RECEIVER_SENT);
    CHECK_CONTAINS(buf_cstr(&heard), "MAIL FROM:<defender@example.com>");
    CHECK_CONTAINS(buf_cstr(&heard), "RCPT TO:<soc@example.com>\r\n");
    CHECK_CONTAINS(buf_cstr(&heard), "RCPT TO:<cloud@example.com>\r\n");
    CHECK_CONTAINS(buf_cstr(&heard), "Subject: =?utf-8?B?");
    CHECK_CONTAINS(buf_cstr(&heard), "--=_01KAK5Q8T0ABCDEFGHJKMNPQRS--\r\n.\r\n");
}

TEST(refusals_become_verdicts)
{
    static const struct {
        const char *at, *answer;
        int status;
        enum receiver_outcome outcome;
        enum receiver_reason reason;
    } cases[] = {
        { "MAIL", "550 no\r\n", 550, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { "MAIL", "451 later\r\n", 451, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { "MAIL", "501 no\r\n", 501, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { "RCPT", "550 nobody\r\n", 550, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { "RCPT", "450 grey\r\n|550 nobody\r\n", 450, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { "RCPT", "550 nobody\r\n|450 grey\r\n", 450, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { "DATA", "452 full\r\n", 452, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { ".", "554 spam\r\n", 554, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { ".", "421 going\r\n", 421, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
        { "greeting", "554 not you\r\n", 554, RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR },
        { "greeting", "421 busy\r\n", 421, RECEIVER_RETRY, RECEIVER_SERVER_ERROR },
    };
    struct email_config plain = base;
    plain.tls = EMAIL_PLAIN;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(http_response_finish) struct http_response response = { 0 };
        CLEANUP(buf_finish) struct buf heard = { 0 };
        struct error error = { 0 };
        CHECK(send_to(cases[i].at, cases[i].answer, &plain, &response, &heard, &error));
        CHECK_INT(response.status, cases[i].status);
        CHECK_CONTAINS(cases[i].answer, buf_cstr(&response.body));
        struct receiver_verdict verdict = email_kind.classify(&response, &error);
        CHECK_INT(verdict.outcome, cases[i].outcome);
        CHECK_INT(verdict.reason, cases[i].reason);
    }
}

/* Whoever is refused keeps nobody else from the mail. */
TEST(a_refused_recipient_stops_no_other)
{
    static const struct {
        const char *at, *answer, *refused;
        size_t count;
    } cases[] = {
        { "RCPT TO:<soc", "550-5.1.1 user\r\n550 5.1.1 unknown\r\n",
          "soc@example.com: 550 5.1.1 unknown\n", 1 },
        { "RCPT TO:<cloud", "451 later\r\n", "cloud@example.com: 451 later\n", 1 },
        { "none", "", "", 0 },
    };
    struct email_config plain = base;
    plain.tls = EMAIL_PLAIN;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(http_response_finish) struct http_response response = { 0 };
        CLEANUP(buf_finish) struct buf heard = { 0 };
        struct error error = { 0 };
        CHECK(send_to(cases[i].at, cases[i].answer, &plain, &response, &heard, &error));
        CHECK_INT(response.status, 250);
        CHECK_TEXT(buf_cstr(&response.body), "250 taken as 42");
        CHECK_TEXT(buf_cstr(&response.refused), cases[i].refused);
        CHECK_INT(response.refused_count, cases[i].count);
        CHECK_INT(email_kind.classify(&response, &error).outcome, RECEIVER_SENT);
        CHECK_CONTAINS(buf_cstr(&heard), "--=_01KAK5Q8T0ABCDEFGHJKMNPQRS--\r\n.\r\n");
    }
}

TEST(the_greeting_has_a_name_with_a_dot)
{
    static const char *const names[] = { NULL, "mx7.example.net", "[192.0.2.7]" };
    struct email_config plain = base;
    plain.tls = EMAIL_PLAIN;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        CLEANUP(http_response_finish) struct http_response response = { 0 };
        CLEANUP(buf_finish) struct buf heard = { 0 };
        struct error error = { 0 };
        char host[256], greeting[300];
        plain.hello = names[i];
        snprintf(greeting, sizeof greeting, "EHLO %s\r\n",
                 names[i] ? names[i] : http_mail_hello(base.from, host));
        CHECK(strchr(greeting, '.'));
        CHECK(send_to("none", "", &plain, &response, &heard, &error));
        CHECK_CONTAINS(buf_cstr(&heard), greeting);
    }
}

/* A relay that offers no encryption gets neither the password nor the mail. */
TEST(no_mail_without_the_encryption_asked_for)
{
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    CLEANUP(buf_finish) struct buf heard = { 0 };
    struct error error = { 0 };
    struct email_config config = base;
    config.user = "robot";
    secret_set(&config.password, "correct horse battery");
    CHECK(!send_to("none", "", &config, &response, &heard, &error));
    CHECK_INT(error.code, ERROR_NETWORK);
    CHECK_CONTAINS(error.message, "offers no TLS");
    CHECK(!strstr(buf_cstr(&heard), "MAIL") && !strstr(buf_cstr(&heard), "AUTH"));
    CHECK_INT(email_kind.classify(&response, &error).outcome, RECEIVER_RETRY);
    secret_finish(&config.password);
}

TEST(no_mail_to_private_addresses_when_they_are_refused)
{
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    struct error error = { 0 };
    struct http_client *client = http_client_create();
    struct http_mail mail = { .url = "smtp://127.0.0.1:25",
                              .from = base.from,
                              .to = to,
                              .to_count = 2,
                              .message = "x\r\n",
                              .message_bytes = 3,
                              .targets = HTTP_PUBLIC_TARGETS };
    CHECK(!http_mail(client, &mail, &response, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    mail.targets = HTTP_ANY_TARGET;
    mail.url = "http://127.0.0.1:25";
    CHECK(!http_mail(client, &mail, &response, &error));
    CHECK_CONTAINS(error.message, "smtp");
    static const char *const bad[] = { "a@b>\r\nDATA", "", "a b@c" };
    mail.url = "smtp://127.0.0.1:25";
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        mail.from = bad[i];
        CHECK(!http_mail(client, &mail, &response, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
    }
    mail.from = base.from;
    mail.to_count = 0;
    CHECK(!http_mail(client, &mail, &response, &error));
    http_client_destroy(client);
}
