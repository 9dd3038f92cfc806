/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v8_addon.cc - how node starts us: an addon whose one function takes the thread and
 * never gives it back (enclave/native/start.js).
 */
#include <cstdlib>

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
