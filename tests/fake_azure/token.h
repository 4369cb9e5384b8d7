#pragma once
/* Microsoft Entra ID and the instance metadata service: tokens handed out and checked.
 * source: Microsoft identity platform; managed identities. */
#include "reply.h"

/* Whose API takes a token. */
enum token_audience { TOKEN_RESOURCE_MANAGER, TOKEN_MICROSOFT_GRAPH, TOKEN_DEFENDER_API };

void token_entra(struct request *request, struct reply *reply);
void token_metadata_service(struct request *request, struct reply *reply);
void token_discovery(struct request *request, struct reply *reply);
void token_openid(struct request *request, struct reply *reply);
void token_adfs(struct request *request, struct reply *reply);
void token_tenants(struct request *request, struct reply *reply);

/* Look at the Authorization header; fills request->principal, or answers 401. */
bool token_check(struct request *request, enum token_audience wanted, struct reply *reply);

/* The two ways a token is refused. */
void token_refuse(struct reply *reply, bool expired);
