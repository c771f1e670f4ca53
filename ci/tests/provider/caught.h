/* caught.h -- keeps the events of a comparison as lines: kind, blank, fields. */
#ifndef CAUGHT_H
#define CAUGHT_H

#include "base/str.h"
#include "event.h"

struct caught {
    struct sp_emitter em; /* = { keep } */
    struct sp_buf text;
};
static inline int keep(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    struct caught *c = (struct caught *)(void *)em;
    (void)err;
    return sp_buf_printf(&c->text, "%s %.*s\n", sp_event_name(k), (int)n, json);
}

#endif
