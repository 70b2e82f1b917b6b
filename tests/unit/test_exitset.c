/* Sets of exit statuses and signals: what a value of SuccessExitStatus= holds, and what it does not. */
#include "unit.h"
#include <errno.h>
#include <signal.h>
#include "cleanup.h"
#include "exitset.h"

/* What a set holds, as "0 75 SIG9": all there can be is asked for. */
static void show(const struct exitset *s, char *buf, size_t size)
{
    size_t n = 0;

    buf[0] = '\0';
    for (int i = -1; i <= 300; i++)
        if (exitset_has(s, CLD_EXITED, i))
            n += (size_t)snprintf(buf + n, size - n, "%s%d", n ? " " : "", i);
    for (int i = -1; i <= 300; i++) {
        assert_int_equal(exitset_has(s, CLD_KILLED, i), exitset_has(s, CLD_DUMPED, i));
        if (exitset_has(s, CLD_KILLED, i))
            n += (size_t)snprintf(buf + n, size - n, "%sSIG%d", n ? " " : "", i);
    }
}

static void values(void **state)
{
    static const struct {
        const char *value;
        int r;
        const char *holds; /* SIG and numbers, as on this machine's Linux */
    } rows[] = {
        {"", 0, ""}, {" \t\n", 0, ""}, {"0", 0, "0"}, {"255", 0, "255"},
        {"63 64 127 128 191 192", 0, "63 64 127 128 191 192"},
        {"1 6 SIGABRT", 0, "1 6 SIG6"}, {"TEMPFAIL 250 SIGKILL", 0, "75 250 SIG9"}, /* the examples of the man page */
        {"  7\t8\n9 ", 0, "7 8 9"}, {"9 9 KILL SIGKILL", 0, "9 SIG9"}, {"007", 0, "7"},
        {"SUCCESS FAILURE", 0, "0 1"}, {"NOTINSTALLED EXEC CONFIG", 0, "5 78 203"}, {"USAGE PROTOCOL", 0, "64 76"},
        {"CHDIR BPF EXCEPTION", 0, "200 244 255"}, {"APPARMOR", 0, "231"}, {"APPARMOR_PROFILE", 0, "231"},
        {"SIGHUP TERM", 0, "SIG1 SIG15"}, {"SIGRTMIN", 0, "SIG34"}, {"RTMIN+3 RTMAX", 0, "SIG37 SIG64"},
        {"CONFIGURATION_DIRECTORY", 0, "241"}, /* the longest name */
        {"256", -EINVAL, ""}, {"-1", -EINVAL, ""}, {"+1", -EINVAL, ""}, {"1,2", -EINVAL, ""}, {"0x1", -EINVAL, ""},
        {"99999999999999999999", -EINVAL, ""}, {"tempfail", -EINVAL, ""}, {"EX_TEMPFAIL", -EINVAL, ""},
        {"EXIT_EXEC", -EINVAL, ""}, {"SIG9", -EINVAL, ""}, {"SIGNOTHING", -EINVAL, ""}, {"1 2 x", -EINVAL, ""},
        {"TEMPFAILTEMPFAILTEMPFAILTEMPFAIL", -EINVAL, ""}, {"-TEMPFAIL", -EINVAL, ""}, {"\"1\"", -EINVAL, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        cleanup_free char *exact = strdup(rows[i].value);
        struct exitset s = {0};
        char shown[2048];
        int r = exitset_add(&s, exact);

        show(&s, shown, sizeof(shown));
        CHECK(r == rows[i].r, "'%s': %d", exact, r);
        CHECK(strcmp(shown, rows[i].holds) == 0, "'%s' holds %s", exact, shown);
    }
}

/* Values add up, an empty one empties, a bad one leaves all as it was. */
static void several_values(void **state)
{
    struct exitset s = {0};
    char shown[2048];

    (void)state;
    assert_int_equal(exitset_add(&s, "1 SIGTERM"), 0);
    assert_int_equal(exitset_add(&s, "200"), 0);
    assert_int_equal(exitset_add(&s, "7 SIGKILL nonsense"), -EINVAL);
    show(&s, shown, sizeof(shown));
    assert_string_equal(shown, "1 200 SIG15");
    assert_int_equal(exitset_add(&s, ""), 0);
    show(&s, shown, sizeof(shown));
    assert_string_equal(shown, "");
}

/* A status is no signal, and what has not ended is in no set. */
static void kinds(void **state)
{
    struct exitset s = {0};

    (void)state;
    assert_int_equal(exitset_add(&s, "9"), 0);
    assert_true(exitset_has(&s, CLD_EXITED, 9));
    assert_false(exitset_has(&s, CLD_KILLED, 9));
    assert_false(exitset_has(&s, CLD_STOPPED, 9));
    assert_false(exitset_has(&s, 0, 9));
    assert_int_equal(exitset_add(&s, "SIGHUP"), 0);
    assert_true(exitset_has(&s, CLD_DUMPED, SIGHUP));
    assert_false(exitset_has(&s, CLD_EXITED, SIGHUP));
    assert_false(exitset_has(&s, CLD_CONTINUED, SIGHUP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(several_values),
        cmocka_unit_test(kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
