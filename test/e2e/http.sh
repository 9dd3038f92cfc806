#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A deployed lambda answers as HTTP/1.1 says: keep-alive, pipelining, bodies of every size
# with and without a length, Expect, HEAD, HTTP/1.0; and what two parsers could read in two
# ways is refused, and the connection closed, before anything behind it is looked at.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sizes=(0 1 16383 16384 16385 65536 1048576)
limit=1048576 # TF_BODY_DEFAULT

echoes() { # FILE [CURL ARG...]: the body comes back byte for byte
    local file=$1
    shift
    ask "$name" / --data-binary "@$file" -H 'Content-Type: application/octet-stream' "$@" \
        -o "$work/back" && cmp "$file" "$work/back"
}

bodies_come_back() {
    local size
    for size in "${sizes[@]}"; do
        head -c "$size" /dev/urandom >"$work/body"
        ok "$engine: $size bytes with a length" echoes "$work/body"
        ok "$engine: $size bytes in chunks" echoes "$work/body" \
            -H 'Transfer-Encoding: chunked'
        ok "$engine: $size bytes after 100-continue" echoes "$work/body" \
            -H 'Expect: 100-continue'
    done
    head -c $((limit + 1)) /dev/urandom >"$work/body"
    is "$engine: one byte too many, with a length" 413 status_of "$name" / \
        --data-binary "@$work/body"
    is "$engine: one byte too many, in chunks" 413 status_of "$name" / \
        --data-binary "@$work/body" -H 'Transfer-Encoding: chunked'
    is "$engine: and answers again" "GET /again" ask "$name" /again -X GET
}

interim() { # the 100 comes before the body is sent
    head -c 100 /dev/urandom >"$work/body"
    ask "$name" / -v --data-binary "@$work/body" -H 'Expect: 100-continue' 2>&1 >/dev/null |
        grep -c '^< HTTP/1.1 100'
}

connects() { # connections that two requests took
    ask "$name" /a -w '%{num_connects} ' -o /dev/null \
        "https://$name.test:$port/b" -o /dev/null
}

connections_stay() {
    is "$engine: two requests, one connection" "1 0 " connects
    is "$engine: an interim answer" 1 interim
    is "$engine: HTTP/1.0 is closed" "close" ask "$name" / -0 --no-alpn -o /dev/null \
        -w '%header{connection}'
    is "$engine: chunks where the lambda asks" "chunked " ask "$name" /chunks \
        --data-binary "@$work/body" -o "$work/back" \
        -w '%header{transfer-encoding} %header{content-length}'
    ok "$engine: chunks give the body back" cmp "$work/body" "$work/back"
    is "$engine: no chunks for HTTP/1.0" " 100" ask "$name" /chunks -0 --no-alpn \
        --data-binary "@$work/body" -o /dev/null \
        -w '%header{transfer-encoding} %header{content-length}'
    is "$engine: HEAD has a length and no body" "10 0" ask "$name" /head -I -o /dev/null \
        -w '%header{content-length} %{size_download}'
}

# raw TEXT [RAWTLS ARG...]: sends printf's TEXT with the host filled in for HOST.
raw() {
    local text=$1
    shift
    # The text is the format: it spells control characters.
    # shellcheck disable=SC2059
    printf "${text//HOST/Host: $name.test}" >"$work/raw"
    raw_send "$name" "$work/raw" "$@" 2>>"$log" | tr -d '\r'
}

pipeline() { # ten requests in one piece: the paths that come back, in order
    local i text=''
    for i in 0 1 2 3 4 5 6 7 8; do
        text+="GET /$i HTTP/1.1\r\nHOST\r\n\r\n"
    done
    text+='POST /9 HTTP/1.1\r\nHOST\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast'
    raw "$text" "$@" | sed -n 's/^x-path: //p' | tr -d '\n'
}

all_but_last() { # a HEAD and a GET on one connection: no body between the two heads
    raw 'HEAD /1 HTTP/1.1\r\nHOST\r\n\r\nGET /2 HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n' |
        sed -n -e 's/^x-path: //p' -e '/^GET/p' | tr '\n' ' '
}

pieces() { # SIZES: a chunked request in TLS records of these sizes
    raw 'POST /p HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: u\r\n\r\n' \
        -s "$1" | tail -n 1
}

bytes_may_come_in_any_pieces() {
    is "$engine: ten requests in one piece" /0/1/2/3/4/5/6/7/8/9 pipeline
    is "$engine: ten requests byte by byte" /0/1/2/3/4/5/6/7/8/9 pipeline -s 1
    is "$engine: ten requests in pieces of 7" /0/1/2/3/4/5/6/7/8/9 pipeline -s 7
    is "$engine: no body after HEAD" "/1 /2 GET /2 " all_but_last
    is "$engine: chunks in one piece" "hello world" pieces 100000
    is "$engine: chunks byte by byte" "hello world" pieces 1
    is "$engine: chunks in pieces of 3" "hello world" pieces 3
}

# The statuses that come back for TEXT, and whether the connection was closed. A complete
# request follows it: that one must not be answered.
verdict() {
    raw "$1"'GET /smuggled HTTP/1.1\r\nHOST\r\n\r\n' -q 3000 >"$work/answer"
    case ${PIPESTATUS[0]} in
    0 | 4) ;;
    *) echo "left open" ;;
    esac
    sed -n 's/^HTTP\/1\.1 \([0-9]*\).*/\1/p' "$work/answer" | tr '\n' ' '
    ! grep -q smuggled "$work/answer"
}

refused() { # STATUS NAME TEXT
    is "$engine: $2: $1 and close" "$1 " verdict "$3"
}

smuggling_is_refused() {
    local post='POST / HTTP/1.1\r\nHOST\r\n' te='Transfer-Encoding: chunked\r\n'
    refused 400 "TE and CL" "${post}${te}Content-Length: 6\r\n\r\n0\r\n\r\n"
    refused 400 "CL and TE" "${post}Content-Length: 6\r\n${te}\r\n0\r\n\r\n"
    refused 400 "two CL" "${post}Content-Length: 0\r\nContent-Length: 5\r\n\r\n"
    refused 400 "two equal CL" "${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n"
    refused 400 "CL list" "${post}Content-Length: 0, 0\r\n\r\n"
    refused 400 "CL with sign" "${post}Content-Length: +0\r\n\r\n"
    refused 400 "CL in hex" "${post}Content-Length: 0x0\r\n\r\n"
    refused 400 "CL overflow" "${post}Content-Length: 18446744073709551616\r\n\r\n"
    refused 501 "TE of another coding" "${post}Transfer-Encoding: xchunked\r\n\r\n"
    refused 501 "TE list" "${post}Transfer-Encoding: gzip, chunked\r\n\r\n"
    refused 400 "two TE" "${post}${te}Transfer-Encoding: identity\r\n\r\n"
    refused 400 "TE in 1.0" "POST / HTTP/1.0\r\nHOST\r\n${te}\r\n0\r\n\r\n"
    refused 400 "TE with space before the colon" "${post}Transfer-Encoding : chunked\r\n\r\n"
    refused 400 "TE folded" "${post}Transfer-Encoding:\r\n chunked\r\n\r\n"
    refused 400 "TE behind a bare LF" "${post}X: y\n${te}\r\n"
    refused 400 "TE behind a bare CR" "${post}X: y\r${te}\r\n"
    refused 400 "NUL in a value" "${post}X: a\0b\r\n\r\n"
    refused 400 "bare LF lines" 'GET / HTTP/1.1\nHOST\n\n'
    refused 400 "two hosts" 'GET / HTTP/1.1\r\nHOST\r\nHOST\r\n\r\n'
    refused 400 "no host" 'GET / HTTP/1.1\r\n\r\n'
    refused 400 "absolute target of another host" \
        'GET https://other.test/ HTTP/1.1\r\nHOST\r\n\r\n'
    refused 421 "the name of another lambda" 'GET / HTTP/1.1\r\nHost: other.test\r\n\r\n'
    refused 400 "space in the target" 'GET /a b HTTP/1.1\r\nHOST\r\n\r\n'
    refused 400 "HTTP/0.9" 'GET /\r\n'
    refused 505 "HTTP/2 preface" 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    refused 501 "CONNECT" 'CONNECT other.test:443 HTTP/1.1\r\nHOST\r\n\r\n'
    refused 400 "odd expectation" "${post}Expect: tea\r\n\r\n"
    refused 400 "chunk size with sign" "${post}${te}\r\n+1\r\na\r\n0\r\n\r\n"
    refused 400 "chunk size with space" "${post}${te}\r\n1 \r\na\r\n0\r\n\r\n"
    refused 400 "chunk size with 0x" "${post}${te}\r\n0x1\r\na\r\n0\r\n\r\n"
    refused 413 "chunk size overflow" "${post}${te}\r\nffffffffffffffff\r\na\r\n0\r\n\r\n"
    refused 400 "chunk line with bare LF" "${post}${te}\r\n1\na\r\n0\r\n\r\n"
    refused 400 "chunk longer than said" "${post}${te}\r\n1\r\nab\r\n0\r\n\r\n"
    refused 400 "chunk extension with bare LF" "${post}${te}\r\n1;a\nb\r\na\r\n0\r\n\r\n"
    refused 400 "trailer that is a request" "${post}${te}\r\n0\r\nGET / HTTP/1.1\r\n\r\n"
    refused 431 "a hundred and one fields" \
        "GET / HTTP/1.1\r\nHOST\r\n$(printf 'X: y\\r\\n%.0s' {1..100})\r\n"
    refused 431 "a target of 16 KiB and one" \
        "GET /$(printf 'a%.0s' {1..16384}) HTTP/1.1\r\nHOST\r\n\r\n"
}

need "the platform starts" host_start
need "a publisher" publisher_new
for engine in "${engines[@]}"; do
    name=echo-$engine
    lambda "$name" <<'JS'
exports.fetch = function (request) {
    var path = new URL(request.url).pathname;
    var headers = { 'x-path': path, 'content-type': 'application/octet-stream' };
    if (path === '/chunks') { headers['Transfer-Encoding'] = 'chunked'; }
    if (request.method === 'GET' || request.method === 'HEAD') {
        return new Response('GET ' + path + '\n', { headers: headers });
    }
    return new Response(request.body, { headers: headers });
};
JS
    need "$engine: an echo lambda answers" publish "$name" "$engine"
    bodies_come_back
    connections_stay
    bytes_may_come_in_any_pieces
    smuggling_is_refused
    is "$engine: and answers at the end" "GET /end" ask "$name" /end
done
finish
