/* One datagram of sd_notify(3), as children send them and as they should not. */
#include "unit.h"
#include "cleanup.h"
#include "notifymsg.h"
#include "textbuf.h"

/* Understood, and shown as text: flags as letters, then numbers and STATUS=. Freed before that is looked at would be the
 * status, so the datagram is kept. */
static void check(const char *data, size_t n, const char *expected)
{
    cleanup_free char *exact = malloc(n ? n : 1);
    char shown[256] = "";
    struct textbuf b = TEXTBUF(shown);
    struct notifymsg m;

    memcpy(exact, data, n);
    memset(&m, 0xa5, sizeof(m));
    notifymsg_parse(exact, n, &m);
    textbuf_printf(&b, "%s%s%s%s%s", m.ready ? "R" : "", m.reloading ? "L" : "", m.stopping ? "S" : "",
                   m.watchdog ? "W" : "", m.barrier ? "B" : "");
    if (m.extend_timeout_usec)
        textbuf_printf(&b, " %llu", (unsigned long long)m.extend_timeout_usec);
    if (m.error)
        textbuf_printf(&b, " e%d", m.error);
    if (m.status)
        textbuf_printf(&b, " '%.*s'", (int)m.status_len, m.status);
    CHECK(strcmp(shown, expected) == 0, "'%.*s' is understood as %s, not %s", (int)n, data, shown, expected);
}

static void messages(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"", ""}, {"READY=1", "R"}, {"READY=1\n", "R"}, {"READY=0", ""}, {"READY=11", ""}, {"READY", ""}, {"ready=1", ""},
        {" READY=1", ""}, {"READY=1 ", ""}, {"XREADY=1", ""}, {"RELOADING=1\nMONOTONIC_USEC=12345", "L"},
        {"STOPPING=1", "S"}, {"WATCHDOG=1", "W"}, {"WATCHDOG=trigger", ""}, {"BARRIER=1", "B"},
        {"READY=1\nSTATUS=up\nWATCHDOG=1\nSTOPPING=1\nRELOADING=1\nBARRIER=1", "RLSWB 'up'"},
        {"STATUS=", " ''"}, {"STATUS=a=b c", " 'a=b c'"}, {"STATUS=one\nSTATUS=two", " 'two'"}, {"STATUS", ""},
        {"\n\nREADY=1\n\n", "R"}, {"MAINPID=1\nX_OWN=1\nnonsense\n=\nREADY=1", "R"},
        {"EXTEND_TIMEOUT_USEC=5000000", " 5000000"}, {"EXTEND_TIMEOUT_USEC=18446744073709551615", " 18446744073709551615"},
        {"EXTEND_TIMEOUT_USEC=18446744073709551616\nREADY=1", "R"}, {"EXTEND_TIMEOUT_USEC=-1", ""},
        {"EXTEND_TIMEOUT_USEC=5s", ""}, {"EXTEND_TIMEOUT_USEC= 5", ""}, {"EXTEND_TIMEOUT_USEC=", ""},
        {"EXTEND_TIMEOUT_USEC=7\nEXTEND_TIMEOUT_USEC=x", " 7"}, {"EXTEND_TIMEOUT_USEC=99999999999999999999999999", ""},
        {"ERRNO=2", " e2"}, {"ERRNO=4095", " e4095"}, {"ERRNO=4096", ""}, {"ERRNO=-2", ""}, {"ERRNO=ENOENT", ""},
        {"STATUS=\xff\xfe", " '\xff\xfe'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(rows[i].text, strlen(rows[i].text), rows[i].shown);
}

/* Some send the end of their string with it; systemd takes that, so a service that is ready there is ready here. */
static void trailing_nul(void **state)
{
    (void)state;
    check("READY=1", sizeof("READY=1"), "R");
    check("STATUS=x", sizeof("STATUS=x"), " 'x'");
    check("READY=1\n", sizeof("READY=1\n"), "R");
    check("", 1, "");
    check("READY=1\0", sizeof("READY=1\0"), "");
    check("READY=1\0WATCHDOG=1", sizeof("READY=1\0WATCHDOG=1"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(trailing_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
