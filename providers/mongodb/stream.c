/* stream.c -- the connection's bytes. libmongoc reads and writes through streams; this one waits for its socket and for
 * the session's bell at once, so that another thread can end a wait, and never waits behind the statement's deadline. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "providers/mongodb/internal.h"

#define MO_STREAM_TYPE 0x53 /* none of libmongoc's own */

struct mo_stream {
    mongoc_stream_t base;
    struct sp_session *s;
    int fd;
    bool timed_out, again; /* again: nothing could be moved now, and waiting was not asked for */
};

static struct mo_stream *mine(mongoc_stream_t *stream)
{
    return (struct mo_stream *)(void *)stream;
}

/* Milliseconds to wait: the caller's, but not beyond the statement's deadline. -1 = no limit, 0 = it is over. */
static int left_ms(const struct sp_session *s, int64_t until)
{
    int64_t at = s->deadline_ns > 0 && (until < 0 || s->deadline_ns < until) ? s->deadline_ns : until;
    if (at < 0)
        return -1;
    int64_t ms = (at - mo_now_ns() + 999999) / 1000000;
    return ms <= 0 ? 0 : ms > 1000000 ? 1000000 : (int)ms;
}

/* 1 = ready, 0 = too late, -1 = ended by the bell or broken. */
static int wait_ready(struct sp_session *s, int fd, short events, int64_t until)
{
    for (;;) {
        struct pollfd fds[2] = { { .fd = fd, .events = events }, { .fd = s->bell, .events = POLLIN } };
        int ms = left_ms(s, until);
        int n = poll(fds, 2, ms);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (fds[1].revents != 0) {
            errno = ECANCELED;
            return -1;
        }
        if (fds[0].revents != 0)
            return 1;
        if (left_ms(s, until) == 0) {
            errno = ETIMEDOUT;
            return 0;
        }
    }
}

static int64_t until_of(int32_t timeout_msec)
{
    return timeout_msec < 0 ? -1 : mo_now_ns() + (int64_t)timeout_msec * 1000000;
}

/* Our side of the connection that is given up, as the server names it. */
static void note_cut(struct mo_stream *m)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[64], port[8];
    struct sp_buf b = SP_BUF_INIT;
    m->s->cut[0] = '\0';
    if (getsockname(m->fd, (struct sockaddr *)(void *)&a, &n) != 0 || a.ss_family == AF_UNIX ||
        getnameinfo((struct sockaddr *)(void *)&a, n, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    sp_buf_printf(&b, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    if (!b.oom && !sp_strlcpy(m->s->cut, b.p, sizeof m->s->cut))
        m->s->cut[0] = '\0';
    sp_buf_free(&b);
}

static int wait_stream(struct mo_stream *m, short events, int32_t timeout_msec, int64_t until)
{
    m->again = timeout_msec == 0;
    if (m->again) { /* while connecting, and above all within TLS: the caller polls */
        errno = EAGAIN;
        return 0;
    }
    int n = wait_ready(m->s, m->fd, events, until);
    m->timed_out = n == 0;
    if (n != 1) {
        int why = errno;
        note_cut(m);
        errno = why;
    }
    return n;
}

/* Moves on by n bytes; false when all is done. */
static bool advance(mongoc_iovec_t **iov, size_t *count, size_t n)
{
    while (*count > 0 && n >= (*iov)->iov_len) {
        n -= (*iov)->iov_len;
        ++*iov;
        --*count;
    }
    if (*count == 0)
        return false;
    (*iov)->iov_base = (char *)(*iov)->iov_base + n;
    (*iov)->iov_len -= n;
    return true;
}

static ssize_t stream_writev(
    mongoc_stream_t *stream, mongoc_iovec_t *iov, size_t iovcnt, int32_t timeout_msec)
{
    struct mo_stream *m = mine(stream);
    int64_t until = until_of(timeout_msec);
    ssize_t total = 0;
    m->timed_out = m->again = false;
    while (iovcnt > 0) {
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = iovcnt > 64 ? 64 : iovcnt };
        ssize_t n = sendmsg(m->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (wait_stream(m, POLLOUT, timeout_msec, until) != 1)
                return m->again && total > 0 ? total : -1;
            continue;
        }
        if (n < 0)
            return -1;
        total += n;
        if (!advance(&iov, &iovcnt, (size_t)n))
            break;
    }
    return total;
}

/* At least min_bytes; a peer that closed gives what came before. */
static ssize_t stream_readv(
    mongoc_stream_t *stream, mongoc_iovec_t *iov, size_t iovcnt, size_t min_bytes, int32_t timeout_msec)
{
    struct mo_stream *m = mine(stream);
    int64_t until = until_of(timeout_msec);
    ssize_t total = 0;
    m->timed_out = m->again = false;
    while (iovcnt > 0) {
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = iovcnt > 64 ? 64 : iovcnt };
        ssize_t n = recvmsg(m->fd, &msg, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return -1;
        if (n == 0) {
            errno = ECONNRESET;
            return total > 0 ? total : -1;
        }
        if (n > 0) {
            total += n;
            if ((size_t)total >= min_bytes || !advance(&iov, &iovcnt, (size_t)n))
                break;
        } else if (wait_stream(m, POLLIN, timeout_msec, until) != 1) {
            return m->again && total > 0 ? total : -1;
        }
    }
    return total;
}

/* Only while connecting: libmongoc asks which of its streams can go on. */
static ssize_t stream_poll(mongoc_stream_poll_t *streams, size_t n, int32_t timeout)
{
    struct pollfd *fds = calloc(n + 1, sizeof *fds);
    if (fds == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        mongoc_stream_t *base = streams[i].stream;
        while (base->type != MO_STREAM_TYPE && base->get_base_stream != NULL)
            base = base->get_base_stream(base);
        fds[i] = (struct pollfd){ .fd = base->type == MO_STREAM_TYPE ? mine(base)->fd : -1,
            .events = (short)streams[i].events };
    }
    int got = poll(fds, n, timeout);
    for (size_t i = 0; i < n; i++)
        streams[i].revents = fds[i].revents;
    free(fds);
    return got;
}

static int stream_close(mongoc_stream_t *stream)
{
    struct mo_stream *m = mine(stream);
    int ret = m->fd >= 0 ? close(m->fd) : 0;
    m->fd = -1;
    return ret;
}

static void stream_destroy(mongoc_stream_t *stream)
{
    (void)stream_close(stream);
    free(mine(stream));
}

static int stream_flush(mongoc_stream_t *stream)
{
    (void)stream;
    return 0;
}

static int stream_setsockopt(
    mongoc_stream_t *stream, int level, int optname, void *optval, mongoc_socklen_t optlen)
{
    return setsockopt(mine(stream)->fd, level, optname, optval, optlen);
}

static bool stream_check_closed(mongoc_stream_t *stream)
{
    char byte;
    ssize_t n = recv(mine(stream)->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static bool stream_timed_out(mongoc_stream_t *stream)
{
    return mine(stream)->timed_out;
}

static bool stream_should_retry(mongoc_stream_t *stream)
{
    return mine(stream)->again;
}

static mongoc_stream_t *stream_new(struct sp_session *s, int fd)
{
    struct mo_stream *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->s = s;
    m->fd = fd;
    m->base.type = MO_STREAM_TYPE;
    m->base.destroy = stream_destroy;
    m->base.failed = stream_destroy;
    m->base.close = stream_close;
    m->base.flush = stream_flush;
    m->base.writev = stream_writev;
    m->base.readv = stream_readv;
    m->base.poll = stream_poll;
    m->base.setsockopt = stream_setsockopt;
    m->base.check_closed = stream_check_closed;
    m->base.timed_out = stream_timed_out;
    m->base.should_retry = stream_should_retry;
    return &m->base;
}

/* ---- connecting ---- */

static int connect_address(
    struct sp_session *s, int family, const struct sockaddr *to, socklen_t n, int64_t until)
{
    int on = 1, failed = 0;
    socklen_t len = sizeof failed;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        /* A peer that vanished is noticed within a minute, also where no time-out is set. */
        int idle = 20, interval = 10, count = 4;
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    }
    int ret = connect(fd, to, n);
    if (ret != 0 && (errno == EINPROGRESS || errno == EINTR)) {
        ret = -1;
        if (wait_ready(s, fd, POLLOUT, until) == 1 &&
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0) {
            errno = failed;
            ret = failed == 0 ? 0 : -1;
        }
    }
    if (ret == 0)
        return fd;
    int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

static int connect_unix(struct sp_session *s, const char *path, int64_t until)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    if (!sp_strlcpy(to.sun_path, path, sizeof to.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return connect_address(s, AF_UNIX, (const struct sockaddr *)(const void *)&to, sizeof to, until);
}

static int connect_host(
    struct sp_session *s, const mongoc_host_list_t *host, int64_t until, bson_error_t *error)
{
    struct addrinfo hints = { .ai_family = host->family == AF_INET6 ? AF_INET6 : AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    struct sp_buf port = SP_BUF_INIT;
    int fd = -1;
    sp_buf_printf(&port, "%u", (unsigned)host->port);
    int rc = port.oom ? EAI_MEMORY : getaddrinfo(host->host, port.p, &hints, &list);
    sp_buf_free(&port);
    if (rc != 0) {
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_NAME_RESOLUTION,
            "no address for host \"%s\": %s", host->host, gai_strerror(rc));
        return -2;
    }
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
        fd = connect_address(s, a->ai_family, a->ai_addr, a->ai_addrlen, until);
    freeaddrinfo(list);
    return fd;
}

static mongoc_stream_t *secure(const mongoc_uri_t *uri, const mongoc_host_list_t *host, mongoc_stream_t *base,
    int32_t ms, bson_error_t *error)
{
    mongoc_ssl_opt_t ssl = { 0 };
    ssl.pem_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, NULL);
    ssl.pem_pwd = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, NULL);
    ssl.ca_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, NULL);
    bool insecure = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSINSECURE, false);
    ssl.weak_cert_validation =
        insecure || mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, false);
    ssl.allow_invalid_hostname =
        insecure || mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, false);
    mongoc_stream_t *tls = mongoc_stream_tls_new_with_hostname(base, host->host, &ssl, 1);
    if (tls == NULL) {
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET,
            "TLS could not be set up; check tlsCAFile and tlsCertificateKeyFile");
        mongoc_stream_destroy(base);
        return NULL;
    }
    if (!mongoc_stream_tls_handshake_block(tls, host->host, ms, error)) {
        mongoc_stream_destroy(tls);
        return NULL;
    }
    return tls;
}

mongoc_stream_t *mo_stream_connect(
    const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *session, bson_error_t *error)
{
    struct sp_session *s = session;
    int32_t ms = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, s->connect_ms);
    int64_t until = mo_now_ns() + (int64_t)ms * 1000000;
    int fd =
        host->family == AF_UNIX ? connect_unix(s, host->host, until) : connect_host(s, host, until, error);
    if (fd == -2)
        return NULL;
    if (fd < 0) {
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "%s: %s", host->host_and_port,
            errno == 0 ? "cannot connect" : strerror(errno));
        return NULL;
    }
    mongoc_stream_t *stream = stream_new(s, fd);
    if (stream == NULL) {
        (void)close(fd);
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, "out of memory");
        return NULL;
    }
    if (mongoc_uri_get_tls(uri)) {
        stream = secure(uri, host, stream, ms, error);
        if (stream == NULL)
            return NULL;
    }
    return mongoc_stream_buffered_new(stream, 1024);
}
