/* mutants_process.c -- workers that crash, hang, or print what nobody asked for: bugs of a client library, which cost
 * one case each. They show nothing about the cases, and so stay out of the kill matrix (no suite has their facet). */
#include "run/mutation.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Every round trip that a case asks for; opening a session makes none. */
static bool plant_ping(int (*ping)(struct sp_session *s, struct sp_error *err))
{
    bool can = sp_mutation.outer.ping != NULL;
    sp_mutation.outer.ping = can ? ping : NULL;
    return can;
}

static int ping_crashes(struct sp_session *s, struct sp_error *err)
{
    (void)s, (void)err;
    (void)signal(SIGSEGV, SIG_DFL); /* a sanitizer's handler would end in another way */
    (void)raise(SIGSEGV);
    return 0;
}
static bool plant_worker_crashes(void)
{
    return plant_ping(ping_crashes);
}

static int ping_exits(struct sp_session *s, struct sp_error *err)
{
    (void)s, (void)err;
    _exit(0); /* "all is well" */
}
static bool plant_worker_exits(void)
{
    return plant_ping(ping_exits);
}

static int ping_hangs(struct sp_session *s, struct sp_error *err)
{
    (void)s, (void)err;
    while (pause() != 0)
        ; /* signals that are caught don't end it */
    return 0;
}
static bool plant_worker_hangs(void)
{
    return plant_ping(ping_hangs);
}

/* Bytes of every value, among them what looks like an event, an end of a run, markup and terminal commands. */
static int ping_prints(struct sp_session *s, struct sp_error *err)
{
    static const char fake[] =
        "\n{\"ev\":\"run_end\",\"verdict\":\"HELD\",\"exit_code\":0}\n"
        "]]></system-out><script>alert(1)</script>\033[2J\033]0;title\007\001crud.x\001\n";
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(unsigned char)i;
    for (int i = 0; i < 2000; i++) {
        (void)!write(STDOUT_FILENO, bytes, sizeof bytes);
        (void)!write(STDERR_FILENO, fake, sizeof fake - 1);
    }
    return sp_mutation.inner->ping(s, err);
}
static bool plant_worker_prints_garbage(void)
{
    return plant_ping(ping_prints);
}

/* Hits the descriptor of the events themselves, as a library does that closes and reuses a foreign one. */
static int ping_breaks_events(struct sp_session *s, struct sp_error *err)
{
    static const char noise[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    (void)!send(3, noise, sizeof noise - 1, MSG_NOSIGNAL);
    return sp_mutation.inner->ping(s, err);
}
static bool plant_worker_breaks_events(void)
{
    return plant_ping(ping_breaks_events);
}

/* Long enough a round trip to be interrupted in. */
static int ping_dawdles(struct sp_session *s, struct sp_error *err)
{
    struct timespec t = { .tv_sec = 3 };
    (void)nanosleep(&t, NULL);
    return sp_mutation.inner->ping(s, err);
}
static bool plant_worker_dawdles(void)
{
    return plant_ping(ping_dawdles);
}

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "process", text }, plant_##name                                                             \
    }
const struct sp_mutant_row sp_mutants_process[] = {
    ROW(worker_crashes, "the worker crashes in a round trip"),
    ROW(worker_exits, "the worker ends in a round trip, and says that all is well"),
    ROW(worker_hangs, "a round trip never returns"),
    ROW(worker_prints_garbage, "a round trip prints half a megabyte of garbage"),
    ROW(worker_breaks_events, "a round trip writes between the worker's events"),
    ROW(worker_dawdles, "a round trip takes three seconds"),
    { { NULL, NULL, NULL }, NULL },
};
