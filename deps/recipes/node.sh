# shellcheck shell=sh
# node: the program as its package brings it, built by others: V8 with all that node adds, and
# the headers. Only `make v8` asks for it. Nothing is compiled, so that its hash stays theirs.
mkdir -p "$TF_OUT/bin" "$TF_OUT/include"
mv bin/node "$TF_OUT/bin/"
mv include/node "$TF_OUT/include/"
rm -rf "$TF_OUT/include/node/openssl"
