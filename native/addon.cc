// What the addon exports, as typed in lib/native.ts. Nothing else.

#include <unistd.h>

#include <string>
#include <utility>

#include "bytes.h"
#include "call.h"
#include "checkpoint_values.h"
#include "counts.h"
#include "device_list.h"
#include "dtypes.h"
#include "env_data.h"
#include "graph_source.h"
#include "handles.h"
#include "js_strings.h"
#include "library.h"
#include "memory.h"
#include "op_library.h"
#include "print_listener.h"
#include "saved_model.h"
#include "server.h"
#include "session.h"
#include "settlements.h"
#include "status.h"

namespace tf_session {
namespace {

class OpenWorker : public PromiseWorker {
 public:
  OpenWorker(std::string path, int log_level) : path_(std::move(path)), log_level_(log_level) {}

 private:
  void Work() override { OpenLibrary(path_, log_level_); }
  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }

  std::string path_;
  int log_level_;
};

void Init(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  EnvData& env_data = EnvData::Of(info.Env());
  env_data.set_error_class(options.Get("TensorFlowError").As<Napi::Function>());
  env_data.set_is_worker(!options.Get("isMainThread").ToBoolean());
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  const int log_level = info[1].IsNumber() ? info[1].As<Napi::Number>().Int32Value() : -1;
  return PromiseWorker::Start(info.Env(),
                              std::make_unique<OpenWorker>(info[0].As<Napi::String>().Utf8Value(), log_level),
                              PromiseWorker::Gate::kFree);
}

Napi::Value Opened(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const LibraryInfo* library = OpenedLibrary();
  if (library == nullptr) return env.Null();
  const Napi::Array missing = Napi::Array::New(env, library->missing.size());
  for (uint32_t i = 0; i < library->missing.size(); ++i) missing.Set(i, library->missing[i]);
  const Napi::Object result = Napi::Object::New(env);
  result.Set("path", library->path);
  result.Set("version", library->version);
  result.Set("missing", missing);
  return result;
}

Napi::Value Linked(const Napi::CallbackInfo& info) {
  const std::string path = LinkedLibrary();
  return path.empty() ? info.Env().Null() : Napi::String::New(info.Env(), path);
}

Napi::Value Devices(const Napi::CallbackInfo& info) {
  return ListDevicesOf(info.Env(), BytesFromJs(info[0]), TextFromJs(info[1]));
}

// A table look-up inside of TensorFlow: microseconds, so on the JS thread.
Napi::Value RegisteredKernels(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    const Status status;
    const BufferPtr kernels(
        tf().TF_GetRegisteredKernelsForOp(info[0].As<Napi::String>().Utf8Value().c_str(), status));
    status.Check();
    return BytesToJs(env, kernels->data, kernels->length);
  } catch (const Error& error) {
    ThrowJs(env, error);
  }
}

Napi::Value SetMaxInFlight(const Napi::CallbackInfo& info) {
  const int limit = info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : 0;
  return Napi::Number::New(info.Env(), RunGate::Get().SetLimit(limit));
}

Napi::Value NextTicket(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ++EnvData::Of(info.Env()).last_ticket);
}

Napi::Value CancelWaiting(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto& tickets = EnvData::Of(env).tickets;
  const auto found = tickets.find(info[0].As<Napi::Number>().Uint32Value());
  const bool cancelled =
      found != tickets.end() &&
      found->second->CancelWaiting(Error(TF_CANCELLED, "The run was cancelled before it began."));
  return Napi::Boolean::New(env, cancelled);
}

void CloseAll(const Napi::CallbackInfo& info) {
  EnvData::Of(info.Env()).CloseSessions();
  if (info[0].ToBoolean() && OpenedLibrary() != nullptr) SessionCore::EndRunsOfAll();
}

Napi::Value RedirectStdout(const Napi::CallbackInfo& info) {
  const int real = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  return Napi::Number::New(info.Env(), real);
}

Napi::Value Counts(const Napi::CallbackInfo& info) {
  const Napi::Object counts = Napi::Object::New(info.Env());
  counts.Set("graphs", live.graphs.load());
  counts.Set("sessions", live.sessions.load());
  counts.Set("calls", live.calls.load());
  counts.Set("tensors", live.tensors.load());
  counts.Set("memories", live.memories.load());
  counts.Set("runs", live.runs.load());
  return counts;
}

Napi::Value DTypes(const Napi::CallbackInfo& info) {
  const Napi::Object dtypes = Napi::Object::New(info.Env());
#define TF_SESSION_SET(name, type, number) dtypes.Set(#name, static_cast<double>(type));
  TF_SESSION_DTYPES(TF_SESSION_SET)
#undef TF_SESSION_SET
  return dtypes;
}

Napi::Value Listen(const Napi::CallbackInfo& info) {
  ListenToPrints(info);
  return info.Env().Undefined();
}

void Unlisten(const Napi::CallbackInfo& info) { StopListening(info.Env()); }

// Refuses what would call through an empty table.
template <Napi::Value (*F)(const Napi::CallbackInfo&)>
Napi::Value NeedsLibrary(const Napi::CallbackInfo& info) {
  if (OpenedLibrary() == nullptr) {
    throw Napi::Error::New(info.Env(), "tf-session: no libtensorflow is open yet.");
  }
  return F(info);
}

Napi::Object Exports(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new EnvData(env));
  Session::Init(env);
  Call::Init(env);
  Memory::Init(env);
  GraphSource::Init(env);
  exports.Set("init", Napi::Function::New<Init>(env, "init"));
  exports.Set("openLibrary", Napi::Function::New<Open>(env, "openLibrary"));
  exports.Set("library", Napi::Function::New<Opened>(env, "library"));
  exports.Set("linked", Napi::Function::New<Linked>(env, "linked"));
  exports.Set("listDevices", Napi::Function::New<NeedsLibrary<Devices>>(env, "listDevices"));
  exports.Set("settle", Napi::Function::New<NeedsLibrary<Settle>>(env, "settle"));
  exports.Set("settlements", Napi::Function::New<Settlements>(env, "settlements"));
  exports.Set("loadSavedModel", Napi::Function::New<NeedsLibrary<LoadSavedModel>>(env, "loadSavedModel"));
  exports.Set("loadOpLibrary", Napi::Function::New<NeedsLibrary<LoadOpLibrary>>(env, "loadOpLibrary"));
  exports.Set("loadPluggableDevice",
              Napi::Function::New<NeedsLibrary<LoadPluggableDevice>>(env, "loadPluggableDevice"));
  exports.Set("readGraph", Napi::Function::New<NeedsLibrary<GraphSource::Read>>(env, "readGraph"));
  exports.Set("registeredKernels",
              Napi::Function::New<NeedsLibrary<RegisteredKernels>>(env, "registeredKernels"));
  exports.Set("listenToPrints", Napi::Function::New<NeedsLibrary<Listen>>(env, "listenToPrints"));
  exports.Set("stopListening", Napi::Function::New<Unlisten>(env, "stopListening"));
  exports.Set("startServer", Napi::Function::New<NeedsLibrary<StartServer>>(env, "startServer"));
  exports.Set("readCheckpoint", Napi::Function::New<ReadCheckpoint>(env, "readCheckpoint"));
  exports.Set("allocate", Napi::Function::New<Memory::Allocate>(env, "allocate"));
  exports.Set("setMaxInFlight", Napi::Function::New<SetMaxInFlight>(env, "setMaxInFlight"));
  exports.Set("nextTicket", Napi::Function::New<NextTicket>(env, "nextTicket"));
  exports.Set("cancelWaiting", Napi::Function::New<CancelWaiting>(env, "cancelWaiting"));
  exports.Set("closeAll", Napi::Function::New<CloseAll>(env, "closeAll"));
  exports.Set("redirectStdout", Napi::Function::New<RedirectStdout>(env, "redirectStdout"));
  exports.Set("counts", Napi::Function::New<Counts>(env, "counts"));
  exports.Set("dtypes", Napi::Function::New<DTypes>(env, "dtypes"));
  return exports;
}

}  // namespace
}  // namespace tf_session

static Napi::Object InitAddon(Napi::Env env, Napi::Object exports) {
  return tf_session::Exports(env, exports);
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, InitAddon)
