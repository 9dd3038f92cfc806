# shellcheck shell=sh
# workerd: the program as its package brings it, for `make bench` to measure beside tfaas. Nothing of
# it is linked or shipped.
mkdir -p "$TF_OUT/bin"
mv bin/workerd "$TF_OUT/bin/"
