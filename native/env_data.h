// The state of one JS environment (the main thread or one worker): there may be many, libtensorflow is one.
//
// All on the JS thread but the line's Wake(). Dies when the environment does; its cleanup hook comes first.
#pragma once

#include <list>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "napi_setup.h"
#include "promise_worker.h"
#include "work_line.h"

namespace tf_session {

class OpenSession;

class EnvData final : private WorkLine::Owner {
 public:
  explicit EnvData(Napi::Env env);
  EnvData(const EnvData&) = delete;
  EnvData& operator=(const EnvData&) = delete;
  ~EnvData() override;

  static EnvData& Of(Napi::Env env) { return *env.GetInstanceData<EnvData>(); }

  Napi::Env env() const { return env_; }
  // True once the cleanup hook has run: nothing may be queued any more.
  bool closing() const { return closing_; }

  // lib/errors.ts's TensorFlowError.
  Napi::Function error_class() const { return error_class_.Value(); }
  // True for a worker_threads worker: such an environment can be terminated while its work goes on.
  void set_is_worker(bool is_worker) { is_worker_ = is_worker; }
  void set_error_class(Napi::Function constructor) { error_class_ = Napi::Persistent(constructor); }

  // Constructors of the classes that C++ makes instances of.
  Napi::FunctionReference session_class;
  Napi::FunctionReference call_class;
  Napi::FunctionReference memory_class;
  Napi::FunctionReference graph_source_class;

  // The work of this environment.
  WorkLine line;

  // Owning of workers, for PromiseWorker alone.
  void Adopt(std::unique_ptr<PromiseWorker> worker);
  void Disown(std::list<std::unique_ptr<PromiseWorker>>::iterator worker);

  // Runs that can be cancelled, by the number that JavaScript got for them.
  std::unordered_map<uint32_t, PromiseWorker*> tickets;
  uint32_t last_ticket = 0;
  // Sessions of this environment, so that its end can close them.
  std::unordered_set<OpenSession*> sessions;

  // Ends what runs: closes every session, withdraws what waits. For `process.on('exit')` and the cleanup
  // hook.
  void CloseSessions();

 private:
  // In an environment that is being terminated: what waits never begins, what runs ends.
  void Abandon() override;
  // False from the moment on that the environment is being terminated.
  [[nodiscard]] bool CanRunJs() const override;
  void CleanUp();

  Napi::Env env_;
  bool closing_ = false;
  bool is_worker_ = false;
  Napi::FunctionReference error_class_;
  std::list<std::unique_ptr<PromiseWorker>> workers_;
};

}  // namespace tf_session
