/* lens_cross.c -- ids of the target as those of the source. */
#include "map/lens_row.h"

int lens_translate(struct lens_row *r, struct lens_walk *w, struct sp_value *v, struct sp_error *err)
{
    (void)r;
    (void)v;
    return sp_fail(
        err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "crosswalk %s: ids are not translated", w->m->name);
}
