/* elements.h -- rows as the elements of one array, on their way into a document.
 *
 * They are a native value of the type `elements`, which a load takes as an undeclared field where the backend keeps documents
 * within documents. Per element: the number of its fields; per field the length of its name, the name, and the value as a
 * canonical field of the dynamic type. One field without a name is the element itself. Borrowed from the buffer. */
#ifndef SP_MODEL_ELEMENTS_H
#define SP_MODEL_ELEMENTS_H

#include "base/buf.h"
#include "model/value.h"

#define SP_ELEMENTS "elements"

/* Missing values are left out. Negative error. */
int sp_elements_add(struct sp_buf *b, const char *const *names, const struct sp_value *values, size_t n);
struct sp_value sp_elements_value(const struct sp_buf *b);

struct sp_elements {
    const uint8_t *at, *end;
    uint32_t fields; /* of the element at work that are still to be read */
};
void sp_elements_read(struct sp_elements *e, const struct sp_value *v);
/* 1 = there is another element, 0 = that was all, -SP_E_CORRUPT. */
int sp_elements_next(struct sp_elements *e);
/* A field of it: 1, 0 = no more, negative error. Name and value in the arena. */
int sp_elements_field(struct sp_elements *e, struct sp_arena *a, const char **name, struct sp_value *value);

#endif
