#include "collectors/azure/cloud.h"

/* clang-format off */
const struct cloud cloud_table[] = {
    { "AzurePublic", "https://login.microsoftonline.com", "https://management.azure.com",
      "https://management.azure.com/", "https://portal.azure.com" },
    { "AzureUSGovernment", "https://login.microsoftonline.us",
      "https://management.usgovcloudapi.net", "https://management.usgovcloudapi.net/",
      "https://portal.azure.us" },
    { "AzureChinaCloud", "https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn",
      "https://management.chinacloudapi.cn/", "https://portal.azure.cn" },
};
/* clang-format on */

const char *const cloud_words[] = { "AzurePublic", "AzureUSGovernment", "AzureChinaCloud", 0 };
