/* lens.h -- a side of a comparison, seen through a mapping.
 *
 * A lens is a session that reads another one and shows the mapping's relations: renamed tables and columns, paths into
 * documents as columns, embedded arrays as tables of their own, constants, translated ids, filtered rows. It only reads;
 * what it shows under the relation's names, the inner session is asked under its own. A table that is only renamed is
 * scanned by the inner session straight into the caller's row buffer, at full speed.
 *
 * The lens borrows the inner session and the mapping, which must outlive it; sp_close() closes the lens alone. One
 * thread, that of the inner session. */
#ifndef SP_MAP_LENS_H
#define SP_MAP_LENS_H

#include "map/mapping.h"
#include "provider_call.h"
#include "scan.h"

/* `other` is the other side's session, in which a crosswalk that stands there is read (may be NULL when there is none). The
 * lens's provider shows the inner one's kind, ledger and limits; introspect, snapshots, split, scan, count and read work,
 * everything that writes is UNSUPPORTED. */
int sp_lens_open(struct sp_session *inner, struct sp_session *other, const struct sp_mapping *m,
    enum sp_side side, struct sp_session **out, struct sp_error *err);
/* An array that both sides keep in a column: in a column of this name, behind the source's, stands whether it is empty (a
 * boolean, or null), of which no element tells. */
#define SP_LENS_EMPTY " (empty)"

/* What a lens reads; any other session is its own. For what a mapping does not speak of: accounts, objects. */
struct sp_session *sp_lens_inner(struct sp_session *s);

#endif
