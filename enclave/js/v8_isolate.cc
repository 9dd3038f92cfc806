/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v8_isolate.cc - an instance's isolate: how it is made, ahead of need where it can be,
 * how it rests, its end.
 */
#include <new>

#include "enclave/js/v8_instance.h"

extern "C" {
#include "abi/limits.h"
}

using v8::Global;
using v8::HandleScope;
using v8::Isolate;

namespace tfv8
{

namespace
{

enum {
    UNWIND_ROOM = 600 << 20, /* bytes over the limit: one string of any size fits */
    HEAP_LEAST = 16 << 20,   /* what V8 needs to live, added to a lambda's memory */
    YOUNG = 3 * (4 << 20) /* thrice a semi-space; its pages come when they are needed */
};
static_assert(HEAP_LEAST + YOUNG < HEAP_EXTRA, "room that V8 may fill counts as full");

const uint64_t REST_NS =
    UINT64_C(5000000000); /* without a call, until memory goes back */

/* An isolate with a context in which no lambda has run, for one with that much memory. */
struct Spare {
    Isolate *isolate = nullptr;
    Buffers *buffers = nullptr;
    size_t memory = TF_MEMORY_DEFAULT;
    std::unique_ptr<Realm> realm; /* null: its taker makes one */
};
thread_local Spare spare;

/* Who took the last one and has not been called yet. The first request is on its way: it
 * does not wait until the next spare is made. */
thread_local tf_js *taker;

/* The instances of this thread that have run since they rested. */
std::vector<tf_js *> &awake()
{
    static thread_local std::vector<tf_js *> list;
    return list;
}

size_t on_near_limit(void *data, size_t limit, size_t initial)
{
    Isolate *isolate = static_cast<Isolate *>(data); /* SAFETY: as it was given */

    (void)initial;
    if (self(isolate) != nullptr) {
        self(isolate)->is_full = true;
        isolate->TerminateExecution();
    }
    return limit + UNWIND_ROOM;
}

/* @return false without memory; then `out` is as it was. */
bool make(Spare *out, size_t memory)
{
    struct uv_loop_s *loop = loop_of_thread();
    Isolate::CreateParams params;
    Buffers *buffers = new (std::nothrow) Buffers(memory);

    if (loop == nullptr || buffers == nullptr) {
        delete buffers;
        return false;
    }
    params.array_buffer_allocator = buffers;
    params.snapshot_blob = snapshot();
    params.external_references = references();
    params.constraints.ConfigureDefaultsFromHeapSize(0, memory + HEAP_LEAST);
    params.constraints.set_initial_young_generation_size_in_bytes(YOUNG);
    params.constraints.set_max_young_generation_size_in_bytes(YOUNG);
    Isolate *isolate = Isolate::Allocate();
    platform->RegisterIsolate(isolate, loop);
    Isolate::Initialize(isolate, params);
    isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
    isolate->SetHostImportModuleDynamicallyCallback(on_dynamic_import);
    isolate->AddNearHeapLimitCallback(on_near_limit, isolate);
    end_loudly(isolate);
    *out = {isolate, buffers, memory, nullptr};
    return true;
}

/* Makes the spare, for the next load. @return false without memory. */
bool make_spare()
{
    if (!make(&spare, spare.memory)) {
        return false;
    }
    Isolate::Scope entered(spare.isolate);
    HandleScope scope(spare.isolate);
    v8::TryCatch ignored(spare.isolate);
    spare.realm = make_realm(spare.isolate);
    return true;
}

void forget(tf_js *js)
{
    taker = taker == js ? nullptr : taker;
    if (js->is_awake) {
        js->is_awake = false;
        std::erase(awake(), js);
    }
}

/* The clock is the host's: one that jumps back begins anew. */
bool has_idled(tf_js *js, uint64_t now)
{
    if (js->idle_since == 0 || js->idle_since > now) {
        js->idle_since = now;
    }
    return now - js->idle_since >= REST_NS;
}

} // namespace

bool make_isolate(tf_js *js)
{
    Spare made;

    if (spare.isolate != nullptr && spare.memory == js->memory) {
        made = std::exchange(spare, {});
        taker = js;
    } else if (!make(&made, js->memory)) {
        return false;
    }
    js->isolate = made.isolate;
    js->buffers = made.buffers;
    js->realm = std::move(made.realm);
    js->isolate->SetData(0, js);
    js->is_full = false;
    return true;
}

/* The queue must not go before its context has let go of it. */
void end_realm(tf_js *js)
{
    if (js->realm != nullptr && !js->realm->context.IsEmpty()) {
        Isolate::Scope entered(js->isolate);
        HandleScope scope(js->isolate);
        js->realm->context.Get(js->isolate)->DetachGlobal();
    }
    js->realm.reset();
}

void end_isolate(tf_js *js)
{
    forget(js);
    end_realm(js);
    for (Global<v8::UnboundScript> &script : js->scripts) {
        script.Reset();
    }
    if (js->isolate != nullptr) {
        platform->DisposeIsolate(js->isolate);
        js->isolate = nullptr;
    }
    delete js->buffers;
    js->buffers = nullptr;
}

void wake(tf_js *js)
{
    js->idle_since = 0;
    taker = taker == js ? nullptr : taker;
    if (!js->is_awake) {
        js->is_awake = true;
        awake().push_back(js);
    }
}

} // namespace tfv8

using namespace tfv8;

extern "C" bool tf_js_warm(void)
{
    return loop_of_thread() != nullptr && tf_watch_self() != nullptr &&
           snapshot() != nullptr && make_spare();
}

extern "C" bool tf_js_rest(uint64_t now)
{
    const auto &list = awake();
    auto at = std::ranges::find_if(list, [=](tf_js *js) { return has_idled(js, now); });

    if (at == list.end()) {
        return spare.isolate == nullptr && taker == nullptr && make_spare();
    }
    tf_js *js = *at;
    forget(js);
    if (js->isolate != nullptr) {
        if (js->state == TF_JS_FRESH) { /* nobody misses it: the next call makes one */
            end_realm(js);
            js->state = TF_JS_SPENT;
        }
        Isolate::Scope entered(js->isolate);
        js->isolate->LowMemoryNotification();
    }
    if (list.empty()) {
        trim_memory();
    }
    return true;
}
