/* One datagram of sd_notify(3), as children send them and as they should not. */
#include "unit.h"
#include "cleanup.h"
#include "notifymsg.h"
#include "textbuf.h"

static void show_flags(struct textbuf *b, const struct notifymsg *m)
{
    const struct {
        bool set;
        char letter;
    } flags[] = {
        {m->ready, 'R'},            {m->reloading, 'L'}, {m->stopping, 'S'}, {m->watchdog, 'W'},
        {m->watchdog_trigger, 'T'}, {m->barrier, 'B'},   {m->fdstore, 'F'},  {m->fdstore_remove, 'X'},
        {m->fdpoll_off, 'P'},       {m->main_pidfd, 'M'},
    };

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (flags[i].set)
            textbuf_add(b, &flags[i].letter, 1);
}

static void show_number(struct textbuf *b, const char *name, uint64_t v)
{
    if (v)
        textbuf_printf(b, " %s%llu", name, (unsigned long long)v);
}

static void show_text(struct textbuf *b, const char *name, const struct notifymsg_text *t)
{
    if (t->s)
        textbuf_printf(b, " %s'%.*s'", name, (int)t->len, t->s);
    else
        CHECK(t->len == 0, "%s", name);
}

/* Understood, and shown as text: flags as letters, then what has a value. The datagram lies in memory of exactly its
 * size, behind it a sanitizer watches. */
static void check(const char *data, size_t n, const char *expected)
{
    cleanup_free char *exact = malloc(n ? n : 1);
    char shown[512] = "";
    struct textbuf b = TEXTBUF(shown);
    struct notifymsg m;

    memcpy(exact, data, n);
    memset(&m, 0xa5, sizeof(m));
    notifymsg_parse(exact, n, &m);
    show_flags(&b, &m);
    show_number(&b, "extend ", m.extend_timeout_usec);
    show_number(&b, "watchdog ", m.watchdog_usec);
    show_number(&b, "at ", m.monotonic_usec);
    show_number(&b, "errno ", (uint64_t)m.error);
    show_number(&b, "exit ", (uint64_t)(m.exit_status + 1)); /* -1, not said, is not shown */
    show_number(&b, "pid ", (uint64_t)m.main_pid);
    show_number(&b, "id ", m.main_pidfd_id);
    show_text(&b, "", &m.status);
    show_text(&b, "name ", &m.fdname);
    show_text(&b, "access ", &m.notify_access);
    show_text(&b, "bus ", &m.buserror);
    show_text(&b, "varlink ", &m.varlinkerror);
    CHECK(strcmp(shown, expected) == 0, "'%.*s' is understood as %s, not %s", (int)n, data, shown, expected);
}

struct row {
    const char *text, *shown;
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(rows[i].text, strlen(rows[i].text), rows[i].shown);
}

static void flags(void **state)
{
    static const struct row rows[] = {
        {"", ""}, {"READY=1", "R"}, {"READY=1\n", "R"}, {"READY=0", ""}, {"READY=11", ""}, {"READY=", ""},
        {"READY", ""}, {"ready=1", ""}, {" READY=1", ""}, {"READY=1 ", ""}, {"READY =1", ""}, {"XREADY=1", ""}, {"READ=1", ""},
        {"RELOADING=1\nMONOTONIC_USEC=12345", "L at 12345"}, {"STOPPING=1", "S"}, {"WATCHDOG=1", "W"},
        {"WATCHDOG=trigger", "T"}, {"WATCHDOG=triggers", ""}, {"WATCHDOG=TRIGGER", ""}, {"WATCHDOG=0", ""},
        {"FDSTORE=1", "F"}, {"FDSTOREREMOVE=1", "X"}, {"FDPOLL=0", "P"}, {"FDPOLL=1", ""}, {"FDPOLL=", ""},
        {"FDSTORE=1\nFDNAME=a b\nFDPOLL=0", "FP name 'a b'"}, {"MAINPIDFD=1", "M"}, {"MAINPIDFD=0", ""},
        {"READY=1\nSTATUS=up\nWATCHDOG=1\nSTOPPING=1\nRELOADING=1", "RLSW 'up'"}, {"\n\nREADY=1\n\n", "R"},
        {"MAINPID=x\nX_OWN=1\nnonsense\n=\n==\nREADY=1", "R"}, {"RESTART_RESET=1", ""},
    };

    (void)state;
    check_rows(rows, ARRAY_SIZE(rows));
}

static void numbers(void **state)
{
    static const struct row rows[] = {
        {"EXTEND_TIMEOUT_USEC=5000000", " extend 5000000"},
        {"EXTEND_TIMEOUT_USEC=18446744073709551615", " extend 18446744073709551615"},
        {"EXTEND_TIMEOUT_USEC=18446744073709551616\nREADY=1", "R"}, {"EXTEND_TIMEOUT_USEC=-1", ""},
        {"EXTEND_TIMEOUT_USEC=5s", ""}, {"EXTEND_TIMEOUT_USEC= 5", ""}, {"EXTEND_TIMEOUT_USEC=+5", ""},
        {"EXTEND_TIMEOUT_USEC=", ""}, {"EXTEND_TIMEOUT_USEC=0x5", ""},
        {"EXTEND_TIMEOUT_USEC=99999999999999999999999999", ""},
        {"EXTEND_TIMEOUT_USEC=7\nEXTEND_TIMEOUT_USEC=x", " extend 7"},
        {"WATCHDOG_USEC=20000000", " watchdog 20000000"}, {"WATCHDOG_USEC=0", " watchdog 18446744073709551615"},
        {"WATCHDOG_USEC=18446744073709551615", " watchdog 18446744073709551615"}, {"WATCHDOG_USEC=", ""},
        {"MONOTONIC_USEC=0", ""}, {"MONOTONIC_USEC=1.5", ""},
        {"ERRNO=2", " errno 2"}, {"ERRNO=0", ""}, {"ERRNO=4095", " errno 4095"}, {"ERRNO=4096", ""}, {"ERRNO=-2", ""},
        {"ERRNO=ENOENT", ""}, {"EXIT_STATUS=0", " exit 1"}, {"EXIT_STATUS=255", " exit 256"}, {"EXIT_STATUS=256", ""},
        {"EXIT_STATUS=-1", ""}, {"MAINPID=4711", " pid 4711"}, {"MAINPID=0", ""}, {"MAINPID=-1", ""},
        {"MAINPID=2147483647", " pid 2147483647"}, {"MAINPID=2147483648", ""}, {"MAINPID=4294967297", ""},
        {"MAINPID=7\nMAINPIDFDID=18446744073709551615", " pid 7 id 18446744073709551615"}, {"MAINPIDFDID=0", ""},
    };

    (void)state;
    check_rows(rows, ARRAY_SIZE(rows));
}

static void texts(void **state)
{
    static const struct row rows[] = {
        {"STATUS=", " ''"}, {"STATUS=a=b c", " 'a=b c'"}, {"STATUS=one\nSTATUS=two", " 'two'"}, {"STATUS", ""},
        {"STATUS=\xff\xfe\x1b[2J\r", " '\xff\xfe\x1b[2J\r'"}, {"FDNAME=", " name ''"}, {"FDNAME=a:b", " name 'a:b'"},
        {"NOTIFYACCESS=all", " access 'all'"}, {"NOTIFYACCESS=whatever", " access 'whatever'"},
        {"ERRNO=110\nBUSERROR=org.freedesktop.DBus.Error.TimedOut\nVARLINKERROR=org.varlink.service.InvalidParameter",
         " errno 110 bus 'org.freedesktop.DBus.Error.TimedOut' varlink 'org.varlink.service.InvalidParameter'"},
    };

    (void)state;
    check_rows(rows, ARRAY_SIZE(rows));
}

/* "This command cannot be mixed with other notifications, ... otherwise all assignments will be ignored." */
static void barrier(void **state)
{
    static const struct row rows[] = {
        {"BARRIER=1", "B"}, {"BARRIER=1\n", "B"}, {"BARRIER=0\nREADY=1", "R"},
        {"READY=1\nBARRIER=1\nSTATUS=x\nFDSTORE=1\nMAINPID=7\nEXIT_STATUS=3", "B"},
    };

    (void)state;
    check_rows(rows, ARRAY_SIZE(rows));
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
    check("REA\0Y=1", sizeof("REA\0Y=1"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags), cmocka_unit_test(numbers),      cmocka_unit_test(texts),
        cmocka_unit_test(barrier), cmocka_unit_test(trailing_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
