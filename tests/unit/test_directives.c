/* The table of all directives: it knows what systemd knows, each once, says of each what becomes of it, and remembers
 * what should confine a service and does not. */
#include "unit.h"
#include <errno.h>
#include "cleanup.h"
#include "directive.h"
#include "strv.h"
#include "words.h"

/* What systemd 257 knows (its --dump-configuration-items). */
static const char unit_keys[] =
    "Description Documentation SourcePath Requires Requisite Wants BindsTo BindTo Upholds Conflicts Before "
    "After OnSuccess OnFailure PropagatesReloadTo PropagateReloadTo ReloadPropagatedFrom PropagateReloadFrom "
    "PropagatesStopTo StopPropagatedFrom PartOf JoinsNamespaceOf RequiresMountsFor WantsMountsFor "
    "StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate DefaultDependencies "
    "SurviveFinalKillSignal OnSuccessJobMode OnFailureJobMode OnFailureIsolate IgnoreOnIsolate JobTimeoutSec "
    "JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument StartLimitIntervalSec StartLimitInterval "
    "StartLimitBurst StartLimitAction FailureAction SuccessAction FailureActionExitStatus "
    "SuccessActionExitStatus RebootArgument ConditionPathExists ConditionPathExistsGlob "
    "ConditionPathIsDirectory ConditionPathIsSymbolicLink ConditionPathIsMountPoint ConditionPathIsReadWrite "
    "ConditionPathIsEncrypted ConditionDirectoryNotEmpty ConditionFileNotEmpty ConditionFileIsExecutable "
    "ConditionNeedsUpdate ConditionFirstBoot ConditionArchitecture ConditionFirmware ConditionVirtualization "
    "ConditionHost ConditionKernelCommandLine ConditionKernelVersion ConditionCredential ConditionSecurity "
    "ConditionCapability ConditionACPower ConditionMemory ConditionCPUFeature ConditionCPUs "
    "ConditionEnvironment ConditionUser ConditionGroup ConditionControlGroupController ConditionOSRelease "
    "ConditionMemoryPressure ConditionCPUPressure ConditionIOPressure AssertPathExists AssertPathExistsGlob "
    "AssertPathIsDirectory AssertPathIsSymbolicLink AssertPathIsMountPoint AssertPathIsReadWrite "
    "AssertPathIsEncrypted AssertDirectoryNotEmpty AssertFileNotEmpty AssertFileIsExecutable AssertNeedsUpdate "
    "AssertFirstBoot AssertArchitecture AssertVirtualization AssertHost AssertKernelCommandLine "
    "AssertKernelVersion AssertCredential AssertSecurity AssertCapability AssertACPower AssertMemory "
    "AssertCPUFeature AssertCPUs AssertEnvironment AssertUser AssertGroup AssertControlGroupController "
    "AssertOSRelease AssertMemoryPressure AssertCPUPressure AssertIOPressure CollectMode";
static const char service_keys[] =
    "PIDFile ExecCondition ExecStartPre ExecStart ExecReload ExecStartPost ExecStop ExecStopPost RestartSec "
    "RestartSteps RestartMaxDelaySec TimeoutSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec "
    "TimeoutStartFailureMode TimeoutStopFailureMode RuntimeMaxSec RuntimeRandomizedExtraSec WatchdogSec "
    "StartLimitInterval StartLimitBurst StartLimitAction FailureAction RebootArgument Type ExitType Restart "
    "RestartMode PermissionsStartOnly RootDirectoryStartOnly RemainAfterExit GuessMainPID "
    "RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus NonBlocking BusName "
    "FileDescriptorStoreMax FileDescriptorStorePreserve NotifyAccess Sockets USBFunctionDescriptors "
    "USBFunctionStrings OOMPolicy OpenFile ReloadSignal WorkingDirectory RootDirectory RootImage "
    "RootImageOptions RootImagePolicy RootHash RootHashSignature RootVerity RootEphemeral ExtensionDirectories "
    "ExtensionImages ExtensionImagePolicy MountImages MountImagePolicy User Group SupplementaryGroups "
    "SetLoginEnvironment Nice OOMScoreAdjust CoredumpFilter IOSchedulingClass IOSchedulingPriority "
    "CPUSchedulingPolicy CPUSchedulingPriority CPUSchedulingResetOnFork CPUAffinity NUMAPolicy NUMAMask UMask "
    "Environment EnvironmentFile PassEnvironment UnsetEnvironment DynamicUser RemoveIPC StandardInput "
    "StandardOutput StandardError StandardInputText StandardInputData TTYPath TTYReset TTYVHangup "
    "TTYVTDisallocate TTYRows TTYColumns SyslogIdentifier SyslogFacility SyslogLevel SyslogLevelPrefix "
    "LogLevelMax LogRateLimitIntervalSec LogRateLimitBurst LogExtraFields LogFilterPatterns SecureBits "
    "CapabilityBoundingSet AmbientCapabilities TimerSlackNSec NoNewPrivileges KeyringMode ProtectProc "
    "ProcSubset SystemCallFilter SystemCallArchitectures SystemCallErrorNumber SystemCallLog "
    "MemoryDenyWriteExecute RestrictNamespaces RestrictRealtime RestrictSUIDSGID RestrictAddressFamilies "
    "LockPersonality RestrictFileSystems LimitCPU LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS "
    "LimitNOFILE LimitAS LimitNPROC LimitMEMLOCK LimitLOCKS LimitSIGPENDING LimitMSGQUEUE LimitNICE LimitRTPRIO "
    "LimitRTTIME ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories ReadWritePaths ReadOnlyPaths "
    "InaccessiblePaths ExecPaths NoExecPaths ExecSearchPath BindPaths BindReadOnlyPaths TemporaryFileSystem "
    "PrivateTmp PrivateDevices ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectClock "
    "ProtectControlGroups NetworkNamespacePath IPCNamespacePath LogNamespace PrivateNetwork PrivateUsers "
    "PrivateMounts PrivateIPC PrivatePIDs ProtectSystem ProtectHome MountFlags MountAPIVFS BindLogSockets "
    "Personality RuntimeDirectoryPreserve RuntimeDirectoryMode RuntimeDirectory StateDirectoryMode "
    "StateDirectory CacheDirectoryMode CacheDirectory LogsDirectoryMode LogsDirectory "
    "ConfigurationDirectoryMode ConfigurationDirectory SetCredential SetCredentialEncrypted LoadCredential "
    "LoadCredentialEncrypted ImportCredential TimeoutCleanSec PAMName IgnoreSIGPIPE UtmpIdentifier UtmpMode "
    "SELinuxContext AppArmorProfile SmackProcessLabel ProtectHostname MemoryKSM Slice AllowedCPUs "
    "StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes CPUAccounting CPUWeight StartupCPUWeight "
    "CPUShares StartupCPUShares CPUQuota CPUQuotaPeriodSec MemoryAccounting MemoryMin DefaultMemoryMin "
    "DefaultMemoryLow DefaultStartupMemoryLow MemoryLow StartupMemoryLow MemoryHigh StartupMemoryHigh MemoryMax "
    "StartupMemoryMax MemorySwapMax StartupMemorySwapMax MemoryZSwapMax StartupMemoryZSwapMax "
    "MemoryZSwapWriteback MemoryLimit DeviceAllow DevicePolicy IOAccounting IOWeight StartupIOWeight "
    "IODeviceWeight IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax "
    "IODeviceLatencyTargetSec BlockIOAccounting BlockIOWeight StartupBlockIOWeight BlockIODeviceWeight "
    "BlockIOReadBandwidth BlockIOWriteBandwidth TasksAccounting TasksMax Delegate DelegateSubgroup "
    "DisableControllers IPAccounting IPAddressAllow IPAddressDeny IPIngressFilterPath IPEgressFilterPath "
    "ManagedOOMSwap ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMMemoryPressureDurationSec "
    "ManagedOOMPreference BPFProgram SocketBindAllow SocketBindDeny RestrictNetworkInterfaces "
    "MemoryPressureThresholdSec MemoryPressureWatch NFTSet CoredumpReceive SendSIGKILL SendSIGHUP KillMode "
    "KillSignal RestartKillSignal FinalKillSignal WatchdogSignal";
static const char install_keys[] = "Alias WantedBy RequiredBy UpheldBy Also DefaultInstance";

static unsigned count_missing(const char *section, const char *keys)
{
    CLEANUP(strv_freep) char **v = NULL;
    unsigned missing = 0;

    assert_int_equal(words_split(keys, &v), 0);
    for (size_t i = 0; v[i]; i++)
        if (!directive_find(section, v[i], NULL)) {
            print_error("[%s] %s= is not known\n", section, v[i]);
            missing++;
        }
    return missing;
}

static void systemd_knows(void **state)
{
    (void)state;
    assert_int_equal(count_missing("Unit", unit_keys) + count_missing("Service", service_keys) +
                         count_missing("Install", install_keys),
                     0);
}

/* Each stands in its section once, and whatever is not as the man page has it says why or how. */
static void rows_are_whole(void **state)
{
    const struct directive *row, *other;
    const char *in, *other_in;

    (void)state;
    for (size_t i = 0; (row = directive_nth(i, &in)); i++) {
        for (size_t k = 0; k < i && (other = directive_nth(k, &other_in)); k++)
            CHECK(strcmp(row->key, other->key) != 0 || strcmp(in, other_in) != 0, "[%s] %s= stands there twice", in,
                  row->key);
        if (row->alias) {
            CHECK(!row->set && !row->how, "%s= is an old name, its row says no more", row->key);
            CHECK(directive_find(NULL, row->alias, NULL), "%s= is another name of nothing", row->key);
            continue;
        }
        CHECK((row->honour == HONOUR_APPLIED) == !row->how, "%s: how it is honoured", row->key);
        CHECK(row->set || row->honour == HONOUR_IGNORED || row->honour == HONOUR_UNSUPPORTED,
              "%s is said to be honoured, but cannot be set", row->key);
        CHECK(!row->set || row->expects, "%s: nothing is said of its value", row->key);
    }
}

static void old_names(void **state)
{
    static const struct {
        const char *section, *old, *in, *now;
    } rows[] = {
        {"Service", "StartLimitInterval", "Unit", "StartLimitIntervalSec"},
        {"Service", "StartLimitBurst", "Unit", "StartLimitBurst"},
        {"Service", "ReadOnlyDirectories", "Service", "ReadOnlyPaths"},
        {"Service", "InaccessibleDirectories", "Service", "InaccessiblePaths"},
        {"Service", "MemoryLimit", "Service", "MemoryMax"},
        {"Service", "CPUShares", "Service", "CPUWeight"},
        {NULL, "StartLimitBurst", "Unit", "StartLimitBurst"},
        {NULL, "BlockIOWeight", "Service", "IOWeight"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *in = "";
        const struct directive *row = directive_find(rows[i].section, rows[i].old, &in);

        CHECK(row && !row->alias && strcmp(row->key, rows[i].now) == 0 && strcmp(in, rows[i].in) == 0, "%s: %s in %s",
              rows[i].old, row ? row->key : "nothing", in);
    }
}

/* What was given, and what of it is still missing at the end. */
static void unenforced(void **state)
{
    static const struct {
        const char *given, *missing;
    } rows[] = {
        {"", ""},
        {"PrivateTmp=yes", "PrivateTmp "},
        {"PrivateTmp=no", ""},
        {"PrivateTmp=yes PrivateTmp=off", ""},
        {"PrivateTmp=yes ProtectHome=read-only PrivateTmp=1", "PrivateTmp ProtectHome "},
        {"PrivateTmp=yes ProtectHome=read-only PrivateTmp=0", "ProtectHome "},
        {"SystemCallFilter=@a SystemCallFilter=~@b SystemCallFilter=", ""},
        {"SystemCallFilter=@a SystemCallFilter= SystemCallFilter=~@b", "SystemCallFilter "},
        {"DevicePolicy=auto ProcSubset=all ProtectProc=default", ""},
        {"DevicePolicy=closed ProcSubset=pid ProtectProc=invisible", "DevicePolicy ProcSubset ProtectProc "},
        {"MemoryMax=1M TasksMax=3 Slice=a.slice User=nobody", ""},
        {"ReadOnlyDirectories=/etc", "ReadOnlyPaths "},
        {"RestrictAddressFamilies=none", "RestrictAddressFamilies "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(strv_freep) char **v = NULL;
        const struct directive *row;
        char missing[256] = "";
        struct jobspec d;

        jobspec_init(&d);
        assert_int_equal(words_split(rows[i].given, &v), 0);
        for (size_t k = 0; v && v[k]; k++) {
            char *value = strchr(v[k], '=');

            *value++ = '\0';
            row = directive_find("Service", v[k], NULL);
            CHECK(row, "%s", v[k]);
            assert_int_equal(directive_set(&d, row, value), row->set ? 0 : -EOPNOTSUPP);
        }
        for (size_t k = 0; (row = directive_unenforced(&d, k)); k++)
            strcat(strcat(missing, row->key), " ");
        CHECK(strcmp(missing, rows[i].missing) == 0, "%s: '%s'", rows[i].given, missing);
        jobspec_done(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systemd_knows),
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(old_names),
        cmocka_unit_test(unenforced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
