#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/spine.sh [SECONDS] [ROUNDS]: `echo` with a body of 100 bytes on each engine, beside nginx
# answering 200 over TLS, interleaved in one run: wrk -t1 -c64, TLS 1.3, keep-alive, server on
# core 0, load on core 1, fresh heap for every request. One line a server, medians over the rounds:
#   NAME requests/s, p99 ms, CPU of the serving process per request in us, EENTER per request, its
#   resident MiB, errors. On a busy machine compare the CPU column.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10} rounds=${2:-3}
dir=$(mktemp -d); bin=build
port=$((20000 + $$ % 10000)); nginx_port=$((port + 1))
pids=()
finish() {
    for p in "${pids[@]}"; do if kill "$p" 2>/dev/null; then wait "$p" 2>/dev/null || true; fi; done
    rm -rf "$dir"
}
trap finish EXIT
export TFAAS_HOST=$dir/host/admin.sock TFAAS_CONNECT=127.0.0.1:$port
t=$bin/tfaas

{
    $t image key "$dir/op.pem"
    images=()
    for e in quickjs duktape; do
        $t image sign $bin/$e.img --key "$dir/op.pem" --out "$dir/$e.sig" --prodid 1 --svn 1
        images+=(--image "$e=$bin/$e.img,$dir/$e.sig")
    done
    taskset -c 0 $bin/tfaasd --state "$dir/host" --listen 127.0.0.1:$port --threads 1 "${images[@]}" 2>"$dir/tfaasd.log" &
    pids+=($!)
    for _ in $(seq 100); do $t info && break; sleep 0.1; done
    $t key new "$dir/pub.pem"
    $t domain new --name bench --publisher "$dir/pub.pem.pub" --out "$dir/bench.json"
    $t ca new --name bench --out "$dir/ca"
    $t policy new --image "$dir/quickjs.sig" --image "$dir/duktape.sig" --domain "$dir/bench.json" \
        --sim-root host --out "$dir/policy.json"
    for e in quickjs duktape; do
        $t pack examples/echo --name echo-$e --domain echo.$e.test --out "$dir/$e.tfb"
        $t sign "$dir/$e.tfb" --key "$dir/pub.pem"
        $t deploy "$dir/$e.tfb" --domain "$dir/bench.json" --engine $e
        $t grant echo-$e --policy "$dir/policy.json" --key "$dir/pub.pem" --ca-key "$dir/ca.key" \
            --ca-cert "$dir/ca.pem" --allow-sim
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/n.key" -out "$dir/n.pem" \
        -days 2 -subj /CN=nginx.test -addext subjectAltName=DNS:nginx.test
    cat >"$dir/nginx.conf" <<NGINX
worker_processes 1; daemon off; pid $dir/nginx.pid; error_log $dir/nginx.err;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000;
  client_body_temp_path $dir/b; proxy_temp_path $dir/p; fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
  server { listen 127.0.0.1:$nginx_port ssl; server_name nginx.test; ssl_protocols TLSv1.3;
    ssl_certificate $dir/n.pem; ssl_certificate_key $dir/n.key;
    location / { default_type text/plain; return 200 "$(printf 'x%.0s' $(seq 100))"; } } }
NGINX
    taskset -c 0 nginx -c "$dir/nginx.conf" -p "$dir" 2>"$dir/nginx.start" &
    nginx=$!
    pids+=("$nginx")
    sleep 1
} >"$dir/setup.log" 2>&1 || { cat "$dir/setup.log" "$dir/tfaasd.log"; exit 1; }

entries() { curl -s --unix-socket "$TFAAS_HOST" http://x/metrics |
    awk -v e="$1" '/^tfaas_enclave_entries_total/ && (e == "" || index($0, "\"" e "\"")) { n += $NF } END { print n + 0 }'; }
worker() { $t info --json >/dev/null; curl -s --unix-socket "$TFAAS_HOST" http://x/v1/workers |
    jq -r --arg e "$1" '.workers[] | select(.engine == $e) | .pid'; }
# wrk takes the TLS name from the URL, so a resolver entry is needed: a private hosts file in a
# mount namespace, where the machine's own stays as it is.
hosts=$dir/hosts; { cat /etc/hosts; echo "127.0.0.1 echo.quickjs.test echo.duktape.test nginx.test"; } >"$hosts"
load() { # host port
    unshare -m sh -c "mount --bind '$hosts' /etc/hosts && exec taskset -c 1 wrk -t1 -c64 -d${seconds}s --latency \
        -s bench/echo.lua https://$1:$2/"
}
# User and system time of a process so far, in us.
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000000 / hz }' "/proc/$1/stat"; }
server() { if [ "$1" = nginx ]; then cat "/proc/$nginx/task/$nginx/children"; else worker "$1"; fi | tr -d ' '; }
one() { # name host port engine
    local before after out requests pid used
    pid=$(server "$1")
    before=$(entries "${4:-none}") used=$(cpu "$pid")
    out=$(load "$2" "$3")
    after=$(entries "${4:-none}") used=$(awk -v a="$(cpu "$pid")" -v b="$used" 'BEGIN { print a - b }')
    requests=$(awk '/requests in/ { print $1 }' <<<"$out")
    awk -v name="$1" -v used="$used" -v before="$before" -v after="$after" -v requests="$requests" '
        /99%/ { p = $2; v = p + 0; if (p ~ /us$/) v /= 1000; else if (p !~ /ms$/) v *= 1000 }
        /Requests\/sec/ { r = $2 } /Non-2xx/ { bad += $NF } /Socket errors/ { bad += $4 + $6 + $8 + $10 }
        END { printf "%s %.0f %.2f %.1f %.3f %d\n", name, r, v, used / requests, (after - before) / requests, bad }' <<<"$out" >>"$dir/result"
}
for e in quickjs duktape; do seconds=1 load echo.$e.test "$port" >/dev/null; done
for _ in $(seq "$rounds"); do
    one quickjs echo.quickjs.test "$port" quickjs
    one duktape echo.duktape.test "$port" duktape
    one nginx nginx.test "$nginx_port"
done
printf '%-8s %12s %8s %12s %16s %14s %7s\n' server requests/s 'p99 ms' 'CPU us/req' 'EENTER/request' 'resident MiB' errors
for n in quickjs duktape nginx; do
    median() { awk -v n="$n" -v c="$1" '$1 == n { print $c }' "$dir/result" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
    rss=$(awk '/VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$(server "$n")/status")
    printf '%-8s %12s %8s %12s %16s %14s %7s\n' "$n" "$(median 2)" "$(median 3)" "$(median 4)" "$(median 5)" "$rss" "$(median 6)"
done
