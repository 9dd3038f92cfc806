-- SPDX-License-Identifier: Apache-2.0
-- wrk: POST a body of BENCH_BODY bytes, or GET when that is 0; at the end one line for
-- bench/suite/load.py: `RESULT requests microseconds errors p50 p99 then other percentiles`.
local size = tonumber(os.getenv("BENCH_BODY") or "0")
if size > 0 then
    wrk.method = "POST"
    wrk.body = string.rep("x", size)
    wrk.headers["content-type"] = "text/plain"
end

function done(summary, latency)
    local e = summary.errors
    local errors = e.connect + e.read + e.write + e.status + e.timeout
    local out = {summary.requests, summary.duration, errors}
    for _, p in ipairs({50, 99, 1, 10, 25, 75, 90, 95, 99.9, 99.99}) do
        out[#out + 1] = latency:percentile(p)
    end
    print("RESULT " .. table.concat(out, " "))
end
