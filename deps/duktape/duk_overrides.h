/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duk_overrides.h - our Duktape options; included from the middle of duk_config.h.
 *
 * Everything that would reach for the operating system becomes a tf_ function that the
 * engine adapter (enclave/js) provides, and every way to run without end becomes a check.
 */
#ifndef TF_DUK_OVERRIDES_H
#define TF_DUK_OVERRIDES_H

/* Steps: tf_duk_timeout is asked every 16 Ki opcodes, tf_duk_charge is told of work that
 * native code does (patches/duktape). Neither returns when the limit is passed. */
extern duk_bool_t tf_duk_timeout(void *udata);
extern void tf_duk_charge(void *udata, duk_size_t count);
extern void tf_duk_collect(void *udata); /* a collection begins */
/* Work that is not counted, but may be interrupted: returns, perhaps later. */
extern void tf_duk_work(void *udata, duk_size_t count);
#define DUK_USE_INTERRUPT_COUNTER
#undef DUK_USE_EXEC_TIMEOUT_CHECK
#define DUK_USE_EXEC_TIMEOUT_CHECK(udata) tf_duk_timeout((udata))
#define DUK_USE_CHARGE(udata, count)      tf_duk_charge((udata), (duk_size_t) (count))
#define DUK_USE_COLLECT(udata)            tf_duk_collect((udata))
#define DUK_USE_WORK(udata, count)        tf_duk_work((udata), (duk_size_t) (count))

/* Native stack: non-zero means that it is nearly used up; becomes a RangeError. The macro
 * has no parameter, but its one use, duk_native_stack_check(thr), has the thread at hand;
 * taking the heap's udata from there spares a global variable shared by all threads. */
extern int tf_duk_stack_check(void *udata);
#undef DUK_USE_NATIVE_STACK_CHECK
#define DUK_USE_NATIVE_STACK_CHECK() tf_duk_stack_check(thr->heap->heap_udata)

/* An error outside every protected call: must not return. */
extern void tf_duk_fatal(void *udata, const char *msg) __attribute__((noreturn));
#undef DUK_USE_FATAL_HANDLER
#define DUK_USE_FATAL_HANDLER(udata, msg) tf_duk_fatal((udata), (msg))

/* Where an error was thrown is a place of the lambda's, not one of the interpreter's. */
#undef DUK_FILE_MACRO
#define DUK_FILE_MACRO NULL

/* Time: milliseconds since 1970, UTC, from the adapter; no time zone, no strptime. */
extern duk_double_t tf_duk_now(void);
#undef DUK_USE_DATE_NOW_GETTIMEOFDAY
#undef DUK_USE_DATE_TZO_GMTIME_R
#undef DUK_USE_DATE_PRS_STRPTIME
#undef DUK_USE_DATE_FMT_STRFTIME
#undef DUK_USE_GET_MONOTONIC_TIME_CLOCK_GETTIME
#undef DUK_USE_DATE_GET_NOW
#undef DUK_USE_DATE_GET_LOCAL_TZOFFSET
#undef DUK_USE_GET_MONOTONIC_TIME
#define DUK_USE_DATE_GET_NOW(ctx)          tf_duk_now()
#define DUK_USE_DATE_GET_LOCAL_TZOFFSET(d) 0
#define DUK_USE_GET_MONOTONIC_TIME(ctx)    tf_duk_now()

/* Math.random: [0, 1) from the adapter. Upstream seeds its own from the clock and from
 * addresses, which a heap that is restored from a snapshot would repeat every time. */
extern duk_double_t tf_duk_random(void *udata);
#undef DUK_USE_GET_RANDOM_DOUBLE
#define DUK_USE_GET_RANDOM_DOUBLE(udata) tf_duk_random((udata))

/* Memory comes from the adapter's arena; there is no default to fall back to. */
#undef DUK_USE_PROVIDE_DEFAULT_ALLOC_FUNCTIONS

/* No bytecode: loading it is not memory safe, and bundles never contain any. */
#undef DUK_USE_BYTECODE_DUMP_SUPPORT

/* Integers as such: bit operations without a detour by fmod(). */
#define DUK_USE_FASTINT

/* What no lambda can reach: the global objects CBOR and Duktape are deleted before it runs
 * (enclave/js/prelude/base.js), and with them custom JSON formats, error hooks, finalizers and
 * threads. TextEncoder, TextDecoder and performance are the prelude's.
 * The table of built-in functions was generated with them (by genbuiltins.py, which needs
 * Python 2), so their entries throw. */
#undef DUK_USE_CBOR_BUILTIN
#undef DUK_USE_CBOR_SUPPORT
#undef DUK_USE_DUKTAPE_BUILTIN
#undef DUK_USE_COROUTINE_SUPPORT
#undef DUK_USE_JX
#undef DUK_USE_JC
#undef DUK_USE_BASE64_SUPPORT
#undef DUK_USE_HEX_SUPPORT
#undef DUK_USE_ERRCREATE
#undef DUK_USE_ERRTHROW
#undef DUK_USE_FINALIZER_SUPPORT
#define DUK_HEAP_REMOVE_FROM_FINALIZE_LIST(heap, header) /* duk_push_heapptr() forgot */
#undef DUK_USE_ENCODING_BUILTINS
#undef DUK_USE_PERFORMANCE_BUILTIN
#define duk_bi_cbor_decode            duk_bi_type_error_thrower
#define duk_bi_cbor_encode            duk_bi_type_error_thrower
#define duk_bi_duktape_object_act     duk_bi_type_error_thrower
#define duk_bi_duktape_object_compact duk_bi_type_error_thrower
#define duk_bi_duktape_object_dec     duk_bi_type_error_thrower
#define duk_bi_duktape_object_enc     duk_bi_type_error_thrower
#define duk_bi_duktape_object_fin     duk_bi_type_error_thrower
#define duk_bi_duktape_object_gc      duk_bi_type_error_thrower
#define duk_bi_duktape_object_info    duk_bi_type_error_thrower
#define duk_bi_thread_constructor     duk_bi_type_error_thrower
#define duk_bi_thread_current         duk_bi_type_error_thrower
#define duk_bi_thread_resume          duk_bi_type_error_thrower
#define duk_bi_thread_yield           duk_bi_type_error_thrower

/* Built-in functions are made when they are first touched; until then a value without memory
 * of its own stands for each (patches/duktape/0009-built-ins-when-touched.patch). */
#define DUK_USE_LIGHTFUNC_BUILTINS

/* Strings of the engine's own that are found by their address: fewer, as every byte of the
 * heap is copied for every request. */
#undef DUK_USE_LITCACHE_SIZE
#define DUK_USE_LITCACHE_SIZE 32

/* For the same reason: two strings a place in their table, if they are not sealed. */
#undef DUK_USE_STRTAB_MINSIZE
#undef DUK_USE_STRTAB_GROW_LIMIT
#define DUK_USE_STRTAB_MINSIZE    512
#define DUK_USE_STRTAB_GROW_LIMIT 32

#endif
