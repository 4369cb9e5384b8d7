#pragma once
/* Microsoft Entra ID: tokens handed out and checked. source: Microsoft identity platform. */
#include "reply.h"

/* Whose API takes a token. */
enum token_audience { TOKEN_RESOURCE_MANAGER, TOKEN_MICROSOFT_GRAPH, TOKEN_DEFENDER_API };

void token_entra(struct request *request, struct reply *reply);
void token_discovery(struct request *request, struct reply *reply);
void token_openid(struct request *request, struct reply *reply);
void token_adfs(struct request *request, struct reply *reply);
void token_tenants(struct request *request, struct reply *reply);

/* Append a token for this principal and the API that was asked for. */
void token_issue(struct request *request, const char *principal, const char *asked,
                 struct buf *out);

/* Look at the Authorization header; fills request->principal, or answers 401. */
bool token_check(struct request *request, enum token_audience wanted, struct reply *reply);

/* The two ways a token is refused. */
void token_refuse(struct reply *reply, bool expired);
