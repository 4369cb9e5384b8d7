/* Kinds of resources in words. */
#include "alerts/text/resource_type.h"

#include "core/compiler.h"
#include "tests/unit/test.h"

TEST(types_are_told_in_words)
{
    static const char *const cases[][2] = {
        { "microsoft.compute/virtualmachines", "virtual machine" },
        { "Microsoft.Storage/storageAccounts", "storage account" },
        { "microsoft.sql/servers/databases", "SQL database" },
        { "microsoft.sql/servers", "SQL server" },
        { "ec2-instance", "EC2 instance" },
        { "compute-instance", "Compute Engine instance" },
        { "microsoft.new/things", "microsoft.new/things" },
        { "", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(resource_type_words(cases[i][0]), cases[i][1]);
}
