#include "exporter/permissions.h"

#include "test.h"

TEST(the_action_is_what_azure_says_between_quotes)
{
    static const struct {
        const char *message, *want; /* NULL = it names none */
    } cases[] = {
        { "403 AuthorizationFailed: The client 'c' with object id 'o' does not have authorization "
          "to perform action 'Microsoft.Security/pricings/read' over scope '/subscriptions/s'",
          "Microsoft.Security/pricings/read" },
        { "403 Forbidden: AccessDenied: Access to the subscriptions of the query is denied", NULL },
        { "perform action ''", NULL },
        { "perform action 'Microsoft.Security/pri", NULL }, /* it was cut */
        { "", NULL },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf action = { 0 };
        CHECK_INT(permissions_action(cases[i].message, &action), cases[i].want != NULL);
        CHECK_TEXT(buf_cstr(&action), cases[i].want ? cases[i].want : "");
    }
}
