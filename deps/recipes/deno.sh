# shellcheck shell=sh
# deno: the program as its package brings it, for `make bench` to measure beside tfaas. Nothing of
# it is linked or shipped.
mkdir -p "$TF_OUT/bin"
mv deno "$TF_OUT/bin/"
