/* The ELF note that tells packagers which library is opened at run time: https://systemd.io/ELF_DLOPEN_METADATA. */
#pragma once

#define ELF_NOTE_DLOPEN(feature, description, priority, soname)                                              \
    __asm__(".pushsection .note.dlopen, \"a\", %note\n"                                                      \
            ".balign 4\n"                                                                                    \
            ".long 4, 2f - 1f, 0x407c0c0a\n"                                                                 \
            ".asciz \"FDO\"\n"                                                                               \
            "1: .asciz \"[{\\\"feature\\\":\\\"" feature "\\\",\\\"description\\\":\\\"" description         \
            "\\\",\\\"priority\\\":\\\"" priority "\\\",\\\"soname\\\":[\\\"" soname "\\\"]}]\"\n"           \
            "2: .balign 4\n"                                                                                 \
            ".popsection\n")
