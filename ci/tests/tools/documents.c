/* documents.c -- plain commands to a MongoDB-compatible server, for tests that plant documents without our own encoder.
 * usage: documents URL [DATABASE]   one command in extended JSON a line on standard input; "# ..." and empty lines are skipped.
 * Exit code 1 with the server's answer at the first command that fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if SP_WITH_MONGODB
#include <mongoc/mongoc.h>

static bool run(mongoc_client_t *client, const char *db, const char *line)
{
    bson_error_t e = { .code = 0 };
    bson_t reply = BSON_INITIALIZER, *cmd = bson_new_from_json((const uint8_t *)line, -1, &e);
    bson_iter_t it;
    bool ok = cmd != NULL;
    if (ok) {
        bson_destroy(&reply);
        ok = mongoc_client_command_simple(client, db, cmd, NULL, &reply, &e);
    }
    if (!ok)
        fprintf(stderr, "%s: %s\n", line, e.message);
    if (ok && bson_iter_init_find(&it, &reply, "writeErrors")) {
        char *text = bson_as_canonical_extended_json(&reply, NULL);
        fprintf(stderr, "%s: %s\n", line, text);
        bson_free(text);
        ok = false;
    }
    /* What an update or a delete did not meet was not planted. */
    if (ok && (bson_has_field(cmd, "update") || bson_has_field(cmd, "delete")) &&
        bson_iter_init_find(&it, &reply, "n") && bson_iter_as_int64(&it) == 0) {
        fprintf(stderr, "%s: no document was met\n", line);
        ok = false;
    }
    bson_destroy(&reply);
    bson_destroy(cmd);
    return ok;
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t cap = 0;
    int rc = 0;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: documents URL [DATABASE] < COMMANDS\n");
        return 2;
    }
    mongoc_init();
    mongoc_uri_t *uri = mongoc_uri_new(argv[1]);
    mongoc_client_t *client = uri != NULL ? mongoc_client_new_from_uri(uri) : NULL;
    const char *db = argc == 3 ? argv[2] : uri != NULL ? mongoc_uri_get_database(uri) : NULL;
    if (client == NULL || db == NULL) {
        fprintf(stderr, "no such URL, or no database in it\n");
        rc = 2;
    }
    while (rc == 0 && getline(&line, &cap, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#' && !run(client, db, line))
            rc = 1;
    }
    free(line);
    if (client != NULL)
        mongoc_client_destroy(client);
    if (uri != NULL)
        mongoc_uri_destroy(uri);
    mongoc_cleanup();
    return rc;
}
#else
int main(void)
{
    fprintf(stderr, "this build has no mongodb\n");
    return 2;
}
#endif
