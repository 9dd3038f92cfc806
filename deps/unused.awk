# SPDX-License-Identifier: Apache-2.0
#
# unused.awk [-v numbers=kept] NAMES FILE.c: a C file without the functions that NAMES lists,
# words with comments behind #. The linker would leave them out as well, but nobody should
# have to tell which of what he reads is in an image. With `numbers`, their lines become
# empty, so that the numbers of the others stay.
# A function begins with a line in column 1 that has its name before the first parenthesis,
# and ends with the next line that begins with a brace; a declaration ends with a semicolon.
# Dropping one that is called makes the build fail, nothing worse.

NR == FNR {
    sub(/#.*/, "")
    for (i = 1; i <= NF; i++) {
        drop[$i]
    }
    next
}

{ line[FNR] = $0; count = FNR }

# The last line of the function, or of its declaration, that begins at i; 0: none that is to go.
function end_of(i,    name) {
    if (line[i] !~ /^[A-Za-z_][^;=#]*\(/) {
        return 0
    }
    name = line[i]
    sub(/ *\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    if (!(name in drop)) {
        return 0
    }
    while (line[i] !~ /^{|{$/) {
        if (line[i] ~ /;[ \t]*(\/\*.*\*\/)?$/ || i == count) {
            return i # only declared
        }
        i++
    }
    while (line[i] !~ /^}/) {
        i++
    }
    return i
}

END {
    for (i = 1; i <= count; i++) {
        last = end_of(i)
        if (!last) {
            print line[i]
            continue
        }
        for (depth = 0; i <= last; i++) {
            depth += (line[i] ~ /^ *# *if/) - (line[i] ~ /^ *# *endif/)
            if (depth < 0 || (i == last && depth != 0)) {
                print FILENAME ": no whole function ends at line " i > "/dev/stderr"
                exit 1
            }
            if (numbers != "") {
                print ""
            }
        }
        i--
    }
}
