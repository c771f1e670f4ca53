/* journal.h -- what a run made and has not removed yet: state_dir/journal/RUN.jsonl.
 *
 * A line is on disk before the object exists; another one says when it is gone; the file goes when all are gone. The
 * parent creates the file and holds a lock on it for as long as it lives; workers append. Lines are written by one
 * write(2) each, so that several workers may append at once. */
#ifndef SP_RUN_JOURNAL_H
#define SP_RUN_JOURNAL_H

#include "run/job.h"

struct sp_journal { /* the parent's end */
    char *path;
    int fd; /* locked; -1 = none */
};
int sp_journal_create(struct sp_journal *, const char *state_dir, const char *run, struct sp_error *err);
/* Takes an existing file over: 0, -SP_E_CONFLICT while its run lives, -SP_E_NOT_FOUND. */
int sp_journal_adopt(struct sp_journal *, const char *path, struct sp_error *err);
/* Takes away a last line without its end, so that what is written next does not become a part of it. Only who holds the
 * lock, and when no worker writes. */
int sp_journal_mend(struct sp_journal *, struct sp_error *err);
/* Removes the file if nothing is left in it, and lets go of it. *left = objects still there. */
int sp_journal_finish(struct sp_journal *, uint64_t *left, struct sp_error *err);
void sp_journal_close(struct sp_journal *);
/* state_dir/journal in `out`, for `clean`. */
int sp_journal_dir(char *out, size_t size, const char *state_dir, struct sp_error *err);

/* A worker's end: opened for appending. Negative error or a descriptor. */
int sp_journal_open(const char *path, struct sp_error *err);
/* `made` true: synchronised to disk before it returns. */
int sp_journal_note(
    int fd, bool made, const struct sp_config_provider *, const struct sp_object_ref *, struct sp_error *err);

/* What sessions make while they open goes into the journal, under names that carry the run's id. `provider` is borrowed. */
struct sp_journal_notes {
    struct sp_notes base; /* for endpoints */
    int fd;
    const struct sp_config_provider *provider;
    char stem[16];
};
void sp_journal_notes_init(
    struct sp_journal_notes *, int fd, const struct sp_config_provider *, const char *run);

struct sp_journal_entry {
    const char *provider, *kind, *url; /* url without secrets */
    struct sp_object_ref object;
    bool gone;
};
struct sp_journal_log {
    struct sp_arena arena;
    const char *run, *dir;            /* dir: where it was started; NULL = unknown */
    struct sp_journal_entry *entries; /* in order of making */
    size_t n, cap, live;
};
/* A last line without its end is dropped: its object was never made. Damage elsewhere is -SP_E_CORRUPT. */
int sp_journal_read(const char *path, struct sp_journal_log *out, struct sp_error *err);
void sp_journal_log_free(struct sp_journal_log *);

/* Removes one object; what is gone already is fine. `ns` is the namespace that the session uses now, or NULL. */
int sp_object_remove(struct sp_session *, const struct sp_object_ref *, const char *ns, struct sp_error *err);

#endif
