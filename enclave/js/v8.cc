/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v8.cc - js.h and isolate.h over V8, as it is inside the node program whose addon this
 * becomes. One isolate an instance, one context for what must be fresh. v8*.cc are the
 * only C++ of the project: no exception and no C++ type leaves them.
 *
 * Limits. CPU time: enclave/native/watch.h terminates execution, which scripts cannot
 * catch. Memory: V8's heap has a hard limit; shortly before it execution is terminated
 * too, with room to unwind in, and that isolate is not used again. A buffer that does not
 * fit is an error that scripts may catch. What V8 itself cannot survive ends the process
 * (js.h's callers never see it): the supervisor starts another.
 */
#include <cstring>
#include <new>

#include "enclave/js/v8_instance.h"

extern "C" {
#include "abi/limits.h"
}

using v8::Context;
using v8::Function;
using v8::Global;
using v8::HandleScope;
using v8::Isolate;
using v8::Local;
using v8::MaybeLocal;
using v8::Module;
using v8::Object;
using v8::Promise;
using v8::String;
using v8::TryCatch;
using v8::Value;
using namespace tfv8;

namespace
{

enum { TIDY_EVERY = 64 /* calls */ };

/* --- errors ---------------------------------------------------------------------- */

/* Where the error is in the source, as a line of a stack would say it. */
std::string place_of(Local<Context> context, Local<Value> error)
{
    Isolate *isolate = Isolate::GetCurrent();
    Local<v8::Message> message = v8::Exception::CreateMessage(isolate, error);
    Local<Value> file = message->GetScriptResourceName();

    if (!file->IsString()) {
        return "";
    }
    return "at " +
           utf8_of(isolate, file.As<String>(), String::WriteFlags::kReplaceInvalidUtf8) +
           ":" + std::to_string(message->GetLineNumber(context).FromMaybe(0));
}

/* Writes what was thrown into the report; may run the script's toString, within the
 * limits. */
void describe(Local<Context> context, Local<Value> error, struct tf_js_report *report)
{
    Isolate *isolate = Isolate::GetCurrent();
    TryCatch ignored(isolate);
    Local<String> text;
    Local<Value> stack;
    std::string message;
    std::string lines;

    if (error->ToString(context).ToLocal(&text)) {
        message = utf8_of(isolate, text, String::WriteFlags::kReplaceInvalidUtf8);
    }
    if (error->IsNativeError() &&
        error.As<Object>()->Get(context, literal(isolate, "stack")).ToLocal(&stack) &&
        stack->IsString()) {
        lines = utf8_of(isolate, stack.As<String>(), String::WriteFlags::kNone);
    }
    /* V8 repeats the message before the first line of the stack. */
    size_t at = lines.find("\n    at ");
    lines = at == std::string::npos ? "" : lines.substr(at + 1);
    std::string place = message.starts_with("SyntaxError") ? place_of(context, error) : "";
    if (!place.empty()) { /* the stack is that of who compiles */
        lines = place;
    }
    tf_text_report(report, message.data(), message.size(), lines.data(), lines.size());
}

/* What an error means. `other` is for the lambda's own. */
tf_err classify(tf_js *js, Local<Value> error, struct tf_js_report *report, tf_err other)
{
    Isolate *isolate = js->isolate;
    Local<Context> context = isolate->GetCurrentContext();
    std::string text;

    if (error->IsNativeError()) {
        Local<String> message = v8::Exception::CreateMessage(isolate, error)->Get();
        text = utf8_of(isolate, message, String::WriteFlags::kReplaceInvalidUtf8);
    }
    if (text.starts_with("Uncaught RangeError: Maximum call stack size exceeded") ||
        (text.starts_with("Uncaught SyntaxError: Invalid regular expression") &&
         text.ends_with(": Stack overflow"))) {
        return tf_text_say(report, TF_ESTACK);
    }
    if (text.starts_with("Uncaught RangeError: Invalid string length") ||
        text.starts_with("Uncaught RangeError: Array buffer allocation failed")) {
        return tf_text_say(report, TF_EMEMORY);
    }
    tf_err err = js->native.is_refused ? TF_ERESPONSE : other;
    describe(context, error, report);
    return err;
}

tf_err classify_caught(tf_js *js, const TryCatch &caught, struct tf_js_report *report,
                       tf_err other)
{
    /* A terminated one is told by the caller, who knows which limit it was. */
    if (caught.HasTerminated() || !caught.HasCaught()) {
        return TF_EINTERNAL;
    }
    return classify(js, caught.Exception(), report, other);
}

/* --- contexts -------------------------------------------------------------------- */

/* Calls one of the prelude's functions, then runs promise jobs until none is left. */
tf_err enter(tf_js *js, const Global<Function> &function, std::vector<Local<Value>> args,
             struct tf_js_report *report)
{
    Isolate *isolate = js->isolate;
    Local<Context> context = isolate->GetCurrentContext();
    TryCatch caught(isolate);

    if (function.Get(isolate)
            ->Call(context, v8::Undefined(isolate), length_of(args.size()), args.data())
            .IsEmpty()) {
        return classify_caught(js, caught, report, TF_EEXCEPTION);
    }
    js->realm->queue->PerformCheckpoint(isolate);
    return isolate->IsExecutionTerminating() ? TF_EINTERNAL : TF_OK;
}

tf_err load_es_module(tf_js *js, struct tf_js_report *report)
{
    Isolate *isolate = js->isolate;
    Local<Context> context = isolate->GetCurrentContext();
    Local<Module> module;
    Local<Value> done;
    TryCatch caught(isolate);

    if (!load_module(js, js->native.program->entry).ToLocal(&module) ||
        !evaluate(context, module).ToLocal(&done)) {
        return classify_caught(js, caught, report, TF_ELAMBDA_SOURCE);
    }
    js->realm->queue->PerformCheckpoint(isolate);
    if (isolate->IsExecutionTerminating()) {
        return TF_EINTERNAL;
    }
    Local<Promise> promise = done.As<Promise>();
    if (promise->State() == Promise::kRejected) {
        return classify(js, promise->Result(), report, TF_ELAMBDA_SOURCE);
    }
    if (promise->State() == Promise::kPending) {
        return tf_text_say(report, TF_EPENDING);
    }
    return enter(js, js->realm->bind, {module->GetModuleNamespace()}, report);
}

/* Makes the context, unless it came with the isolate. Without room for it, V8 throws. */
tf_err need_realm(tf_js *js, struct tf_js_report *report)
{
    TryCatch caught(js->isolate);

    if (js->realm == nullptr) {
        js->realm = make_realm(js->isolate);
    }
    if (js->realm != nullptr) {
        return TF_OK;
    }
    return tf_text_say(report, caught.HasCaught() ? TF_ESTACK : TF_EMEMORY);
}

/* The top level, in a new context. */
tf_err load(tf_js *js, struct tf_js_report *report)
{
    Isolate *isolate = js->isolate;
    tf_err err = need_realm(js, report);
    if (err != TF_OK) {
        return err;
    }
    HandleScope scope(isolate);
    Context::Scope inside(js->realm->context.Get(isolate));
    err = enter(js, js->realm->prepare, {}, report);
    if (err == TF_OK && js->native.program->is_module) {
        err = load_es_module(js, report);
    } else if (err == TF_OK) {
        err = enter(js, js->realm->load, {literal(isolate, js->native.program->entry)},
                    report);
    }
    return err == TF_EEXCEPTION || err == TF_EPENDING ? TF_ELAMBDA_SOURCE : err;
}

/* --- limits ---------------------------------------------------------------------- */

void on_time(void *user)
{
    static_cast<Isolate *>(user)->TerminateExecution(); /* SAFETY: as it was given */
}

/* V8 does not say how full its heap was at most: what it holds of the system now, which
 * it gives back only now and then, and array buffers. One allocation is made whatever the
 * limit says, if it has to be; that counts as the limit, too. */
uint64_t take_peak(tf_js *js)
{
    v8::HeapStatistics statistics;

    js->isolate->GetHeapStatistics(&statistics);
    size_t heap = statistics.total_heap_size();
    js->is_full = js->is_full || heap > js->memory + HEAP_EXTRA;
    return heap + js->buffers->TakeMost();
}

/* Runs `work` in the isolate within the limits, and tells which one it hit. */
template <typename Work>
tf_err guard(tf_js *js, const struct tf_js_limits *limits, struct tf_js_report *report,
             Work work)
{
    Isolate *isolate = js->isolate;
    Isolate::Scope entered(isolate);
    HandleScope scope(isolate);
    bool is_late = false;
    uintptr_t here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));

    report->steps = 0;
    report->message[0] = '\0';
    js->native.is_refused = false;
    js->native.random_left = 0;
    js->text.clear();
    isolate->SetStackLimit(here - limits->stack); /* SAFETY: an address to compare with */
    tf_watch_arm(js->watch, limits->steps * TF_STEP_NS, on_time, isolate);
    tf_err err = work();
    bool is_ended = isolate->IsExecutionTerminating();
    report->steps = tf_watch_disarm(js->watch, &is_late) / TF_STEP_NS;
    report->peak = take_peak(js);
    isolate->CancelTerminateExecution();
    if (js->is_full) {
        return tf_text_say(report, TF_EMEMORY);
    }
    if (is_late || is_ended) {
        return tf_text_say(report, TF_ESTEPS);
    }
    return err;
}

/* --- the answer ------------------------------------------------------------------ */

tf_err take_body(tf_js *js, struct tf_str *out)
{
    Local<Value> body = js->realm->body.Get(js->isolate);

    *out = {nullptr, 0};
    if (body->IsNull()) {
        return TF_OK;
    }
    if (body->IsArrayBuffer()) {
        /* Stays: the realm holds the buffer, and nothing runs that could detach it. */
        Local<v8::ArrayBuffer> buffer = body.As<v8::ArrayBuffer>();
        *out = {static_cast<const char *>(buffer->Data()), buffer->ByteLength()};
        return TF_OK;
    }
    if (!body->IsString()) {
        return TF_ERESPONSE;
    }
    js->text =
        utf8_of(js->isolate, body.As<String>(), String::WriteFlags::kReplaceInvalidUtf8);
    *out = {js->text.data(), js->text.size()};
    return TF_OK;
}

/* Copies the list of names and values, which a script may have tampered with. */
tf_err take_headers(tf_js *js, struct tf_js_response *out)
{
    Isolate *isolate = js->isolate;
    Local<Context> context = isolate->GetCurrentContext();
    Local<Value> value = js->realm->headers.Get(isolate);
    std::vector<std::string> items;

    if (!value->IsArray() || value.As<v8::Array>()->Length() % 2 != 0 ||
        value.As<v8::Array>()->Length() / 2 > TF_HEADERS_MAX) {
        return TF_ERESPONSE;
    }
    uint32_t count = value.As<v8::Array>()->Length();
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        Local<Value> item;
        if (!value.As<Object>()->Get(context, i).ToLocal(&item) || !item->IsString()) {
            return TF_ERESPONSE;
        }
        items.push_back(utf8_of(isolate, item.As<String>(), String::WriteFlags::kNone));
        total += items.back().size();
    }
    js->block.assign(total + 1, '\0');
    js->list.assign(count / 2, {});
    char *to = js->block.data();
    for (uint32_t i = 0; i < count; i++) {
        struct tf_str item = {to, 0};
        if (!tf_text_to_latin1(items[i].data(), items[i].size(), to, &item.size)) {
            return TF_ERESPONSE;
        }
        to += item.size;
        (i % 2 == 0 ? js->list[i / 2].name : js->list[i / 2].value) = item;
    }
    out->headers = js->list.data();
    out->header_count = js->list.size();
    return TF_OK;
}

tf_err take_answer(tf_js *js, const struct tf_js_limits *limits,
                   struct tf_js_response *response, struct tf_js_report *report)
{
    double status = js->realm->status;
    struct tf_js_response out = {};
    TryCatch caught(js->isolate);

    out.status = status >= 200 && status <= 599 ? static_cast<unsigned>(status) : 0;
    tf_err err = take_headers(js, &out);
    if (err == TF_OK) {
        err = take_body(js, &out.body);
    }
    if (caught.HasCaught() && !caught.HasTerminated()) {
        return classify(js, caught.Exception(), report, TF_ERESPONSE);
    }
    if (err != TF_OK || static_cast<double>(out.status) != status ||
        !tf_text_check(&out)) {
        return tf_text_say(report, TF_ERESPONSE);
    }
    if (out.body.size > limits->body) {
        return tf_text_say(report, TF_ELIMIT);
    }
    *response = out;
    return TF_OK;
}

tf_err call(tf_js *js, const struct tf_js_limits *limits, struct tf_js_response *response,
            struct tf_js_report *report)
{
    const struct tf_js_request *request = js->native.request;
    Isolate *isolate = js->isolate;
    Realm *realm = js->realm.get();
    Context::Scope inside(realm->context.Get(isolate));
    Local<String> method;
    Local<String> url;

    realm->is_answered = false;
    realm->is_failed = false;
    realm->body.Reset();
    realm->headers.Reset();
    realm->reason.Reset();
    if (!new_text(isolate, request->method, false).ToLocal(&method) ||
        !new_text(isolate, request->url, false).ToLocal(&url)) {
        return tf_text_say(report, TF_EMEMORY);
    }
    tf_err err = enter(js, realm->call, {method, url}, report);
    if (err != TF_OK) {
        return err;
    }
    if (realm->is_failed) {
        return classify(js, realm->reason.Get(isolate), report, TF_EEXCEPTION);
    }
    if (!realm->is_answered) {
        return tf_text_say(report, TF_EPENDING);
    }
    return take_answer(js, limits, response, report);
}

} // namespace

/* --- js.h and isolate.h ---------------------------------------------------------- */

extern "C" const char *tf_js_engine(void)
{
    return "v8";
}

extern "C" struct tf_js *tf_js_open(struct tf_arena *arena, const char *wanted)
{
    tf_js *js = new (std::nothrow) tf_js;

    if (js != nullptr) {
        tf_native_init(&js->native, arena, wanted);
        js->scratch = arena;
        js->watch = tf_watch_self();
    }
    if (js != nullptr && js->watch == nullptr) {
        delete js;
        js = nullptr;
    }
    return js;
}

extern "C" tf_err tf_js_load(struct tf_js *js, const struct tf_js_program *program,
                             const struct tf_js_limits *limits,
                             struct tf_js_report *report)
{
    js->native.program = program;
    js->memory = limits->memory;
    js->scripts.resize(program->file_count);
    return tf_js_renew(js, limits, report);
}

extern "C" tf_err tf_js_renew(struct tf_js *js, const struct tf_js_limits *limits,
                              struct tf_js_report *report)
{
    js->state = TF_JS_SPENT;
    wake(js);
    end_realm(js);
    if (js->is_full) {
        end_isolate(js);
    }
    if (js->isolate == nullptr && !make_isolate(js)) {
        return tf_text_say(report, TF_EMEMORY);
    }
    tf_err err = guard(js, limits, report, [=] { return load(js, report); });
    js->state = err == TF_OK ? TF_JS_FRESH : TF_JS_SPENT;
    return err;
}

extern "C" tf_err tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                             const struct tf_js_limits *limits,
                             struct tf_js_response *response, struct tf_js_report *report)
{
    static const struct tf_js_request nothing = {};

    js->native.request = request;
    wake(js);
    tf_err err =
        guard(js, limits, report, [=] { return call(js, limits, response, report); });
    js->native.request = &nothing;
    js->state = err == TF_OK ? TF_JS_USED : TF_JS_SPENT;
    return err;
}

extern "C" enum tf_js_state tf_js_state(const struct tf_js *js)
{
    return js->state;
}

extern "C" void tf_js_tidy(struct tf_js *js)
{
    if (js->isolate != nullptr && ++js->calls % TIDY_EVERY == 0) {
        Isolate::Scope entered(js->isolate);
        platform->FlushForegroundTasks(js->isolate);
    }
}

extern "C" void tf_js_close(struct tf_js *js)
{
    if (js != nullptr) {
        end_isolate(js);
        delete js;
    }
}
