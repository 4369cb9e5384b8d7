#pragma once
/* What is put in order of a view when somebody asks for it first, and kept as long as the view.
 * Any thread. */
struct view_made;

struct view_made *view_made_create(void);
void view_made_destroy(struct view_made *made); /* NULL is fine */

/* What was kept under this name, or NULL. */
const void *view_made_find(struct view_made *made, const char *name);

/* Keep it under this name; it is owned from now on. Returns what is kept: another's when that came
 * first. */
const void *view_made_keep(struct view_made *made, const char *name, void *thing,
                           void (*finish)(void *thing));
