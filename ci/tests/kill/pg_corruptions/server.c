/* server.c -- psql, and clones of databases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "pg.h"

static char prefix[1024]; /* of the URL, up to the slash before the database */

static void keep(const char *name, const char *p, size_t n)
{
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)n, p);
    (void)setenv(name, text, 1);
}

/* postgresql://user:password@host:port/database, as ci/stack prints it. */
bool pg_connect(const char *url)
{
    const char *user = strstr(url, "://"), *slash;
    if (user == NULL || (slash = strrchr(url, '/')) < user + 3 || (size_t)(slash - url) >= sizeof prefix)
        return false;
    user += 3;
    const char *colon = strchr(user, ':'), *at = strchr(user, '@');
    const char *port = at == NULL ? NULL : strchr(at, ':');
    if (colon == NULL || at == NULL || colon > at || port == NULL)
        return false;
    keep("PGUSER", user, (size_t)(colon - user));
    keep("PGPASSWORD", colon + 1, (size_t)(at - colon - 1));
    keep("PGHOST", at + 1, (size_t)(port - at - 1));
    keep("PGPORT", port + 1, (size_t)(slash - port - 1));
    (void)setenv("PGOPTIONS", "-c client_min_messages=warning", 1);
    snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - url), url);
    return true;
}

void pg_url(char *out, size_t size, const char *database)
{
    snprintf(out, size, "%s/%s", prefix, database);
}

static bool run(const char *const *args)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(2, 1); /* answers are not asked for */
        execvp(args[0], (char *const *)(uintptr_t)args);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool pg_sql(const char *database, const char *sql)
{
    const char *const args[] = { "psql", "-qAtX", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-d", database,
        "-c", sql, NULL };
    bool ok = run(args);
    if (!ok)
        printf("psql failed: %s: %.300s\n", database, sql);
    return ok;
}

bool pg_shell(const char *command)
{
    const char *const args[] = { "sh", "-c", command, NULL };
    return run(args);
}

bool pg_clone(const char *from, const char *to)
{
    char sql[256];
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", to);
    if (!pg_sql("postgres", sql))
        return false;
    snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s STRATEGY %s", to, from, "wal_log");
    return pg_sql("postgres", sql);
}
