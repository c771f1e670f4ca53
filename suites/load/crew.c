/* crew.c -- running the users. */
#include "suites/load/load.h"

#include <pthread.h>
#include <stdlib.h>

#include "measure/measure.h"

unsigned ld_users(struct sp_ctx *ctx)
{
    int64_t n = sp_ctx_setting(ctx, "load", "users", sp_ctx_quick(ctx) ? 8 : 32);
    return n < 2 ? 2u : n > SP_IDENTITIES - 2 ? SP_IDENTITIES - 2u : (unsigned)n;
}

uint64_t ld_operations(struct sp_ctx *ctx, uint64_t quick, uint64_t full)
{
    int64_t n = sp_ctx_setting(ctx, "load", "operations", sp_ctx_quick(ctx) ? (int64_t)quick : (int64_t)full);
    return n < 1 ? 1 : n > 1000000 ? 1000000 : (uint64_t)n;
}

bool ld_book(struct ld_user *u, uint64_t start, uint64_t intended, int rc, struct sp_error *err)
{
    uint64_t end = sp_clock_ns();
    u->attempts++;
    if (rc == 0) {
        u->ok++;
        sp_hist_record(u->service, end - start);
        if (intended != 0)
            sp_hist_record(u->response, end - intended);
    } else if (err->code == SP_E_CONFLICT) {
        u->conflicts++;
    } else {
        u->errors++;
        if (u->first.code == SP_E_OK)
            sp_error_move(&u->first, err);
    }
    sp_error_clear(err);
    return rc == 0;
}

static bool crew_make(struct ld_crew *crew)
{
    crew->users = calloc(crew->n, sizeof *crew->users);
    if (crew->users == NULL)
        return false;
    for (unsigned i = 0; i < crew->n; i++) {
        struct ld_user *u = &crew->users[i];
        u->crew = crew;
        u->index = i;
        u->service = sp_hist_new();
        u->response = sp_hist_new();
        u->acked = calloc(crew->per_user, 1);
        u->unsure = calloc(crew->per_user, 1);
        sp_rng_seed(&u->rng, sp_ctx_seed(crew->ctx) + i);
        if (u->service == NULL || u->response == NULL || u->acked == NULL || u->unsure == NULL)
            return false;
    }
    return true;
}

void ld_free(struct ld_crew *crew)
{
    for (unsigned i = 0; crew->users != NULL && i < crew->n; i++) {
        struct ld_user *u = &crew->users[i];
        sp_hist_free(u->service);
        sp_hist_free(u->response);
        free(u->acked);
        free(u->unsure);
        sp_error_clear(&u->first);
    }
    free(crew->users);
    crew->users = NULL;
}

/* The gate that all users wait at, so that they start together; or go home if not all of them came. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    enum { GATE_CLOSED, GATE_OPEN, GATE_HOME } state;
};

struct seat {
    struct ld_user *user;
    struct gate *gate;
};

static void *user_main(void *payload)
{
    struct seat *seat = payload;
    pthread_mutex_lock(&seat->gate->lock);
    while (seat->gate->state == GATE_CLOSED)
        pthread_cond_wait(&seat->gate->opened, &seat->gate->lock);
    bool go = seat->gate->state == GATE_OPEN;
    pthread_mutex_unlock(&seat->gate->lock);
    if (go)
        seat->user->crew->work(seat->user);
    return NULL;
}

static bool start_all(struct ld_crew *crew)
{
    pthread_t threads[SP_IDENTITIES];
    struct seat seats[SP_IDENTITIES];
    struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, GATE_CLOSED };
    unsigned started = 0;
    for (; started < crew->n; started++) {
        seats[started] = (struct seat){ &crew->users[started], &gate };
        if (pthread_create(&threads[started], NULL, user_main, &seats[started]) != 0)
            break;
    }
    pthread_mutex_lock(&gate.lock);
    crew->start_ns = sp_clock_ns();
    gate.state = started == crew->n ? GATE_OPEN : GATE_HOME;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.lock);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    crew->duration_s = (double)(sp_clock_ns() - crew->start_ns) / 1e9;
    if (started < crew->n)
        sp_ctx_error(crew->ctx, "could start only %u of %u threads", started, crew->n);
    return started == crew->n;
}

static void report(struct ld_crew *crew)
{
    struct sp_histogram *service = sp_hist_new(), *response = sp_hist_new();
    uint64_t errors = 0, late = 0;
    if (service != NULL && response != NULL) {
        for (unsigned i = 0; i < crew->n; i++) {
            sp_hist_merge(service, crew->users[i].service);
            sp_hist_merge(response, crew->users[i].response);
            errors += crew->users[i].errors;
            late += crew->users[i].late;
        }
        struct sp_measure m = { .operation = crew->operation,
            .basis = "service",
            .hist = service,
            .errors = errors,
            .late = late,
            .duration_s = crew->duration_s };
        sp_ctx_measure(crew->ctx, &m);
        if (response->count > 0) {
            m.basis = "response";
            m.hist = response;
            sp_ctx_measure(crew->ctx, &m);
        }
    }
    if (service == NULL || response == NULL)
        sp_ctx_error(crew->ctx, "out of memory for a histogram");
    sp_hist_free(service);
    sp_hist_free(response);
}

bool ld_run(struct ld_crew *crew)
{
    if (!crew_make(crew)) {
        sp_ctx_error(crew->ctx, "out of memory for %u users", crew->n);
        return false;
    }
    for (unsigned i = 0; i < crew->n; i++) {
        crew->users[i].s = sp_ctx_session(crew->ctx, i + 1);
        if (crew->users[i].s == NULL)
            return false;
    }
    if (!start_all(crew))
        return false;
    report(crew);
    for (unsigned i = 0; i < crew->n; i++) {
        struct ld_user *u = &crew->users[i];
        if (!sp_check_int(crew->ctx, "attempts = ok + conflicts + errors", (int64_t)u->attempts,
                (int64_t)(u->ok + u->conflicts + u->errors)))
            return false;
        if (u->errors > 0 &&
            !sp_check_ok(crew->ctx, "an operation under load", -(int)u->first.code, &u->first))
            return false;
    }
    return true;
}
