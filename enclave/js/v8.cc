/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v8.cc - js.h and isolate.h over V8, as it is inside the node program whose addon this
 * becomes. One isolate an instance, one context for what must be fresh. The only C++ of the
 * project: no exception and no C++ type leaves this file.
 *
 * Limits. CPU time: enclave/native/watch.h terminates execution, which scripts cannot catch.
 * Memory: V8's heap has a hard limit; shortly before it, and when a buffer does not fit,
 * execution is terminated too, with room to unwind in. An isolate to which that happened is
 * not used again. What V8 itself cannot survive ends the process (js.h's callers never see
 * it): the supervisor starts another.
 */
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <node.h>
#include <uv.h>

extern "C" {
#include "abi/limits.h"
#include "abi/native.h"
#include "enclave/js/isolate.h"
#include "enclave/js/native.h"
#include "enclave/js/text.h"
#include "enclave/native/watch.h"
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

/** Of enclave/native/globals.S: the globals that V8 alone needs tamed, a NUL at the end. */
extern "C" const char tf_v8_globals[];

namespace {

enum {
    PRELUDE_MAX = 16,                /* files */
    UNWIND_ROOM = 600 << 20,         /* bytes over the limit: one string of any size fits */
    WATCH_TICK_NS = 4 * 1000 * 1000, /* how late the watch may be */
    HEAP_LEAST = 16 << 20,           /* what V8 needs to live, added to a lambda's memory */
    TIDY_EVERY = 64                  /* calls */
};

node::MultiIsolatePlatform *platform;

/* Bytes of array buffers, which lie outside of V8's heap. Freed by V8's own threads, too. */
class Buffers final : public v8::ArrayBuffer::Allocator {
  public:
    explicit Buffers(size_t cap) : cap_(cap)
    {
    }
    void watch(Isolate *isolate)
    {
        isolate_ = isolate;
    }
    bool is_full() const
    {
        return is_full_;
    }
    void *Allocate(size_t size) override
    {
        return take(size) ? std::calloc(1, size + 1) : nullptr;
    }
    void *AllocateUninitialized(size_t size) override
    {
        return Allocate(size);
    }
    void Free(void *data, size_t size) override
    {
        std::free(data);
        used_ -= size;
    }

  private:
    bool take(size_t size)
    {
        size_t before = used_.fetch_add(size);
        if (size <= cap_ && before <= cap_ - size) {
            return true;
        }
        used_ -= size;
        is_full_ = true;
        isolate_->TerminateExecution();
        return false;
    }

    const size_t cap_;
    std::atomic<size_t> used_{0};
    std::atomic<bool> is_full_{false};
    Isolate *isolate_ = nullptr;
};

struct Loaded {
    std::string path;
    Global<Module> module;
};

/* What belongs to a context. */
struct Realm {
    std::unique_ptr<v8::MicrotaskQueue> queue;
    Global<Context> context;
    Global<Function> prepare;
    Global<Function> load;
    Global<Function> bind;
    Global<Function> call;
    std::vector<Loaded> modules;
    Global<Value> body;
    Global<Value> headers;
    Global<Value> reason;
    bool is_answered = false;
    bool is_failed = false;
    double status = 0;
};

} // namespace

struct tf_js {
    struct tf_native native = {};
    struct tf_arena *scratch = nullptr;
    size_t memory = 0;
    Buffers *buffers = nullptr; /* owned */
    Isolate *isolate = nullptr; /* owned; null until loaded */
    std::unique_ptr<Realm> realm;
    Global<v8::UnboundScript> prelude[PRELUDE_MAX + 1];
    std::vector<Global<v8::UnboundScript>> scripts; /* CommonJS, by index of the file */
    std::string text;                               /* the answer's body, if it was a string */
    std::vector<char> block;                        /* the answer's headers */
    std::vector<struct tf_js_header> list;
    struct tf_watch *watch = nullptr;
    bool is_full = false; /* the heap's limit was hit */
    enum tf_js_state state = TF_JS_FAILED;
    unsigned calls = 0;
};

namespace {

tf_js *self(Isolate *isolate)
{
    /* SAFETY: make_isolate put it there, and it outlives the isolate. */
    return static_cast<tf_js *>(isolate->GetData(0));
}

/* --- values ---------------------------------------------------------------------- */

int length_of(size_t size)
{
    return size > INT32_MAX ? INT32_MAX : static_cast<int>(size);
}

Local<String> literal(Isolate *isolate, const char *text)
{
    return String::NewFromUtf8(isolate, text).ToLocalChecked();
}

const uint8_t *bytes_of(const char *text)
{
    /* SAFETY: the same bytes, read as what they are. */
    return reinterpret_cast<const uint8_t *>(text);
}

/* Decodes untrusted bytes, of which each is a character or which are UTF-8. */
MaybeLocal<String> new_text(Isolate *isolate, struct tf_str bytes, bool is_latin1)
{
    if (bytes.size == 0) {
        return String::Empty(isolate);
    }
    enum tf_text found = is_latin1 ? TF_TEXT_ASCII : tf_text_scan(bytes.data, bytes.size);
    if (found == TF_TEXT_ASCII) {
        return String::NewFromOneByte(isolate, bytes_of(bytes.data),
                                      v8::NewStringType::kNormal, length_of(bytes.size));
    }
    if (found != TF_TEXT_BAD) {
        return String::NewFromUtf8(isolate, bytes.data, v8::NewStringType::kNormal,
                                   length_of(bytes.size));
    }
    std::string clean(bytes.size * 3, '\0');
    size_t size = tf_text_decode(bytes.data, bytes.size, false, clean.data());
    return String::NewFromUtf8(isolate, clean.data(), v8::NewStringType::kNormal,
                               length_of(size));
}

std::string utf8_of(Isolate *isolate, Local<String> text, int flags)
{
    std::string out(text->Utf8LengthV2(isolate), '\0');
    out.resize(text->WriteUtf8V2(isolate, out.data(), out.size(), flags));
    return out;
}

MaybeLocal<Value> new_buffer(Isolate *isolate, struct tf_str bytes)
{
    auto store = v8::ArrayBuffer::NewBackingStore(
        isolate, bytes.size, v8::BackingStoreInitializationMode::kUninitialized,
        v8::BackingStoreOnFailureMode::kReturnNull);
    if (store == nullptr) {
        isolate->ThrowException(
            v8::Exception::RangeError(literal(isolate, "no memory for a buffer")));
        return {};
    }
    if (bytes.size != 0) {
        std::memcpy(store->Data(), bytes.data, bytes.size);
    }
    return v8::ArrayBuffer::New(isolate, std::move(store));
}

MaybeLocal<Value> new_list(Local<Context> context, const struct tf_native *native,
                           const struct tf_native_value *list)
{
    Isolate *isolate = Isolate::GetCurrent();
    std::vector<Local<Value>> items(list->count);

    for (size_t i = 0; i < list->count; i++) {
        Local<String> text;
        if (!new_text(isolate, tf_native_item(native, list->kind, i),
                      list->kind == TF_KIND_HEADERS)
                 .ToLocal(&text)) {
            return {};
        }
        items[i] = text;
    }
    (void)context;
    return v8::Array::New(isolate, items.data(), items.size());
}

MaybeLocal<Value> new_value(Local<Context> context, const struct tf_native *native,
                            const struct tf_native_value *value)
{
    Isolate *isolate = Isolate::GetCurrent();
    Local<String> text;

    switch (value->kind) {
    case TF_KIND_NULL:
        return v8::Null(isolate).As<Value>();
    case TF_KIND_BOOL:
        return v8::Boolean::New(isolate, value->number != 0).As<Value>();
    case TF_KIND_NUMBER:
        return v8::Number::New(isolate, value->number).As<Value>();
    case TF_KIND_TEXT:
    case TF_KIND_LATIN1:
        if (!new_text(isolate, value->data, value->kind == TF_KIND_LATIN1)
                 .ToLocal(&text)) {
            return {};
        }
        return text.As<Value>();
    case TF_KIND_BUFFER:
        return new_buffer(isolate, value->data);
    case TF_KIND_HEADERS:
    case TF_KIND_ENV:
        return new_list(context, native, value);
    case TF_KIND_UNDEFINED:
    default:
        return v8::Undefined(isolate).As<Value>();
    }
}

/* --- what scripts may call ------------------------------------------------------- */

using Call = v8::FunctionCallbackInfo<Value>;

void refuse(Isolate *isolate, const char *text)
{
    isolate->ThrowException(v8::Exception::RangeError(literal(isolate, text)));
}

/* Takes (buffer, at, size); the prelude's, but a script may have put its own there. */
bool take_span(const Call &call, struct tf_native_args *out)
{
    Local<Context> context = call.GetIsolate()->GetCurrentContext();
    int64_t at = 0;
    int64_t size = 0;

    if (!call[0]->IsArrayBuffer() || !call[1]->IntegerValue(context).To(&at) ||
        !call[2]->IntegerValue(context).To(&size)) {
        return false;
    }
    Local<v8::ArrayBuffer> buffer = call[0].As<v8::ArrayBuffer>();
    size_t total = buffer->ByteLength();
    if (at < 0 || size < 0 || static_cast<size_t>(at) > total ||
        static_cast<size_t>(size) > total - static_cast<size_t>(at)) {
        return false;
    }
    /* SAFETY: within the buffer, which the caller's handle keeps. */
    out->bytes = static_cast<uint8_t *>(buffer->Data()) + at;
    out->size = static_cast<size_t>(size);
    return true;
}

void run_native(const Call &call)
{
    Isolate *isolate = call.GetIsolate();
    tf_js *js = self(isolate);
    const struct tf_native_def *def = &tf_natives[call.Data().As<v8::Int32>()->Value()];
    struct tf_native_args args = {};
    struct tf_native_value out = {};
    std::string text;

    if (def->form == TF_FORM_TEXT) {
        Local<String> value;
        if (!call[0]->ToString(isolate->GetCurrentContext()).ToLocal(&value)) {
            return;
        }
        text = utf8_of(isolate, value, String::WriteFlags::kNone);
        args.text = {text.data(), text.size()};
        args.flag = call[1]->BooleanValue(isolate);
    } else if (def->form == TF_FORM_SPAN) {
        args.flag = call[3]->BooleanValue(isolate);
        if (!take_span(call, &args)) {
            refuse(isolate, "outside the buffer");
            return;
        }
    } else if (def->form == TF_FORM_FLAG) {
        args.flag = call[0]->BooleanValue(isolate);
    }
    if (!def->run(&js->native, &args, &out)) {
        js->is_full = true;
        isolate->TerminateExecution();
        return;
    }
    Local<Value> value;
    if (new_value(isolate->GetCurrentContext(), &js->native, &out).ToLocal(&value)) {
        call.GetReturnValue().Set(value);
    }
    tf_arena_free(js->scratch, out.owned);
}

/* A script of the lambda's or the prelude's, compiled once for all contexts. */
MaybeLocal<Value> run_script(tf_js *js, Global<v8::UnboundScript> *kept, const char *name,
                             Local<String> source)
{
    Isolate *isolate = js->isolate;
    Local<v8::UnboundScript> script;

    if (kept->IsEmpty()) {
        v8::ScriptOrigin origin(literal(isolate, name));
        v8::ScriptCompiler::Source input(source, origin);
        if (!v8::ScriptCompiler::CompileUnboundScript(isolate, &input).ToLocal(&script)) {
            return {};
        }
        kept->Reset(isolate, script);
    }
    return kept->Get(isolate)->BindToCurrentContext()->Run(isolate->GetCurrentContext());
}

MaybeLocal<Value> run_prelude_file(tf_js *js, const struct tf_prelude *file)
{
    Local<String> source;
    struct tf_str text = {file->data, static_cast<size_t>(file->end - file->data)};
    size_t at = static_cast<size_t>(file - tf_prelude);

    if (at >= PRELUDE_MAX || !new_text(js->isolate, text, false).ToLocal(&source)) {
        return {};
    }
    return run_script(js, &js->prelude[at], file->name, source);
}

void native_prelude(const Call &call)
{
    tf_js *js = self(call.GetIsolate());
    Local<Value> value;
    Local<String> name;

    if (!call[0]->ToString(call.GetIsolate()->GetCurrentContext()).ToLocal(&name)) {
        return;
    }
    std::string text = utf8_of(call.GetIsolate(), name, String::WriteFlags::kNone);
    const struct tf_prelude *file = tf_text_prelude(text.data(), text.size());
    if (file == nullptr) {
        refuse(call.GetIsolate(), "no such file");
    } else if (run_prelude_file(js, file).ToLocal(&value)) {
        call.GetReturnValue().Set(value);
    }
}

/* The function that CommonJS wraps around a file. */
void native_compile(const Call &call)
{
    static const std::string before =
        "(function (exports, require, module, __filename, __dirname) {";
    Isolate *isolate = call.GetIsolate();
    tf_js *js = self(isolate);
    Local<String> name;
    Local<String> source;
    Local<Value> value;

    if (!call[0]->ToString(isolate->GetCurrentContext()).ToLocal(&name)) {
        return;
    }
    std::string path = utf8_of(isolate, name, String::WriteFlags::kNone);
    const struct tf_js_file *file =
        tf_text_file(js->native.program, path.data(), path.size());
    if (file == nullptr) {
        refuse(isolate, "no such file");
        return;
    }
    /* SAFETY: the file's bytes as text. */
    std::string text(reinterpret_cast<const char *>(file->data), file->size);
    text = before + text + "\n})";
    size_t at = static_cast<size_t>(file - js->native.program->files);
    if (new_text(isolate, {text.data(), text.size()}, false).ToLocal(&source) &&
        run_script(js, &js->scripts[at], file->path, source).ToLocal(&value)) {
        call.GetReturnValue().Set(value);
    }
}

void native_respond(const Call &call)
{
    Isolate *isolate = call.GetIsolate();
    Realm *realm = self(isolate)->realm.get();
    double status = 0;

    if (!realm->is_answered && !realm->is_failed &&
        call[0]->NumberValue(isolate->GetCurrentContext()).To(&status)) {
        realm->is_answered = true;
        realm->status = status;
        realm->body.Reset(isolate, call[1]);
        realm->headers.Reset(isolate, call[2]);
    }
}

void native_fail(const Call &call)
{
    Realm *realm = self(call.GetIsolate())->realm.get();

    if (!realm->is_answered && !realm->is_failed) {
        realm->is_failed = true;
        realm->reason.Reset(call.GetIsolate(), call[0]);
    }
}

bool define(Local<Context> context, Local<Object> object, const char *name,
            v8::FunctionCallback run, int index)
{
    Isolate *isolate = Isolate::GetCurrent();
    Local<Function> function;

    return Function::New(context, run, v8::Int32::New(isolate, index), 4,
                         v8::ConstructorBehavior::kThrow)
               .ToLocal(&function) &&
           object->Set(context, literal(isolate, name), function).FromMaybe(false);
}

bool define_natives(Local<Context> context, Local<Object> object)
{
    bool is_good = define(context, object, "compile", native_compile, 0) &&
                   define(context, object, "prelude", native_prelude, 0) &&
                   define(context, object, "respond", native_respond, 0) &&
                   define(context, object, "fail", native_fail, 0);

    for (int i = 0; is_good && tf_natives[i].name != nullptr; i++) {
        is_good = define(context, object, tf_natives[i].name, run_native, i);
    }
    return is_good;
}

/* --- modules --------------------------------------------------------------------- */

MaybeLocal<Module> load_module(tf_js *js, const std::string &path)
{
    Isolate *isolate = js->isolate;
    for (const Loaded &loaded : js->realm->modules) {
        if (loaded.path == path) {
            return loaded.module.Get(isolate);
        }
    }
    const struct tf_js_file *file =
        tf_text_file(js->native.program, path.data(), path.size());
    Local<String> source;
    Local<Module> module;
    if (file == nullptr) {
        isolate->ThrowException(v8::Exception::ReferenceError(
            literal(isolate, ("cannot find module '" + path.substr(0, 100) + "'").c_str())));
        return {};
    }
    /* SAFETY: the file's bytes as text. */
    struct tf_str text = {reinterpret_cast<const char *>(file->data), file->size};
    if (!new_text(isolate, text, false).ToLocal(&source)) {
        return {};
    }
    v8::ScriptOrigin origin(literal(isolate, file->path), 0, 0, false, -1, {}, false, false,
                            true);
    v8::ScriptCompiler::Source input(source, origin);
    if (v8::ScriptCompiler::CompileModule(isolate, &input).ToLocal(&module)) {
        js->realm->modules.push_back({path, Global<Module>(isolate, module)});
    }
    return module;
}

MaybeLocal<Module> import(tf_js *js, const std::string &base, Local<String> specifier)
{
    char path[TF_PATH_MAX + 1];
    std::string name = utf8_of(js->isolate, specifier, String::WriteFlags::kNone);

    if (name.find('\0') != std::string::npos ||
        !tf_text_join(base.c_str(), name.c_str(), path)) {
        return load_module(js, name); /* says that there is none */
    }
    return load_module(js, path);
}

MaybeLocal<Module> on_import(Local<Context> context, Local<String> specifier,
                             Local<v8::FixedArray> attributes, Local<Module> referrer)
{
    tf_js *js = self(Isolate::GetCurrent());

    (void)context;
    (void)attributes;
    for (const Loaded &loaded : js->realm->modules) {
        if (loaded.module == referrer) {
            return import(js, std::string(loaded.path), specifier);
        }
    }
    return {};
}

/* The promise of a module's evaluation. */
MaybeLocal<Value> evaluate(Local<Context> context, Local<Module> module)
{
    if (!module->InstantiateModule(context, on_import).FromMaybe(false)) {
        return {};
    }
    return module->Evaluate(context);
}

void give_data(const Call &call)
{
    call.GetReturnValue().Set(call.Data());
}

/* import(): a promise of the namespace. */
MaybeLocal<Promise> on_dynamic_import(Local<Context> context, Local<v8::Data> options,
                                      Local<Value> referrer, Local<String> specifier,
                                      Local<v8::FixedArray> attributes)
{
    Isolate *isolate = Isolate::GetCurrent();
    tf_js *js = self(isolate);
    Local<Promise::Resolver> resolver;
    Local<Module> module;
    Local<Value> done;
    Local<Function> give;
    TryCatch caught(isolate);

    (void)options;
    (void)attributes;
    if (!Promise::Resolver::New(context).ToLocal(&resolver)) {
        return {};
    }
    std::string base =
        referrer->IsString()
            ? utf8_of(isolate, referrer.As<String>(), String::WriteFlags::kNone)
            : "";
    if (import(js, base, specifier).ToLocal(&module) &&
        evaluate(context, module).ToLocal(&done) &&
        Function::New(context, give_data, module->GetModuleNamespace()).ToLocal(&give)) {
        return done.As<Promise>()->Then(context, give);
    }
    if (caught.HasTerminated() ||
        !resolver->Reject(context, caught.Exception()).FromMaybe(false)) {
        return {};
    }
    return resolver->GetPromise();
}

/* --- errors ---------------------------------------------------------------------- */

bool starts_with(const std::string &text, const char *with)
{
    return text.compare(0, std::strlen(with), with) == 0;
}

/* Writes what was thrown into the report; may run the script's toString, within the limits. */
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
    if (starts_with(text, "Uncaught RangeError: Maximum call stack size exceeded")) {
        return tf_text_say(report, TF_ESTACK);
    }
    if (starts_with(text, "Uncaught RangeError: Invalid string length")) {
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

bool keep(Local<Context> context, Local<Object> own, const char *name,
          Global<Function> *out)
{
    Isolate *isolate = Isolate::GetCurrent();
    Local<Value> value;

    if (!own->Get(context, literal(isolate, name)).ToLocal(&value) || !value->IsFunction()) {
        return false;
    }
    out->Reset(isolate, value.As<Function>());
    return true;
}

MaybeLocal<Value> run_globals(tf_js *js)
{
    static const struct tf_str compilers = {
        "[function* () {}, async function () {}, async function* () {}]"
        ".map(Object.getPrototypeOf)",
        89};
    Global<v8::UnboundScript> once;
    Local<String> source;

    if (!new_text(js->isolate, compilers, false).ToLocal(&source)) {
        return {};
    }
    return run_script(js, &once, "prelude", source);
}

/* The prelude's functions in a new context. */
bool run_prelude(tf_js *js, Local<Context> context)
{
    Isolate *isolate = js->isolate;
    Local<Object> native = Object::New(isolate);
    Local<Object> own = Object::New(isolate);
    Local<Value> globals;
    Local<Value> base;
    Local<Value> compilers;
    Local<Value> args[] = {context->Global(), native, own};
    Local<Value> undefined = v8::Undefined(isolate);

    if (!define_natives(context, native) || !run_globals(js).ToLocal(&compilers) ||
        !own->Set(context, literal(isolate, "compilers"), compilers).FromMaybe(false) ||
        !run_script(js, &js->prelude[PRELUDE_MAX], "v8", literal(isolate, tf_v8_globals))
             .ToLocal(&globals) ||
        !run_prelude_file(js, tf_prelude).ToLocal(&base)) {
        return false;
    }
    return !globals.As<Function>()->Call(context, undefined, 3, args).IsEmpty() &&
           !base.As<Function>()->Call(context, undefined, 3, args).IsEmpty() &&
           keep(context, own, "prepare", &js->realm->prepare) &&
           keep(context, own, "load", &js->realm->load) &&
           keep(context, own, "bind", &js->realm->bind) &&
           keep(context, own, "call", &js->realm->call);
}

/* Another context in place of the one there was. */
tf_err make_realm(tf_js *js)
{
    Isolate *isolate = js->isolate;
    HandleScope scope(isolate);

    js->realm = std::make_unique<Realm>();
    js->realm->queue = v8::MicrotaskQueue::New(isolate, v8::MicrotasksPolicy::kExplicit);
    Local<Context> context =
        Context::New(isolate, nullptr, {}, {}, {}, js->realm->queue.get());
    if (context.IsEmpty()) {
        return TF_EMEMORY;
    }
    context->AllowCodeGenerationFromStrings(false);
    js->realm->context.Reset(isolate, context);
    Context::Scope inside(context);
    TryCatch caught(isolate);
    return run_prelude(js, context) ? TF_OK : TF_EMEMORY;
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

/* The top level, in a new context. */
tf_err load(tf_js *js, struct tf_js_report *report)
{
    Isolate *isolate = js->isolate;
    tf_err err = make_realm(js);
    if (err != TF_OK) {
        return tf_text_say(report, err);
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

/* --- the isolate ----------------------------------------------------------------- */

/* What makes V8's tasks run; nothing of ours does. One a thread, for its whole life. */
uv_loop_t *loop_of_thread()
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

size_t on_near_limit(void *data, size_t limit, size_t initial)
{
    tf_js *js = static_cast<tf_js *>(data); /* SAFETY: as it was given */

    (void)initial;
    js->is_full = true;
    js->isolate->TerminateExecution();
    return limit + UNWIND_ROOM;
}

void on_fatal(const char *where, const char *what)
{
    (void)std::fprintf(stderr, "tfaas: V8 cannot go on: %s: %s\n",
                       where == nullptr ? "" : where, what == nullptr ? "" : what);
    std::abort();
}

void on_no_memory(const char *where, const v8::OOMDetails &details)
{
    on_fatal(where, details.detail == nullptr ? "out of memory" : details.detail);
}

bool make_isolate(tf_js *js)
{
    uv_loop_t *loop = loop_of_thread();
    Isolate::CreateParams params;

    js->buffers = new (std::nothrow) Buffers(js->memory);
    if (loop == nullptr || js->buffers == nullptr) {
        return false;
    }
    params.array_buffer_allocator = js->buffers;
    params.constraints.ConfigureDefaultsFromHeapSize(0, js->memory + HEAP_LEAST);
    js->isolate = Isolate::Allocate();
    platform->RegisterIsolate(js->isolate, loop);
    Isolate::Initialize(js->isolate, params);
    js->isolate->SetData(0, js);
    js->buffers->watch(js->isolate);
    js->isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
    js->isolate->SetHostImportModuleDynamicallyCallback(on_dynamic_import);
    js->isolate->AddNearHeapLimitCallback(on_near_limit, js);
    js->isolate->SetFatalErrorHandler(on_fatal);
    js->isolate->SetOOMErrorHandler(on_no_memory);
    js->is_full = false;
    return true;
}

void end_isolate(tf_js *js)
{
    js->realm.reset();
    for (Global<v8::UnboundScript> &script : js->prelude) {
        script.Reset();
    }
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

void on_time(void *user)
{
    static_cast<Isolate *>(user)->TerminateExecution(); /* SAFETY: as it was given */
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
    isolate->CancelTerminateExecution();
    if (js->is_full || js->buffers->is_full()) {
        js->is_full = true;
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
    js->text = utf8_of(js->isolate, body.As<String>(),
                       String::WriteFlags::kReplaceInvalidUtf8);
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
    if (err != TF_OK || static_cast<double>(out.status) != status || !tf_text_check(&out)) {
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

extern "C" struct tf_js *tf_js_open(struct tf_arena *arena)
{
    tf_js *js = new (std::nothrow) tf_js;

    if (js != nullptr) {
        tf_native_init(&js->native, arena);
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
    js->state = TF_JS_FAILED;
    if (js->is_full) {
        end_isolate(js);
    }
    if (js->isolate == nullptr && !make_isolate(js)) {
        return tf_text_say(report, TF_EMEMORY);
    }
    tf_err err = guard(js, limits, report, [=] { return load(js, report); });
    js->state = err == TF_OK ? TF_JS_FRESH : TF_JS_FAILED;
    return err;
}

extern "C" tf_err tf_js_call(struct tf_js *js, const struct tf_js_request *request,
                             const struct tf_js_limits *limits,
                             struct tf_js_response *response, struct tf_js_report *report)
{
    static const struct tf_js_request nothing = {};

    js->native.request = request;
    tf_err err =
        guard(js, limits, report, [=] { return call(js, limits, response, report); });
    js->native.request = &nothing;
    js->state = err == TF_OK ? TF_JS_USED : TF_JS_FAILED;
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

/* --- the addon ------------------------------------------------------------------- */

namespace {

/* module.exports.run(arguments): never returns to node. */
void run(const Call &call)
{
    Isolate *isolate = call.GetIsolate();
    Local<Context> context = isolate->GetCurrentContext();
    std::vector<std::string> texts = {"tfaas-worker-v8"};
    std::vector<char *> arguments;

    for (uint32_t i = 0; call[0]->IsArray() && i < call[0].As<v8::Array>()->Length(); i++) {
        String::Utf8Value text(
            isolate, call[0].As<Object>()->Get(context, i).ToLocalChecked());
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
    platform = node::GetMultiIsolatePlatform(node::GetCurrentEnvironment(context));
    NODE_SET_METHOD(exports, "run", run);
}

} // namespace

NODE_MODULE_CONTEXT_AWARE(tfaas_v8, start)
