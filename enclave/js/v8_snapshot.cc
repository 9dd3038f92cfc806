/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v8_snapshot.cc - a start-up snapshot of our own: the prelude runs once in the process,
 * and each context after that is a copy of the one it ran in. V8 takes a snapshot only
 * beside the read-only heap that it was made with, which is node's; so it is made when
 * the process starts, in it, and comes from no file.
 */
#include <cstring>

#include "enclave/js/v8_instance.h"

using v8::Context;
using v8::Function;
using v8::Global;
using v8::HandleScope;
using v8::Isolate;
using v8::Local;
using v8::MaybeLocal;
using v8::Object;
using v8::SnapshotCreator;
using v8::String;
using v8::Value;

/** Of enclave/native/globals.S: what V8 alone needs tamed; NUL-terminated. */
extern "C" const char tf_v8_globals[];

namespace tfv8
{

namespace
{

/* Scripts of ours: the prelude's files, then two more. */
enum { FILES_MAX = 16, GLOBALS = FILES_MAX, COMPILERS, SCRIPT_COUNT };
using Scripts = Global<v8::UnboundScript>[SCRIPT_COUNT];

/* The prelude's functions that the engine calls, by their names in `own`. */
struct Entry {
    const char *name;
    Global<Function> Realm::*place;
};
const Entry entries[] = {{"prepare", &Realm::prepare},
                         {"load", &Realm::load},
                         {"bind", &Realm::bind},
                         {"call", &Realm::call}};
enum { ENTRY_COUNT = sizeof(entries) / sizeof(entries[0]) };

/* Memory that no limit counts, threads' tools, clocks, code that runs outside of a call.
 * V8 adds some of them to a context after it has been copied. */
const char *const unwanted[] = {"WebAssembly", "FinalizationRegistry",
                                "SharedArrayBuffer", "Atomics", "Temporal"};

/* The first three: features that V8 would add to each copy anew, to objects that it
 * believes to be there. The last: machine code is made by the thread that wants it, and
 * counted as its time. Made elsewhere, most of it came too late for a context that lives
 * for one request, and cost twice the request. */
const char flags[] =
    "--no-harmony-temporal --no-js-atomics-pause --enable-sharedarraybuffer-per-context "
    "--no-concurrent-recompilation";

/* What nearly every lambda does. */
const char rehearsed[] =
    "exports.fetch = async (request) => {\n"
    "    const bytes = await request.arrayBuffer();\n"
    "    const type = request.headers.get('content-type') || 'text/plain';\n"
    "    const headers = { 'content-type': type };\n"
    "    return new Response(`${bytes.byteLength}`, { headers });\n"
    "};\n";
const struct tf_js_file rehearsed_file = {
    "main.js", reinterpret_cast<const uint8_t *>(rehearsed), /* SAFETY: text as bytes */
    sizeof(rehearsed) - 1};
const struct tf_js_program rehearsal = {.files = &rehearsed_file,
                                        .file_count = 1,
                                        .entry = "main.js",
                                        .is_module = false,
                                        .env = nullptr,
                                        .env_count = 0,
                                        .name = ""};

struct Made {
    v8::StartupData blob = {nullptr, 0}; /* null: it could not be made */
    size_t files_at = 0;
    size_t entry_at[ENTRY_COUNT] = {};
};

struct tf_str str(const char *text)
{
    return {text, std::strlen(text)};
}

/* Source of ours, where it lies in the addon: no isolate has a copy. */
class Source final : public String::ExternalOneByteStringResource
{
  public:
    void Set(struct tf_str text)
    {
        text_ = text;
    }
    const char *data() const override
    {
        return text_.data;
    }
    size_t length() const override
    {
        return text_.size;
    }

  protected:
    void Dispose() override
    {
    }

  private:
    struct tf_str text_ = {nullptr, 0};
};
Source sources[SCRIPT_COUNT];

/* Runs a script of ours in the current context. */
MaybeLocal<Value> run_own(Isolate *isolate, Scripts &scripts, size_t at, const char *name,
                          struct tf_str text)
{
    Local<String> source;

    if (tf_text_scan(text.data, text.size) != TF_TEXT_ASCII) {
        return {};
    }
    sources[at].Set(text);
    return String::NewExternalOneByte(isolate, &sources[at]).ToLocal(&source)
               ? run_script(isolate, &scripts[at], name, source)
               : MaybeLocal<Value>();
}

/* The function that each file of the prelude is. */
bool make_files(tf_js *js, Scripts &scripts)
{
    Isolate *isolate = js->isolate;
    Local<Context> context = isolate->GetCurrentContext();
    Local<v8::Array> files = v8::Array::New(isolate);
    Local<Value> function;

    for (uint32_t i = 0; tf_prelude[i].name != nullptr; i++) {
        const struct tf_prelude &file = tf_prelude[i];
        struct tf_str text = {file.data, static_cast<size_t>(file.end - file.data)};
        if (i == FILES_MAX ||
            !run_own(isolate, scripts, i, file.name, text).ToLocal(&function) ||
            !files->Set(context, i, function).FromMaybe(false)) {
            return false;
        }
    }
    js->realm->files.Reset(isolate, files);
    return true;
}

/* Calls a file's function with what they all take. */
bool call_file(Local<Context> context, Local<Value> file, Local<Value> native,
               Local<Value> own)
{
    Local<Value> args[] = {context->Global(), native, own};

    return !file.As<Function>()
                ->Call(context, v8::Undefined(Isolate::GetCurrent()), 3, args)
                .IsEmpty();
}

/* Runs the prelude in the current context. @return what it has for us: `own`. */
MaybeLocal<Object> run_prelude(tf_js *js, Scripts &scripts)
{
    Isolate *isolate = js->isolate;
    Local<Context> context = isolate->GetCurrentContext();
    Local<Object> native = Object::New(isolate);
    Local<Object> own = Object::New(isolate);
    Local<Value> globals;
    Local<Value> base;
    Local<Value> compilers;

    /* The prototypes whose constructors compile source, beside Function's own. */
    if (!run_own(isolate, scripts, COMPILERS, "prelude",
                 str("[function* () {}, async function () {}, async function* () {}]"
                     ".map(Object.getPrototypeOf)"))
             .ToLocal(&compilers) ||
        !own->Set(context, literal(isolate, "compilers"), compilers).FromMaybe(false) ||
        !define_natives(context, native) || !make_files(js, scripts) ||
        !run_own(isolate, scripts, GLOBALS, "v8", str(tf_v8_globals)).ToLocal(&globals) ||
        !js->realm->files.Get(isolate)->Get(context, 0).ToLocal(&base) ||
        !call_file(context, globals, native, own) ||
        !call_file(context, base, native, own)) {
        return {};
    }
    return own;
}

/* Calls one of the prelude's functions. */
bool call_own(Local<Context> context, Local<Object> own, const char *name,
              std::vector<Local<Value>> args)
{
    Isolate *isolate = Isolate::GetCurrent();
    Local<Value> function;

    return own->Get(context, literal(isolate, name)).ToLocal(&function) &&
           function->IsFunction() &&
           !function.As<Function>()
                ->Call(context, v8::Undefined(isolate), length_of(args.size()),
                       args.data())
                .IsEmpty();
}

/* Runs a lambda in a context that is dropped. What V8 has compiled of the prelude for it
 * goes into the snapshot, so that no isolate does that again. */
bool rehearse(tf_js *js, Scripts &scripts)
{
    Isolate *isolate = js->isolate;
    HandleScope scope(isolate);
    Local<Context> context = Context::New(isolate);
    Context::Scope inside(context);
    Local<Object> own;

    bool is_good =
        run_prelude(js, scripts).ToLocal(&own) && call_own(context, own, "prepare", {}) &&
        call_own(context, own, "load", {literal(isolate, rehearsal.entry)}) &&
        call_own(context, own, "call",
                 {literal(isolate, "POST"), literal(isolate, "https://x.test/")});
    js->scripts.clear();
    return is_good && js->realm->is_answered;
}

/* What goes with the context that is copied. */
bool add_data(tf_js *js, SnapshotCreator *creator, Local<Object> own, Made *made)
{
    Isolate *isolate = js->isolate;
    Local<Context> context = isolate->GetCurrentContext();

    made->files_at = creator->AddData(context, js->realm->files.Get(isolate));
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        Local<Value> value;
        if (!own->Get(context, literal(isolate, entries[i].name)).ToLocal(&value) ||
            !value->IsFunction()) {
            return false;
        }
        made->entry_at[i] = creator->AddData(context, value.As<Function>());
    }
    return true;
}

bool add_context(tf_js *js, SnapshotCreator *creator, Scripts &scripts, Made *made)
{
    HandleScope scope(js->isolate);
    Local<Context> context = Context::New(js->isolate);
    Local<Object> own;
    bool is_good = false;

    {
        Context::Scope inside(context);
        is_good =
            run_prelude(js, scripts).ToLocal(&own) && add_data(js, creator, own, made);
    }
    return is_good && creator->AddContext(context) == 0;
}

/* V8 wants a context without anything of ours, too. */
bool add_all(tf_js *js, SnapshotCreator *creator, Made *made)
{
    HandleScope scope(js->isolate);
    Scripts scripts;

    creator->SetDefaultContext(Context::New(js->isolate));
    js->realm = std::make_unique<Realm>();
    bool is_good = rehearse(js, scripts) && add_context(js, creator, scripts, made);
    js->realm.reset();
    return is_good;
}

Made make()
{
    v8::V8::SetFlagsFromString(flags);
    std::unique_ptr<v8::ArrayBuffer::Allocator> memory(
        v8::ArrayBuffer::Allocator::NewDefaultAllocator());
    alignas(16) char scratch[16 << 10];
    Isolate::CreateParams params;
    Made made;
    tf_js js;

    js.scratch = tf_arena_init(scratch, sizeof(scratch));
    tf_native_init(&js.native, js.scratch, nullptr);
    js.native.program = &rehearsal;
    js.scripts.resize(rehearsal.file_count);
    params.array_buffer_allocator = memory.get();
    params.external_references = references();
    js.isolate = Isolate::Allocate();
    platform->RegisterIsolate(js.isolate, loop_of_thread());
    {
        SnapshotCreator creator(js.isolate, params);
        js.isolate->SetData(0, &js);
        end_loudly(js.isolate);
        bool is_good = add_all(&js, &creator, &made);
        made.blob = creator.CreateBlob(SnapshotCreator::FunctionCodeHandling::kKeep);
        /* Not rehashed, its tables would have the same seed in every isolate. */
        if (!is_good || !made.blob.CanBeRehashed()) {
            made.blob = {nullptr, 0};
        }
    }
    platform->DisposeIsolate(js.isolate);
    return made;
}

Made &get()
{
    static Made made = make();
    return made;
}

} // namespace

const intptr_t *references()
{
    static const std::vector<intptr_t> all = [] {
        std::vector<intptr_t> list = native_references();
        for (const Source &source : sources) {
            /* SAFETY: compared, never followed, by V8's snapshots. */
            list.push_back(reinterpret_cast<intptr_t>(
                static_cast<const String::ExternalStringResourceBase *>(&source)));
        }
        list.push_back(0);
        return list;
    }();
    return all.data();
}

v8::StartupData *snapshot()
{
    return get().blob.data == nullptr ? nullptr : &get().blob;
}

std::unique_ptr<Realm> make_realm(Isolate *isolate)
{
    HandleScope scope(isolate);
    auto realm = std::make_unique<Realm>();
    Local<Context> context;
    Local<v8::Array> files;

    realm->queue = v8::MicrotaskQueue::New(isolate, v8::MicrotasksPolicy::kExplicit);
    if (!Context::FromSnapshot(isolate, 0, {}, nullptr, {}, realm->queue.get())
             .ToLocal(&context) ||
        !context->GetDataFromSnapshotOnce<v8::Array>(get().files_at).ToLocal(&files)) {
        return nullptr;
    }
    realm->files.Reset(isolate, files);
    for (const char *name : unwanted) {
        if (!context->Global()
                 ->Delete(context, literal(isolate, name))
                 .FromMaybe(false)) {
            return nullptr;
        }
    }
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        Local<Function> function;
        if (!context->GetDataFromSnapshotOnce<Function>(get().entry_at[i])
                 .ToLocal(&function)) {
            return nullptr;
        }
        (realm.get()->*entries[i].place).Reset(isolate, function);
    }
    context->AllowCodeGenerationFromStrings(false);
    realm->context.Reset(isolate, context);
    return realm;
}

} // namespace tfv8
