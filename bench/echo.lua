-- wrk: POST a body of 100 bytes.
wrk.method = "POST"
wrk.body = string.rep("x", 100)
wrk.headers["content-type"] = "text/plain"
