/* corruptions.c -- the kill matrix of verify: every planted corruption must be found and named, and an equal copy must
 * raise no alarm.
 *
 * usage: corruptions SWITCHPROOF WORK_DIRECTORY generated|dpkg|nasty|busy
 * Prints a table "| database | what | result |" and how many checks passed, failed and were skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "corruptions/corruptions.h"
#include "fixtures/fixture.h"

#define STATUS "/var/lib/dpkg/status"

static int packages(struct place *p, const char *which)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_fixture_summary sum;
    bool generated = strcmp(which, "generated") == 0;
    if (!generated && access(STATUS, R_OK) != 0) {
        score_skip(which, "the real packages", STATUS " is not there");
        return 0;
    }
    int rc = generated ? sp_fixture_generated(p->source, 42, 1500, &sum, &err)
                       : sp_fixture_dpkg(STATUS, p->source, &sum, &err);
    if (rc != 0) {
        score(which, "the source database", sp_error_text(&err), "");
        sp_error_clear(&err);
        return 1;
    }
    part_matrix(p, which, corruptions_packages, generated);
    part_copies(p, which, sum.bad_utf8 == 0);
    part_options(p, which);
    return 0;
}

static int nasty(struct place *p)
{
    if (!db_make_nasty(p->source, true)) {
        score("nasty", "the source database", "could not be made", "");
        return 1;
    }
    part_matrix(p, "nasty", corruptions_nasty, true);
    part_options(p, "nasty");
    part_copies(p, "nasty", false);
    (void)unlink(p->source);
    if (!db_make_nasty(p->source, false)) {
        score("nasty", "the source database", "could not be made", "");
        return 1;
    }
    part_copies(p, "nasty", true);
    part_files(p, "nasty");
    return 0;
}

/* Some of it waits for another program's lock, so it runs beside the rest. */
static int busy(struct place *p)
{
    if (!db_make_nasty(p->source, true)) {
        score("nasty", "the source database", "could not be made", "");
        return 1;
    }
    part_busy(p, "nasty");
    uint64_t seeds = 120;
    const char *more = getenv("KILL_SEEDS"); /* the nightly job asks for more */
    if (more != NULL && !sp_parse_u64(more, &seeds)) {
        score("nasty", "KILL_SEEDS", "not a number", "");
        return 1;
    }
    part_fuzz(p, "nasty", seeds);
    return 0;
}

int main(int argc, char **argv)
{
    struct place p;
    if (argc != 4) {
        fprintf(stderr, "usage: %s SWITCHPROOF WORK_DIRECTORY generated|dpkg|nasty|busy\n", argv[0]);
        return 2;
    }
    place_init(&p, argv[1], argv[2]);
    int rc = strcmp(argv[3], "nasty") == 0  ? nasty(&p)
             : strcmp(argv[3], "busy") == 0 ? busy(&p)
                                            : packages(&p, argv[3]);
    printf("%lu passed, %lu failed, %lu skipped\n", passed, failed, skipped);
    return rc != 0 || failed != 0 || passed + skipped == 0 ? 1 : 0;
}
