/* proxy.c -- a small TCP proxy that misbehaves on order, for tests of bad servers.
 *
 * usage: proxy PORT SECONDS MODE [NUMBER]
 *   Listens on a free port of 127.0.0.1, prints that port, forwards each connection to 127.0.0.1:PORT. Ends by itself
 *   after SECONDS, when its parent goes, or at the end of its standard input if that is a pipe. A line "MODE [NUMBER]" on
 *   standard input changes what happens from then on, also to open connections (whose bytes are counted from the start);
 *   it is printed when it holds. The line "count" prints how many bytes the longest connection had from the server,
 *   and from the client.
 * modes: pass            forward
 *        refuse          reset each new connection
 *        silent          accept, and never answer
 *        stall N         forward N bytes of the server, then nothing more, and stay connected
 *        cut-server N    forward N bytes of the server, then reset
 *        end-server N    forward N bytes of the server, then close in good order
 *        cut-client N    forward N bytes of the client, then reset
 *        garbage N       forward N bytes of the server, then other bytes in place of its own
 *        delay MS        forward each piece MS milliseconds later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 128
#define PIECE 16384

static const char *const mode_names[] = { "pass", "refuse", "silent", "stall", "cut-server", "end-server",
    "cut-client", "garbage", "delay" };
enum mode { PASS, REFUSE, SILENT, STALL, CUT_SERVER, END_SERVER, CUT_CLIENT, GARBAGE, DELAY, MODES };

/* One direction: what was read from `in` and is not written to the other end yet. */
struct half {
    char data[PIECE];
    size_t from, to;
    uint64_t passed;
    int64_t not_before; /* ms */
    bool ended;         /* nothing more comes; told to the other side */
};

struct pair {
    int fd[2];           /* client, server; -1 = free slot, or no server is needed */
    struct half half[2]; /* [0] from the client, [1] from the server */
    bool used;
};

static struct pair pairs[PAIRS];
static enum mode mode;
static uint64_t number;
static uint16_t target;
static uint64_t most[2]; /* bytes of one connection from the client, from the server */
static uint64_t noise = UINT64_C(0x9E3779B97F4A7C15);

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool set_mode(const char *text)
{
    char name[32] = "";
    unsigned long long n = 0;
    if (sscanf(text, "%31s %llu", name, &n) < 1)
        return false;
    for (int i = 0; i < MODES; i++)
        if (!strcmp(name, mode_names[i])) {
            mode = (enum mode)i;
            number = n;
            return true;
        }
    (void)fprintf(stderr, "proxy: no mode \"%s\"\n", name);
    return false;
}

/* Reset: the peer gets an error instead of an end. */
static void drop(struct pair *p, bool reset)
{
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    for (int i = 0; i < 2; i++)
        if (p->fd[i] >= 0) {
            if (reset)
                (void)setsockopt(p->fd[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            (void)close(p->fd[i]);
        }
    p->used = false;
}

static void nonblocking(int fd)
{
    const int on = 1;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int connect_target(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(target) };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void take(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct pair *p = NULL;
    for (size_t i = 0; i < PAIRS && p == NULL; i++)
        if (!pairs[i].used)
            p = &pairs[i];
    if (p == NULL) {
        (void)close(fd);
        return;
    }
    memset(p, 0, sizeof *p);
    p->used = true;
    p->fd[0] = fd;
    p->fd[1] = mode == REFUSE || mode == SILENT ? -1 : connect_target();
    nonblocking(fd);
    if (p->fd[1] >= 0)
        nonblocking(p->fd[1]);
    else if (mode != SILENT)
        drop(p, true);
}

static uint64_t bound(size_t from_server)
{
    if (from_server)
        return mode == STALL || mode == CUT_SERVER || mode == END_SERVER ? number : UINT64_MAX;
    return mode == CUT_CLIENT ? number : UINT64_MAX;
}

static void spoil(struct half *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (h->passed + i >= number) {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            h->data[h->to + i] = (char)(noise >> 32);
        }
}

/* false: the pair is gone. */
static bool fill(struct pair *p, size_t i)
{
    struct half *h = &p->half[i];
    if (h->from == h->to)
        h->from = h->to = 0;
    uint64_t left = bound(i) > h->passed ? bound(i) - h->passed : 0;
    size_t room = PIECE - h->to;
    if (left < room)
        room = (size_t)left;
    if (room == 0)
        return true;
    ssize_t n = read(p->fd[i], h->data + h->to, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < 0) {
        drop(p, true);
        return false;
    }
    if (n == 0)
        h->ended = true;
    if (i == 1 && mode == GARBAGE)
        spoil(h, (size_t)n);
    if (mode == DELAY && n > 0)
        h->not_before = now_ms() + (int64_t)number;
    h->to += (size_t)n;
    h->passed += (uint64_t)n;
    if (h->passed > most[i])
        most[i] = h->passed;
    return true;
}

static bool flush_half(struct pair *p, size_t i)
{
    struct half *h = &p->half[i];
    if (h->from < h->to && now_ms() >= h->not_before) {
        ssize_t n = send(p->fd[1 - i], h->data + h->from, h->to - h->from, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            drop(p, true);
            return false;
        }
        if (n > 0)
            h->from += (size_t)n;
    }
    if (h->from < h->to)
        return true;
    if (h->passed >= bound(i) && mode != STALL) {
        drop(p, mode != END_SERVER);
        return false;
    }
    if (h->ended)
        (void)shutdown(p->fd[1 - i], SHUT_WR);
    if (p->half[0].ended && p->half[1].ended && p->half[1 - i].from == p->half[1 - i].to) {
        drop(p, false);
        return false;
    }
    return true;
}

static bool wants_input(const struct pair *p, size_t i)
{
    const struct half *h = &p->half[i];
    return !h->ended && h->from == h->to && h->passed < bound(i);
}

static bool silent(const struct pair *p)
{
    return p->fd[1] < 0;
}

/* What a silent connection says is read and forgotten; its end is noticed. */
static void swallow(struct pair *p)
{
    char rest[PIECE];
    ssize_t n = read(p->fd[0], rest, sizeof rest);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        drop(p, false);
}

static void serve(struct pair *p, short client, short server)
{
    const short events[2] = { client, server };
    if (silent(p)) {
        if (client)
            swallow(p);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (wants_input(p, i) && (events[i] & (POLLIN | POLLHUP | POLLERR)) && !fill(p, i))
            return;
        if (!flush_half(p, i))
            return;
    }
    /* A stalled pair reads no more from the server: only the client's going is left to notice. */
    if (((client | server) & POLLERR) || (mode == STALL && (client & POLLHUP)))
        drop(p, true);
}

static bool commands(void)
{
    static char line[128];
    static size_t n;
    ssize_t got = read(STDIN_FILENO, line + n, sizeof line - 1 - n);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    n += (size_t)got;
    line[n] = '\0';
    for (char *end; (end = strchr(line, '\n')) != NULL;) {
        *end = '\0';
        if (!strcmp(line, "count"))
            (void)printf("count %llu %llu\n", (unsigned long long)most[1], (unsigned long long)most[0]);
        else if (set_mode(line))
            (void)printf("%s\n", line);
        (void)fflush(stdout);
        n -= (size_t)(end + 1 - line);
        memmove(line, end + 1, n + 1);
    }
    if (n == sizeof line - 1)
        n = 0;
    return true;
}

static void run(int listener, bool controlled)
{
    struct pollfd fds[2 + 2 * PAIRS];
    for (;;) {
        fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = controlled ? STDIN_FILENO : -1, .events = POLLIN };
        bool waiting = false;
        for (size_t i = 0; i < PAIRS; i++)
            for (size_t k = 0; k < 2; k++) {
                struct pollfd *f = &fds[2 + 2 * i + k];
                const struct pair *p = &pairs[i];
                *f = (struct pollfd){ .fd = p->used ? p->fd[k] : -1 };
                if (!p->used)
                    continue;
                const struct half *out = &p->half[1 - k];
                bool unsent = !silent(p) && out->from < out->to;
                f->events = (short)((silent(p) || wants_input(p, k) ? POLLIN : 0) |
                                    (unsent && now_ms() >= out->not_before ? POLLOUT : 0));
                waiting |= unsent && now_ms() < out->not_before;
                /* Nothing to wait for: a descriptor that hung up would only make this loop spin. */
                if (f->events == 0 && !(mode == STALL && k == 0))
                    f->fd = -1;
            }
        if (poll(fds, 2 + 2 * PAIRS, waiting ? 1 : 1000) < 0 && errno != EINTR)
            return;
        if (controlled && fds[1].revents && !commands())
            return;
        for (size_t i = 0; i < PAIRS; i++)
            if (pairs[i].used)
                serve(&pairs[i], fds[2 + 2 * i].revents, fds[3 + 2 * i].revents);
        if (fds[0].revents)
            take(listener);
    }
}

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
    char *end;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return !errno && *text >= '0' && *text <= '9' && !*end && *out > 0 && *out <= max;
}

int main(int argc, char **argv)
{
    unsigned long port, seconds;
    char text[128];
    const pid_t parent = getppid();
    if (argc < 4 || argc > 5 || !parse_number(argv[1], 65535, &port) ||
        !parse_number(argv[2], 3600, &seconds) ||
        snprintf(text, sizeof text, "%s %s", argv[3], argc > 4 ? argv[4] : "0") >= (int)sizeof text ||
        !set_mode(text)) {
        (void)fprintf(stderr, "usage: proxy PORT SECONDS MODE [NUMBER]\n");
        return 2;
    }
    target = (uint16_t)port;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        return 1;
    (void)alarm((unsigned)seconds);
    struct sockaddr_in a = { .sin_family = AF_INET };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t n = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&a, n) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &n) != 0) {
        perror("proxy");
        return 1;
    }
    (void)printf("%u\n", (unsigned)ntohs(a.sin_port));
    (void)fflush(stdout);
    /* /dev/null and files can be sought in; a pipe cannot. */
    run(listener, lseek(STDIN_FILENO, 0, SEEK_CUR) < 0 && errno == ESPIPE && !isatty(STDIN_FILENO));
    return 0;
}
