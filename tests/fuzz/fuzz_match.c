/* Matchers, as the API and files bring them: no crash, no leak, no explosion, and what was read is
 * printed so that it reads the same. */
#include <stdint.h>
#include <string.h>

#include "alerts/text/match.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list list = { 0 };
    CLEANUP(match_finish) struct match_list again = { 0 };
    CLEANUP(buf_finish) struct buf printed = { 0 };
    struct error error;
    const char *text = arena_copy(&arena, (const char *)data, size);
    if (!match_parse(text, &list, &arena, &error))
        return 0;
    for (size_t i = 0; i < list.count; i++) {
        match_value(&list.matches[i], text, NULL);
        buf_text(&printed, i ? "," : "");
        match_print(&list.matches[i], &printed);
    }
    FUZZ_CHECK(match_parse(buf_cstr(&printed), &again, &arena, &error) &&
               again.count == list.count);
    for (size_t i = 0; i < list.count; i++)
        FUZZ_CHECK(!strcmp(again.matches[i].value, list.matches[i].value));
    return 0;
}
