/* SPDX-License-Identifier: Apache-2.0 */
#include <cstring>

#include "enclave/js/v8_instance.h"

extern "C" {
#include "abi/limits.h"
#include "enclave/js/path.h"
}

using v8::Context;
using v8::Function;
using v8::Global;
using v8::Isolate;
using v8::Local;
using v8::MaybeLocal;
using v8::Module;
using v8::Object;
using v8::Promise;
using v8::String;
using v8::TryCatch;
using v8::Value;

namespace tfv8
{

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

static MaybeLocal<Value> new_buffer(Isolate *isolate, struct tf_str bytes)
{
    auto store = v8::ArrayBuffer::NewBackingStore(
        isolate, bytes.size, v8::BackingStoreInitializationMode::kUninitialized,
        v8::BackingStoreOnFailureMode::kReturnNull);
    if (store == nullptr) {
        isolate->ThrowException(v8::Exception::RangeError(
            literal(isolate, "Array buffer allocation failed")));
        return {};
    }
    if (bytes.size != 0) {
        std::memcpy(store->Data(), bytes.data, bytes.size);
    }
    return v8::ArrayBuffer::New(isolate, std::move(store));
}

static MaybeLocal<Value> new_list(Isolate *isolate, const struct tf_native *native,
                                  const struct tf_native_value *list)
{
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
    return v8::Array::New(isolate, items.data(), items.size());
}

static MaybeLocal<Value> new_value(Isolate *isolate, const struct tf_native *native,
                                   const struct tf_native_value *value)
{
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
        return new_list(isolate, native, value);
    case TF_KIND_UNDEFINED:
    default:
        return v8::Undefined(isolate).As<Value>();
    }
}

/* --- what scripts may call ------------------------------------------------------- */

using Call = v8::FunctionCallbackInfo<Value>;

static void refuse(Isolate *isolate, const char *text)
{
    isolate->ThrowException(v8::Exception::RangeError(literal(isolate, text)));
}

/* Takes (buffer, at, size); the prelude's, but a script may have put its own there. */
static bool take_span(const Call &call, struct tf_native_args *out)
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

static void run_native(const Call &call)
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
    if (new_value(isolate, &js->native, &out).ToLocal(&value)) {
        call.GetReturnValue().Set(value);
    }
    if (out.owned != nullptr) {
        tf_arena_wipe(js->scratch, out.owned);
        tf_arena_free(js->scratch, out.owned);
    }
}

MaybeLocal<Value> run_script(Isolate *isolate, Global<v8::UnboundScript> *kept,
                             const char *name, Local<String> source)
{
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

static void native_prelude(const Call &call)
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
    } else if (js->realm->files.Get(call.GetIsolate())
                   ->Get(call.GetIsolate()->GetCurrentContext(),
                         static_cast<uint32_t>(file - tf_prelude))
                   .ToLocal(&value)) {
        call.GetReturnValue().Set(value);
    }
}

/* The function that CommonJS wraps around a file. */
static void native_compile(const Call &call)
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
        run_script(isolate, &js->scripts[at], file->path, source).ToLocal(&value)) {
        call.GetReturnValue().Set(value);
    }
}

static void native_respond(const Call &call)
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

static void native_fail(const Call &call)
{
    Realm *realm = self(call.GetIsolate())->realm.get();

    if (!realm->is_answered && !realm->is_failed) {
        realm->is_failed = true;
        realm->reason.Reset(call.GetIsolate(), call[0]);
    }
}

/* As an integer, as V8 wants it. */
static intptr_t address(v8::FunctionCallback function)
{
    return reinterpret_cast<intptr_t>(function); /* SAFETY: compared, never followed */
}

std::vector<intptr_t> native_references()
{
    return {address(native_compile), address(native_prelude), address(native_respond),
            address(native_fail), address(run_native)};
}

static bool define(Local<Context> context, Local<Object> object, const char *name,
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
        isolate->ThrowException(v8::Exception::ReferenceError(literal(
            isolate, ("cannot find module '" + path.substr(0, 100) + "'").c_str())));
        return {};
    }
    /* SAFETY: the file's bytes as text. */
    struct tf_str text = {reinterpret_cast<const char *>(file->data), file->size};
    if (!new_text(isolate, text, false).ToLocal(&source)) {
        return {};
    }
    v8::ScriptOrigin origin(literal(isolate, file->path), 0, 0, false, -1, {}, false,
                            false, true);
    v8::ScriptCompiler::Source input(source, origin);
    if (v8::ScriptCompiler::CompileModule(isolate, &input).ToLocal(&module)) {
        js->realm->modules.push_back({path, Global<Module>(isolate, module)});
    }
    return module;
}

static MaybeLocal<Module> import(tf_js *js, const std::string &base,
                                 Local<String> specifier)
{
    char path[TF_PATH_MAX + 1];
    std::string name = utf8_of(js->isolate, specifier, String::WriteFlags::kNone);

    if (name.find('\0') != std::string::npos ||
        !tf_path_join(base.c_str(), name.c_str(), path)) {
        return load_module(js, name); /* says that there is none */
    }
    return load_module(js, path);
}

static MaybeLocal<Module> on_import(Local<Context> context, Local<String> specifier,
                                    Local<v8::FixedArray> attributes,
                                    Local<Module> referrer)
{
    tf_js *js = self(Isolate::GetCurrent());

    (void)context;
    (void)attributes;
    for (const Loaded &loaded : js->realm->modules) {
        if (loaded.module == referrer) {
            return import(js, std::string(loaded.path), specifier);
        }
    }
    refuse(js->isolate, "a module that nobody loaded");
    return {};
}

MaybeLocal<Value> evaluate(Local<Context> context, Local<Module> module)
{
    if (!module->InstantiateModule(context, on_import).FromMaybe(false)) {
        return {};
    }
    return module->Evaluate(context);
}

static void give_data(const Call &call)
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
    std::string base = referrer->IsString() ? utf8_of(isolate, referrer.As<String>(),
                                                      String::WriteFlags::kNone)
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

} // namespace tfv8
