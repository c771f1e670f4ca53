/* mongo.h -- what the sides that hold documents share. Single-threaded, as all of props. */
#ifndef KILL_PROPS_MONGO_H
#define KILL_PROPS_MONGO_H

#include <mongoc/mongoc.h>

#include "props.h"

mongoc_client_t *mongo_client(void);
void mongo_connect(const char *url);
void mongo_url(char *out, size_t size, const char *url, const char *database);
/* Appends a value as that kind is kept in documents; an absent one is not appended. */
void mongo_put(bson_t *d, const char *name, enum kind k, const struct cell *c);
void mongo_command(const char *database, bson_t *command); /* releases it */
/* Inserts as they are: names may be empty. */
void mongo_insert(const char *database, const char *collection, bson_t *const *documents, size_t n);
void mongo_clear(const char *database, const char *collection); /* its documents */

#endif
