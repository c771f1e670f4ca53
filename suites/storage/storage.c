/* storage.c -- the table of the storage suite: what an object store must keep to be switched to. */
#include "suites/storage/storage.h"

#include "suites/suites.h"

#define OBJECTS   SP_CAP_BUCKETS, SP_CAP_PUT, SP_CAP_GET, SP_CAP_HEAD
#define BASE      SP_NEEDS(OBJECTS)
#define LISTED    SP_NEEDS(OBJECTS, SP_CAP_LIST)
#define DELETED   SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_DELETE)
#define DELIMITED SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_DELIMITER)
#define RANGES    SP_NEEDS(OBJECTS, SP_CAP_RANGE)
#define COPIES    SP_NEEDS(OBJECTS, SP_CAP_COPY)
#define MOVES     SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_MOVE)
#define PARTS     SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_MULTIPART)
#define ANY_ORDER SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_MULTIPART, SP_CAP_PART_ORDER)
#define SIGNED    SP_NEEDS(OBJECTS, SP_CAP_SIGNED_URL)
#define KEYS      SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_DELETE)
#define ANY_KEYS  SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_DELETE, SP_CAP_KEYS_ANY)

#define CASE(name, what, caps)                                                                               \
    {                                                                                                        \
        .id = "storage." #name, .promise = what, .needs = caps, .run = stc_##name                            \
    }
#define SLOW(name, what, caps)                                                                               \
    {                                                                                                        \
        .id = "storage." #name, .promise = what, .needs = caps, .run = stc_##name, .timeout_ms = 60000       \
    }
/* Stopping and starting a server may take a minute and a half each. */
#define FAULT(name, what, caps)                                                                              \
    {                                                                                                        \
        .id = "storage." #name, .promise = what, .needs = caps, .run = stc_##name, .flags = SP_CASE_FAULTS,  \
        .timeout_ms = 300000                                                                                 \
    }
#define KEY(name, text, what, caps)                                                                          \
    {                                                                                                        \
        .id = "storage.key_" #name, .promise = what, .needs = caps, .run = stc_key_kept,                     \
        .data = &(const struct st_key)                                                                       \
        {                                                                                                    \
            text                                                                                             \
        }                                                                                                    \
    }
#define BAD_KEY(name, text, what)                                                                            \
    {                                                                                                        \
        .id = "storage.key_" #name, .promise = what, .needs = LISTED, .run = stc_key_refused,                \
        .data = &(const struct st_key)                                                                       \
        {                                                                                                    \
            text                                                                                             \
        }                                                                                                    \
    }
#define RANGE(name, what, ...)                                                                               \
    {                                                                                                        \
        .id = "storage.range_" #name, .promise = what, .needs = RANGES, .run = stc_range,                    \
        .data = &(const struct st_range)                                                                     \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define DISTINCT(name, what, caps, ...)                                                                      \
    {                                                                                                        \
        .id = "storage.keys_" #name, .promise = what, .needs = caps, .run = stc_keys_distinct,               \
        .data = (const char *const[])                                                                        \
        {                                                                                                    \
            __VA_ARGS__, NULL                                                                                \
        }                                                                                                    \
    }

static const struct sp_case cases[] = {
    CASE(round_trip, "what was stored is read back, each under its own key", BASE),
    CASE(zero_bytes, "an empty object exists, and is empty", LISTED),
    CASE(binary, "every byte value is kept, at every place", BASE),
    CASE(overwrite, "a put replaces the whole content, also by a shorter one", LISTED),
    CASE(large, "an object of several megabytes is kept exactly", BASE),
    CASE(absent, "an absent key is not found, also where longer or shorter keys exist", BASE),
    CASE(delete, "a deleted object is gone, its neighbours stay", DELETED),
    CASE(delete_absent, "deleting what is not there is no error", DELETED),
    CASE(content_type, "the content type given is the one given back, and a put replaces it",
        SP_NEEDS(OBJECTS, SP_CAP_CONTENT_TYPE)),
    CASE(content_type_default,
        "without a content type it is application/octet-stream, never guessed from the key",
        SP_NEEDS(OBJECTS, SP_CAP_CONTENT_TYPE)),
    CASE(metadata, "user metadata is kept, sorted by name, also empty values and punctuation",
        SP_NEEDS(OBJECTS, SP_CAP_METADATA)),
    CASE(metadata_replaced, "a put replaces all metadata", SP_NEEDS(OBJECTS, SP_CAP_METADATA)),
    CASE(etag, "the etag changes with the content and with nothing else", BASE),
    CASE(modified, "the time of the last put is known, and does not run backwards", BASE),
    CASE(two_sessions, "another session sees puts, replacements and deletes at once",
        SP_NEEDS(OBJECTS, SP_CAP_DELETE)),
    CASE(stream_abort, "an upload that breaks off leaves the old object, or none", LISTED),
    CASE(concurrent_put, "a reader gets the object last put, whole", BASE),
    CASE(buckets_apart, "the same key in two buckets is two objects", SP_NEEDS(OBJECTS, SP_CAP_DELETE)),
    CASE(bucket_exists, "creating a bucket again is refused, and harms nothing", BASE),
    CASE(bucket_absent, "an absent bucket is not found by any call", LISTED),
    CASE(bucket_drop, "dropping a bucket removes its objects; a new one of that name is empty", LISTED),
    CASE(bucket_list, "buckets are found by the start of their name", BASE),
    CASE(list_order, "keys are listed in byte order, whatever the order of the puts", LISTED),
    CASE(list_prefix, "a prefix selects by bytes: no folding of case, no wildcards", LISTED),
    CASE(list_delimiter, "a delimiter folds longer keys into common prefixes", DELIMITED),
    CASE(list_delimiter_pages, "a common prefix is one entry, on one page", DELIMITED),
    CASE(list_pages, "walking the pages gives every key once, whatever the size of a page", LISTED),
    CASE(list_deleted, "a deleted object is listed no more", DELETED),
    CASE(list_empty, "an empty bucket lists nothing, without an error", LISTED),
    SLOW(list_many, "more than a thousand keys are listed without a silent cap", LISTED),
    CASE(copy, "a copy is an object of its own", COPIES),
    CASE(copy_onto_itself, "a copy onto itself loses nothing", COPIES),
    CASE(copy_absent, "copying what is not there is an error, and harms nothing", COPIES),
    CASE(copy_metadata, "a copy keeps content type and metadata",
        SP_NEEDS(OBJECTS, SP_CAP_COPY, SP_CAP_METADATA, SP_CAP_CONTENT_TYPE)),
    CASE(move, "a moved object is under its new key only", MOVES),
    CASE(move_absent, "moving what is not there is an error, and harms nothing", MOVES),
    CASE(move_over, "moving over an object replaces it", MOVES),
    CASE(if_none_match, "put-if-absent stores once", SP_NEEDS(OBJECTS, SP_CAP_DELETE, SP_CAP_IF_NONE_MATCH)),
    CASE(if_match, "put-if-unchanged refuses the one that comes second", SP_NEEDS(OBJECTS, SP_CAP_IF_MATCH)),
    SLOW(if_none_match_race, "of several put-if-absent in one moment one stores, and its content stays",
        SP_NEEDS(OBJECTS, SP_CAP_IF_NONE_MATCH)),
    SLOW(if_match_race, "of several put-if-unchanged in one moment one stores, and its content stays",
        SP_NEEDS(OBJECTS, SP_CAP_IF_MATCH)),
    SLOW(replace_while_read, "who reads while an object is replaced gets the one or the other, whole", BASE),
    CASE(checksum, "a put with its right checksum is stored", SP_NEEDS(OBJECTS, SP_CAP_CHECKSUM)),
    CASE(checksum_wrong, "a put with a wrong checksum is refused, and leaves what was there",
        SP_NEEDS(OBJECTS, SP_CAP_CHECKSUM)),
    SLOW(multipart, "parts become one object, visible only when complete",
        SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_MULTIPART, SP_CAP_METADATA, SP_CAP_CONTENT_TYPE)),
    SLOW(multipart_order, "parts count by their number, and the last sending of a part counts", ANY_ORDER),
    SLOW(multipart_gap, "an upload with a missing part is not completed", ANY_ORDER),
    SLOW(multipart_place, "a part is at its own place or refused, never elsewhere", PARTS),
    CASE(multipart_abort, "an aborted upload leaves nothing, and ends", PARTS),
    SLOW(multipart_resume, "an upload goes on in another session", PARTS),
    CASE(multipart_unknown, "a completed upload ends", PARTS),
    CASE(multipart_replace, "an upload replaces an object at completion, not before", PARTS),
    CASE(sign_get, "a signed URL gives the object without other credentials", SIGNED),
    CASE(sign_expired, "a signed URL ends in time", SIGNED),
    CASE(sign_tampered, "a signed URL opens its own object only", SIGNED),
    CASE(sign_put, "a URL signed for writing stores an object, until it expires",
        SP_NEEDS(OBJECTS, SP_CAP_SIGNED_URL, SP_CAP_SIGNED_PUT)),
    CASE(sign_method, "a URL signed for reading does not write", SIGNED),

    CASE(semantics_keys, "an odd key is stored and listed once, or refused and not there", DELETED),
    CASE(semantics_alike, "two keys that look alike are two objects, one, or refused", BASE),
    CASE(semantics_metadata, "odd metadata is kept, lost or refused, in words",
        SP_NEEDS(OBJECTS, SP_CAP_METADATA)),
    CASE(semantics_buckets, "what stores do in ways of their own is told", SP_NEEDS(OBJECTS, SP_CAP_DELETE)),

    RANGE(whole, "a range over everything is everything", 1000, 0, SP_TO_END, SP_E_OK, 0, 1000),
    RANGE(start, "the first bytes", 1000, 0, 10, SP_E_OK, 0, 10),
    RANGE(middle, "bytes from the middle", 100000, 4095, 8193, SP_E_OK, 4095, 8193),
    RANGE(one_byte, "a single byte", 1000, 512, 1, SP_E_OK, 512, 1),
    RANGE(last_byte, "the last byte", 1000, 999, 1, SP_E_OK, 999, 1),
    RANGE(to_end, "from an offset to the end", 1000, 990, SP_TO_END, SP_E_OK, 990, 10),
    RANGE(clipped, "a range that goes beyond the end is cut there", 1000, 990, 100, SP_E_OK, 990, 10),
    RANGE(at_end, "a range that starts at the end is refused", 1000, 1000, 1, SP_E_RANGE, 0, 0),
    RANGE(past_end, "a range that starts beyond the end is refused", 1000, 5000, 10, SP_E_RANGE, 0, 0),
    RANGE(of_empty, "the empty object read from its start gives nothing", 0, 0, SP_TO_END, SP_E_OK, 0, 0),
    RANGE(huge_offset, "an offset beyond any object is refused, not wrapped around", 1000, UINT64_MAX - 1, 10,
        SP_E_RANGE, 0, 0),

    KEY(space, "with space/and more .txt", "blanks in a key are kept", KEYS),
    KEY(plus, "a+b", "a plus sign is no blank", KEYS),
    KEY(percent, "100%25%2F%zz", "percent signs are not decoded", ANY_KEYS),
    KEY(query, "what?x=1&y=2#part", "? & # are part of the key", ANY_KEYS),
    KEY(quotes, "it's \"quoted\" `so`; <b>&amp;", "quotes, semicolon and angle brackets are kept", ANY_KEYS),
    KEY(unicode, "caf\xc3\xa9/\xe6\x97\xa5\xe6\x9c\xac/\xd1\x8f", "letters beyond ASCII are kept", ANY_KEYS),
    KEY(emoji, "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb.png",
        "characters beyond the basic plane are kept", ANY_KEYS),
    KEY(dots, "dir/..dots...", "dots in a name are kept", KEYS),
    KEY(dot_dot, "../../escape", "a key of .. names an object, and leads nowhere else", ANY_KEYS),
    KEY(dot_dot_inside, "a/../b", "a key with .. inside is kept as it is", ANY_KEYS),
    KEY(single_dot, "./a/.", "a key with . is kept as it is", ANY_KEYS),
    KEY(leading_slash, "/etc/passwd", "a leading slash is part of the key", ANY_KEYS),
    KEY(double_slash, "a//b", "two slashes stay two", ANY_KEYS),
    KEY(trailing_slash, "folder/", "a trailing slash is part of the key", ANY_KEYS),
    KEY(backslash, "a\\b\\..\\c", "backslashes separate nothing", ANY_KEYS),
    KEY(control, "tab\tand\nnewline", "control characters are kept", ANY_KEYS),
    KEY(reserved, "CON", "names that some systems reserve are kept", KEYS),
    KEY(dash, "-rf", "a key that looks like an option is kept", KEYS),
    KEY(longest, NULL, "a key of the declared length is kept",
        SP_NEEDS(OBJECTS, SP_CAP_LIST, SP_CAP_DELETE, SP_CAP_KEY_BYTES)),
    DISTINCT(case, "keys that differ in case are two objects", KEYS, "Readme", "readme", "README"),
    DISTINCT(normal_forms, "composed and decomposed letters are two keys", ANY_KEYS, "\xc3\xa9", "e\xcc\x81"),
    DISTINCT(nested, "a key may be the start of another one", ANY_KEYS, "a", "a/b", "a/b/c", "a/"),
    DISTINCT(slashes, "slashes, dots and their encodings are different keys", ANY_KEYS, "a/b", "a//b", "/a/b",
        "a%2Fb", "a/./b", "a\\b", "./a/b", "a/b/"),
    DISTINCT(encodings, "a key and its percent-encoding are two objects", ANY_KEYS, "a b", "a%20b", "a+b",
        "a%2520b"),
    DISTINCT(long_tails, "long keys that differ in the last byte are two objects",
        SP_NEEDS(OBJECTS, SP_CAP_DELETE, SP_CAP_KEY_BYTES),
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc2"),
    FAULT(killed_in_put,
        "a put that loses its server leaves the old object, the new one or none, never a part", BASE),
    FAULT(killed_in_get, "a get that loses its server is no object that ended", BASE),
    { .id = NULL },
};

const struct sp_suite sp_suite_storage = {
    .name = "storage",
    .summary = "objects in buckets: content, keys, ranges, listings, conditions, uploads, signed URLs",
    .cases = cases,
};
