# SPDX-License-Identifier: Apache-2.0
#
# trim.awk duktape.c: upstream's single file without statements that compile to nothing
# here: assertions, debug output, statistics. Lines become empty, so the numbers of the
# others, which are in errors, stay. The machine code stays too.

BEGIN {
    nothing = "^[\t ]+DUK_(ASSERT|D|DD|DDD|STATS_INC|GC_TORTURE|([A-Z]+_)?ASSERT_[A-Z_]+)\\("
}

# Whether the parentheses of a statement are closed.
function is_whole(text) {
    gsub(/"([^"\\]|\\.)*"|'.'|\/\*([^*]|\*+[^*\/])*\*+\//, "", text)
    return text !~ /\/\*/ && gsub(/\(/, "", text) == gsub(/\)/, "", text)
}

is_inside {
    text = text $0
    is_inside = !is_whole(text)
    print ""
    next
}

$0 ~ nothing && !is_macro && $0 !~ /\\$/ {
    text = $0
    is_inside = !is_whole(text)
    print ""
    next
}

{
    is_macro = $0 ~ /\\$/
    print
}
