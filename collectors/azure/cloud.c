#include "collectors/azure/cloud.h"

#include <stddef.h>

/* clang-format off */
#define PUBLIC "https://login.microsoftonline.com", "https://management.azure.com", \
               "https://management.azure.com/", "https://portal.azure.com", \
               "https://graph.microsoft.com", "https://api.security.microsoft.com", \
               "https://api.securitycenter.microsoft.com"
#define US     "https://login.microsoftonline.us", "https://management.usgovcloudapi.net", \
               "https://management.usgovcloudapi.net/", "https://portal.azure.us", \
               "https://graph.microsoft.us", NULL, NULL
#define CHINA  "https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn", \
               "https://management.chinacloudapi.cn/", "https://portal.azure.cn", \
               "https://microsoftgraph.chinacloudapi.cn", NULL, NULL

const struct cloud cloud_table[] = {
    { "AzurePublic",       PUBLIC },
    { "AzureUSGovernment", US },
    { "AzureChinaCloud",   CHINA },
    { "AzureCloud",        PUBLIC }, /* az calls it so */
    { "public",            PUBLIC }, /* and Terraform so */
    { "usgovernment",      US },
    { "china",             CHINA },
};
/* clang-format on */

const char *const cloud_words[] = { "AzurePublic", "AzureUSGovernment", "AzureChinaCloud",
                                    "AzureCloud",  "public",            "usgovernment",
                                    "china",       0 };
