/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v8_instance.h - between v8.cc (an instance's life, running, limits), v8_native.cc (what
 * scripts may call, modules), v8_snapshot.cc (what contexts begin as) and v8_addon.cc
 * (how node starts us); nobody else includes it.
 */
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <node.h>
#include <string.h>

extern "C" {
#include "enclave/js/isolate.h"
#include "enclave/js/native.h"
#include "enclave/js/text.h"
#include "enclave/native/watch.h"
}

namespace tfv8
{

/**
 * Memory of array buffers, which lies outside of V8's heap; with a cap, and zeroed when
 * it goes. V8 collects
 * garbage when it gets none, asks again, and then throws. Its own threads free blocks:
 * they come from its allocator, never from the core's heap, which is a thread's own.
 */
class Buffers final : public v8::ArrayBuffer::Allocator
{
  public:
    explicit Buffers(size_t cap)
        : cap_(cap), base_(v8::ArrayBuffer::Allocator::NewDefaultAllocator())
    {
    }
    void *Allocate(size_t size) override
    {
        return take(size) ? base_->Allocate(size) : nullptr;
    }
    void *AllocateUninitialized(size_t size) override
    {
        return take(size) ? base_->AllocateUninitialized(size) : nullptr;
    }
    void Free(void *data, size_t size) override
    {
        explicit_bzero(data, size);
        base_->Free(data, size);
        used_ -= size;
    }
    /** The most that there was at a time since the last call of this. */
    size_t TakeMost()
    {
        return std::exchange(most_, used_.load());
    }

  private:
    bool take(size_t size)
    {
        size_t before = used_.fetch_add(size);
        if (size <= cap_ && before <= cap_ - size) {
            most_ = std::max(most_, before + size);
            return true;
        }
        used_ -= size;
        return false;
    }

    const size_t cap_;
    std::unique_ptr<v8::ArrayBuffer::Allocator> base_;
    std::atomic<size_t> used_{0};
    size_t most_ = 0; /* the isolate's thread alone allocates */
};

/** A module of the context's, by its path. */
struct Loaded {
    std::string path;
    v8::Global<v8::Module> module;
};

/** What belongs to a context. */
struct Realm {
    std::unique_ptr<v8::MicrotaskQueue> queue;
    v8::Global<v8::Context> context;
    v8::Global<v8::Array> files; /* functions: the prelude's, in order */
    v8::Global<v8::Function> prepare;
    v8::Global<v8::Function> load;
    v8::Global<v8::Function> bind;
    v8::Global<v8::Function> call;
    std::vector<Loaded> modules;
    bool is_answered = false; /* then the next three are set */
    double status = 0;
    v8::Global<v8::Value> body;
    v8::Global<v8::Value> headers;
    bool is_failed = false; /* then this is */
    v8::Global<v8::Value> reason;
};

} // namespace tfv8

struct tf_js {
    struct tf_native native = {};
    struct tf_arena *scratch = nullptr;
    size_t memory = 0;
    tfv8::Buffers *buffers = nullptr;   /* owned */
    v8::Isolate *isolate = nullptr;     /* owned; null until loaded */
    std::unique_ptr<tfv8::Realm> realm; /* null until the top level is to run */
    std::vector<v8::Global<v8::UnboundScript>>
        scripts;             /* CommonJS, by index of the file */
    std::string text;        /* the answer's body, if it was a string */
    std::vector<char> block; /* the answer's headers */
    std::vector<struct tf_js_header> list;
    struct tf_watch *watch = nullptr;
    bool is_full = false; /* the heap's limit was hit */
    enum tf_js_state state = TF_JS_SPENT;
    unsigned calls = 0;
    bool is_awake = false;   /* among the thread's that tf_js_rest looks at */
    uint64_t idle_since = 0; /* ns; 0: it has been called since anybody looked */
};

namespace tfv8
{

/** Node's, for the threads and tasks of all isolates. From v8_addon.cc, before any of
 *  them. */
extern node::MultiIsolatePlatform *platform;

/** What V8's tasks hang on; nothing of ours does. One a thread, for its whole life.
 *  @return nullptr without memory. */
struct uv_loop_s *loop_of_thread();

/** Beyond a lambda's memory, bytes: what V8's heap may hold before it counts as full. */
enum { HEAP_EXTRA = 32 << 20 };

/** Gives the instance an isolate: the one made ahead if that fits, with a context in
 *  `realm`, or a new one. @return false without memory. */
bool make_isolate(tf_js *js);

/** Ends the context, if there is one. */
void end_realm(tf_js *js);

/** Ends the isolate with all that lies in it. */
void end_isolate(tf_js *js);

/** Says that the instance runs: tf_js_rest is to look at it again. */
void wake(tf_js *js);

/** Gives the system what the process has freed. */
void trim_memory();

/** Has the isolate say what it cannot go on with, before it ends the process. */
void end_loudly(v8::Isolate *isolate);

/** The instance that the isolate is of. */
tf_js *self(v8::Isolate *isolate);

/** A size as V8's API wants it. */
int length_of(size_t size);

/** A string of the source's: short, NUL-terminated ASCII, so that it cannot fail. */
v8::Local<v8::String> literal(v8::Isolate *isolate, const char *text);

/** Decodes untrusted bytes, of which each is a character or which are UTF-8. */
v8::MaybeLocal<v8::String> new_text(v8::Isolate *isolate, struct tf_str bytes,
                                    bool is_latin1);

/** UTF-8 of a string; `flags` of v8::String::WriteFlags. */
std::string utf8_of(v8::Isolate *isolate, v8::Local<v8::String> text, int flags);

/** Runs a script in the current context; `kept` is what has been compiled of it, for the
 *  isolate's other contexts. */
v8::MaybeLocal<v8::Value> run_script(v8::Isolate *isolate,
                                     v8::Global<v8::UnboundScript> *kept,
                                     const char *name, v8::Local<v8::String> source);

/** What every isolate begins as: V8's own start-up snapshot, and a context in which the
 *  prelude has run. Made by the first call of the process, from the measured sources
 *  alone; stays. @return nullptr without memory. */
v8::StartupData *snapshot();

/** For Isolate::CreateParams: what is ours and lies in the snapshot. */
const intptr_t *references();

/** Its functions. */
std::vector<intptr_t> native_references();

/** A copy of the snapshot's context, with its functions. @return null without memory,
 *  maybe with an exception. */
std::unique_ptr<Realm> make_realm(v8::Isolate *isolate);

/** Makes the prelude's `native`. @return false with an exception. */
bool define_natives(v8::Local<v8::Context> context, v8::Local<v8::Object> object);

/** The module of a path, compiled when it is not there yet. */
v8::MaybeLocal<v8::Module> load_module(tf_js *js, const std::string &path);

/** Links and runs a module. @return the promise of its evaluation. */
v8::MaybeLocal<v8::Value> evaluate(v8::Local<v8::Context> context,
                                   v8::Local<v8::Module> module);

/** For Isolate::SetHostImportModuleDynamicallyCallback. */
v8::MaybeLocal<v8::Promise> on_dynamic_import(v8::Local<v8::Context> context,
                                              v8::Local<v8::Data> options,
                                              v8::Local<v8::Value> referrer,
                                              v8::Local<v8::String> specifier,
                                              v8::Local<v8::FixedArray> attributes);

} // namespace tfv8
