# shellcheck shell=sh disable=SC2034
# picohttpparser: the HTTP/1.1 parser of h2o, taken from inside h2o's source.
cd deps/picohttpparser || exit 1
TF_LIB=picohttpparser
TF_FLAVOURS="enclave native asan traced"
# SSE4.2's pcmpestri finds the end of a token 16 bytes at a time.
TF_FLAGS="-std=gnu11 -msse4.2"
TF_UBSAN="undefined"
tf_unit picohttpparser.c
tf_archives
tf_headers . picohttpparser.h
