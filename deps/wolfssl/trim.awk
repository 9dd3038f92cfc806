# SPDX-License-Identifier: Apache-2.0
#
# trim.awk -v drop=REGEX FILE.S: one of wolfSSL's assembly files without the functions
# whose names match. wolfSSL has each for several generations of processors, and chooses at
# run time; cpuid_fixed.c has chosen, and what is never called need not be trusted.
# A function begins with the lines #ifndef __APPLE__, .text, .globl NAME. It ends with the
# lines .size NAME,.-NAME and #endif, or where the next one begins.
# Dropping one that is called makes the link of an image fail, nothing worse.

{ line[NR] = $0 }

function name_at(i,    part) {
    if (line[i] !~ /^#ifndef __APPLE__/ || line[i + 1] != ".text") {
        return ""
    }
    split(line[i + 2], part, /[ \t]+/)
    return part[2]
}

END {
    for (i = 1; i <= NR; i++) {
        name = name_at(i)
        if (name != "") {
            dropped = name ~ drop ? name : ""
        }
        if (dropped == "") {
            print line[i]
        } else if (index(line[i], ".size\t" dropped ",") == 1) {
            dropped = ""
            i++
        }
    }
}
