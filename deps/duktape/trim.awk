# SPDX-License-Identifier: Apache-2.0
#
# trim.awk -v drop=FILE duktape.c: upstream's single file without the functions named in
# FILE, which no image calls, and without statements that compile to nothing here:
# assertions, debug output, statistics. Lines become empty, so the numbers of the others,
# which are in errors, stay. The machine code stays too, but for what is dropped.
# Dropping a function that is called makes the compilation fail, nothing worse.

BEGIN {
    while ((getline name <drop) > 0) {
        if (name !~ /^#/) {
            unused[name]
        }
    }
    nothing = "^[\t ]+DUK_(ASSERT|D|DD|DDD|STATS_INC|GC_TORTURE|([A-Z]+_)?ASSERT_[A-Z_]+)\\("
}

# Whether the parentheses of a statement are closed.
function is_whole(text) {
    gsub(/"([^"\\]|\\.)*"|'.'|\/\*([^*]|\*+[^*\/])*\*+\//, "", text)
    return text !~ /\/\*/ && gsub(/\(/, "", text) == gsub(/\)/, "", text)
}

state == "function" {
    if ($0 ~ /^}/) {
        state = ""
    }
    print ($0 ~ /^#line/ ? $0 : "")
    next
}

state == "statement" {
    text = text $0
    if (is_whole(text)) {
        state = ""
    }
    print ""
    next
}

# The head of a function may go over several lines; none of ours has a macro in it.
/^DUK_(EXTERNAL|INTERNAL|LOCAL)/ && !is_macro && match($0, /[a-z_0-9A-Z]+\(/) {
    name = substr($0, RSTART, RLENGTH - 1)
    if (name in unused) {
        state = $0 ~ /;$/ ? "" : $0 ~ /[{,]$/ ? "head" : "?"
        if ($0 ~ /{$/) {
            state = "function"
        }
        print ""
        next
    }
}

state == "head" {
    state = $0 ~ /{$/ ? "function" : $0 ~ /;$/ ? "" : "head"
    print ""
    next
}

$0 ~ nothing && !is_macro && $0 !~ /\\$/ {
    text = $0
    if (!is_whole(text)) {
        state = "statement"
    }
    print ""
    next
}

{
    is_macro = $0 ~ /\\$/
    print
}
