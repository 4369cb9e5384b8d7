#pragma once
/* What people read: titles by situation, what changed, and words for reasons and risks. Pure. */
#include "alerts/rules/notification.h"

/* How something ended: "Fixed", or inside a sentence "fixed"; reason: of an alert, "" = unknown. */
const char *notification_words_ended(const char *reason);
const char *notification_words_ending(const char *reason);

/* What such an end means, a sentence; "" where the word says it. */
const char *notification_words_meaning(const char *reason);

/* "Critical", "Risk not evaluated"; "" for what is no risk level. */
const char *notification_words_risk(const char *risk_level);

/* Append what a block about no finding says: "No new recommendations since 2 h". */
void notification_words_block(const struct notification_block *block, struct buf *out);

/* Append the built-in title: verb, risk, what and where of what still fires, worst first; of what
 * ended, how. Counts are of open ones. */
void notification_words_title(const struct notification *notification, struct buf *out);

/* Append who changed a resource: "2026-11-12 04:10 UTC, 5 h ago, by a service principal:
 * Microsoft.Network/networkSecurityGroups/write; ...". now 0 = without the distance. */
void notification_words_changes(const struct notification_resource *resource, int64_t now,
                                struct buf *out);

/* Append what ended, by name: "Fixed: vm-2, vm-4. Exempted: vm-5. ". */
void notification_words_changed(const struct notification *notification, struct buf *out);

/* Append the built-in text: what changed, then why it matters; of what ended, what that means. */
void notification_words_text(const struct notification *notification, struct buf *out);
