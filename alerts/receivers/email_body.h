#pragma once
/* The two forms of a mail's text, plain and HTML: each is complete. The HTML is tables and inline
 * styles, as mail programs stand it; nothing in it is loaded, and every text is only text. */
#include "alerts/receivers/layout.h"

void email_body_text(const struct layout *layout, struct buf *out);
void email_body_html(const struct notification *notification, const struct layout *layout,
                     struct buf *out);
