#include "exporter/web/password.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/secret.h"

/* "$2y$10$", 22 characters of salt and 31 of hash: crypt(5). */
enum { HEAD = 7, LENGTH = 60, COST_MIN = 4 };

static const char digits[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const char *password_wrong(const char *hash)
{
    bool head = !strncmp(hash, "$2", 2) && hash[2] && strchr("aby", hash[2]) && hash[3] == '$' &&
                strspn(hash + 4, "0123456789") == 2 && hash[6] == '$';
    if (!head || strlen(hash) != LENGTH || strspn(hash + HEAD, digits) != LENGTH - HEAD)
        return "is not a bcrypt hash like $2y$10$...";
    int cost = (hash[4] - '0') * 10 + hash[5] - '0';
    return cost < COST_MIN || cost > PASSWORD_COST_MAX ? "has a cost that is not between 4 and 20"
                                                       : NULL;
}

bool password_matches(const char *hash, const char *password)
{
    struct crypt_data *data = MEMORY_NEW(struct crypt_data);
    const char *got = crypt_r(password, hash, data);
    bool same = got && secret_equal(got, hash);
    explicit_bzero(data, sizeof *data);
    free(data);
    return same;
}
