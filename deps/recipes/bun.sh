# shellcheck shell=sh
# bun: the program as its package brings it, for `make bench` to measure beside tfaas. Nothing of
# it is linked or shipped.
mkdir -p "$TF_OUT/bin"
mv bin/bun "$TF_OUT/bin/"
