/* test_postgresql_kind.c -- who answered: real only what is PostgreSQL itself beyond doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/postgresql/internal.h"

static const struct {
    const char *version, *product; /* NULL = PostgreSQL itself */
} cases[] = {
    { "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14) "
      "12.2.0, 64-bit",
        NULL },
    { "PostgreSQL 16.3 on aarch64-unknown-linux-musl, compiled by gcc (Alpine 13.2.1) 13.2.1 20231014, "
      "64-bit",
        NULL },
    { "PostgreSQL 12.0 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit", NULL },
    { "PostgreSQL 17beta1 on x86_64-apple-darwin23.4.0, compiled by clang, 64-bit", NULL },
    { "PostgreSQL 18devel on x86_64-linux, compiled by clang-18, 64-bit", NULL },
    { "PostgreSQL 14.11 (Homebrew) on aarch64-apple-darwin23.2.0, compiled by clang, 64-bit", NULL },
    { "PostgreSQL 16.1, compiled by Visual C++ build 1937, 64-bit", "unknown product" },
    { "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)", "CockroachDB" },
    { "PostgreSQL 11.2-YB-2.18.3.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 15.0.3, 64-bit",
        "YugabyteDB" },
    { "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat "
      "3.4.2-6.fc3), Redshift 1.0.48805",
        "Amazon Redshift" },
    { "PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:0a7a3566873325aca1789ae6f818c80f17a9402d) on "
      "x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
        "Greenplum" },
    { "PostgreSQL 15.4 (EnterpriseDB Advanced Server 15.4.0) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
        "EDB Postgres Advanced Server" },
    { "PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (materialized v0.27.0)", "Materialize" },
    { "PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB", "QuestDB" },
    { "PostgreSQL 13.14.0-RisingWave-1.10.0 (8f52ca1)", "RisingWave" },
    { "CrateDB 5.7.2 (built 2024, Linux, OpenJDK)", "CrateDB" },
    { "(openGauss 5.0.0 build a07d57c3) compiled at 2023-03-29 03:37:13 commit 0 last mr on x86_64-unknown-"
      "linux-gnu, compiled by g++ (GCC) 7.3.0, 64-bit",
        "openGauss" },
    { "PostgreSQL 15.4 (Somebody 1.0) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit", "unknown product" },
    { "PostgreSQL 15.4-something on x86_64-pc-linux-gnu, compiled by gcc, 64-bit", "unknown product" },
    { "PostgreSQL on x86_64-pc-linux-gnu, compiled by gcc, 64-bit", "unknown product" },
    { "PostgreSQL 15.4 on x86_64-pc-linux-gnu", "unknown product" },
    { "PostgreSQL 15.4. on x86_64, compiled by gcc, 64-bit", "unknown product" },
    { "PostgreSQL 15.4 (Debian on x86_64, compiled by gcc, 64-bit", "unknown product" },
    { "", "unknown product" },
};

static void products(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        const char *got = po_product(cases[i].version);
        if (!sp_streq(got, cases[i].product))
            fail_msg("%s: %s, expected %s", cases[i].version, got == NULL ? "PostgreSQL" : got,
                cases[i].product == NULL ? "PostgreSQL" : cases[i].product);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(products) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
