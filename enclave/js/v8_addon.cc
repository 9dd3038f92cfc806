/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v8_addon.cc - what is node's and the process's: an addon whose one function takes the
 * thread and never gives it back (enclave/native/start.js), the platform behind V8, the
 * end when V8 cannot go on.
 */
#include <cstdio>
#include <cstdlib>
#include <new>

#include <malloc.h>
#include <uv.h>

#include "enclave/js/v8_instance.h"

extern "C" {
#include "abi/native.h"
}

using v8::Context;
using v8::Isolate;
using v8::Local;
using v8::Object;
using v8::String;
using v8::Value;

node::MultiIsolatePlatform *tfv8::platform;

uv_loop_t *tfv8::loop_of_thread()
{
    static thread_local uv_loop_t *loop;

    if (loop == nullptr) {
        loop = new (std::nothrow) uv_loop_t;
        if (loop != nullptr && uv_loop_init(loop) != 0) {
            delete loop;
            loop = nullptr;
        }
    }
    return loop;
}

/* What this addon and the C++ library's templates in it free is zeroed where its size is
 * known: it may have been a lambda's. Bound to these in the addon alone; the form with
 * nothrow is the library's own and ends in its free(), whose name is the core's here. */
void operator delete(void *block) noexcept
{
    operator delete(block, std::nothrow);
}

void operator delete(void *block, std::size_t size) noexcept
{
    if (block != nullptr) {
        explicit_bzero(block, size);
    }
    operator delete(block, std::nothrow);
}

void tfv8::trim_memory()
{
    (void)malloc_trim(0);
}

static void on_fatal(const char *where, const char *what)
{
    (void)std::fprintf(stderr, "tfaas: V8 cannot go on: %s: %s\n",
                       where == nullptr ? "" : where, what == nullptr ? "" : what);
    std::abort();
}

static void on_no_memory(const char *where, const v8::OOMDetails &details)
{
    on_fatal(where, details.detail == nullptr ? "out of memory" : details.detail);
}

void tfv8::end_loudly(Isolate *isolate)
{
    isolate->SetFatalErrorHandler(on_fatal);
    isolate->SetOOMErrorHandler(on_no_memory);
}

namespace
{

/* module.exports.run(arguments): never returns to node. */
void run(const v8::FunctionCallbackInfo<Value> &call)
{
    Isolate *isolate = call.GetIsolate();
    Local<Context> context = isolate->GetCurrentContext();
    std::vector<std::string> texts = {"tfaas-worker-v8"};
    std::vector<char *> arguments;

    for (uint32_t i = 0; call[0]->IsArray() && i < call[0].As<v8::Array>()->Length();
         i++) {
        String::Utf8Value text(isolate,
                               call[0].As<Object>()->Get(context, i).ToLocalChecked());
        texts.emplace_back(*text, static_cast<size_t>(text.length()));
    }
    for (std::string &text : texts) {
        arguments.push_back(text.data());
    }
    arguments.push_back(nullptr);
    std::_Exit(tf_native_main(static_cast<int>(texts.size()), arguments.data()));
}

void start(Local<Object> exports, Local<Value> module, Local<Context> context, void *data)
{
    (void)module;
    (void)data;
    tfv8::platform = node::GetMultiIsolatePlatform(node::GetCurrentEnvironment(context));
    NODE_SET_METHOD(exports, "run", run);
}

} // namespace

NODE_MODULE_CONTEXT_AWARE(tfaas_v8, start)
