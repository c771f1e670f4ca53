/* name.c -- keys as file names: one to one, safe on every file system.
 *
 * An object's file is "=" and its key, where everything but a-z 0-9 _ - and inner dots is %hh. Slashes and dots at
 * risk are escaped, so no key can name a directory, a parent, or another key's file; capitals are escaped, so a file
 * system that ignores case keeps them apart; bytes above 0x7f are escaped, so none that normalises Unicode can merge
 * two keys. A name that would be too long is "#" and the key's SHA-256; the key itself stands in the file. */
#include <string.h>
#include <errno.h>

#include "base/str.h"
#include "internal.h"
#include "providers/lib/object.h"

#define LONGEST_NAME 140 /* the smallest NAME_MAX in use is 143 (eCryptfs) */

static const char hex_digits[] = "0123456789abcdef";

bool sp_fs_bucket_ok(const char *bucket)
{
    size_t n = strlen(bucket);
    if (n < 3 || n > 63 || bucket[0] == '.')
        return false;
    return strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

int sp_fs_check_bucket(const char *bucket, struct sp_error *err)
{
    if (bucket != NULL && sp_fs_bucket_ok(bucket))
        return 0;
    return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
        "bucket name \"%s\": expected 3 to 63 of a-z 0-9 . _ -, without a dot at the start",
        bucket != NULL ? bucket : "");
}

int sp_fs_check_key(const char *key, struct sp_error *err)
{
    return sp_object_key_check(key != NULL ? key : "", SP_FS_KEY_BYTES, err);
}

static bool plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

void sp_fs_hex(const uint8_t sha[32], char out[65])
{
    for (size_t i = 0; i < 32; i++) {
        out[2 * i] = hex_digits[sha[i] >> 4];
        out[2 * i + 1] = hex_digits[sha[i] & 15];
    }
    out[64] = '\0';
}

int sp_fs_name(const char *key, char out[SP_FS_NAME], struct sp_error *err)
{
    size_t n = 0, len = strlen(key);
    out[n++] = '=';
    for (size_t i = 0; i < len && n + 3 <= LONGEST_NAME; i++) {
        uint8_t c = (uint8_t)key[i];
        /* a trailing dot disappears on some file systems */
        if (plain(key[i]) && !(c == '.' && i + 1 == len)) {
            out[n++] = key[i];
        } else {
            out[n++] = '%';
            out[n++] = hex_digits[c >> 4];
            out[n++] = hex_digits[c & 15];
        }
        if (i + 1 == len) {
            out[n] = '\0';
            return 0;
        }
    }
    uint8_t sha[32];
    if (EVP_Digest(key, len, sha, NULL, EVP_sha256(), NULL) != 1)
        return sp_nomem(err);
    out[0] = '#';
    sp_fs_hex(sha, out + 1);
    return 0;
}

bool sp_fs_name_is_object(const char *name)
{
    return name[0] == '=' || name[0] == '#';
}

static int nibble(char c)
{
    const char *at = c != '\0' ? strchr(hex_digits, c) : NULL;
    return at != NULL ? (int)(at - hex_digits) : -1;
}

bool sp_fs_name_decode(const char *name, char key[SP_FS_KEY_BYTES + 1], bool *hashed)
{
    size_t n = 0;
    key[0] = '\0';
    *hashed = name[0] == '#';
    if (*hashed)
        return strlen(name) == 65 && strspn(name + 1, hex_digits) == 64;
    for (const char *p = name + 1; *p != '\0'; p++) {
        if (n == SP_FS_KEY_BYTES)
            return false;
        if (*p != '%') {
            key[n++] = *p;
            continue;
        }
        int hi = nibble(p[1]), lo = hi < 0 ? -1 : nibble(p[2]);
        if (lo < 0 || hi * 16 + lo == 0)
            return false;
        key[n++] = (char)(hi * 16 + lo);
        p += 2;
    }
    key[n] = '\0';
    /* Only the one spelling that sp_fs_name() writes is a key's name. */
    char again[SP_FS_NAME];
    return n != 0 && sp_utf8_valid(key, n) && sp_fs_name(key, again, NULL) == 0 && strcmp(again, name) == 0;
}
