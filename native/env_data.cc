#include "env_data.h"

#include <utility>
#include <vector>

#include "print_listener.h"
#include "session.h"
#include "tensorflow/c/tf_status.h"
#include "termination_watch.h"

namespace tf_session {

EnvData::EnvData(Napi::Env env) : line(env, this), env_(env) {
  env.AddCleanupHook([this] { CleanUp(); });
}

EnvData::~EnvData() = default;

void EnvData::Adopt(std::unique_ptr<PromiseWorker> worker) {
  PromiseWorker* self = worker.get();
  self->owned_ = workers_.insert(workers_.end(), std::move(worker));
  if (is_worker_ && workers_.size() == 1) TerminationWatch::Get().Add(&line);
}

void EnvData::Disown(std::list<std::unique_ptr<PromiseWorker>>::iterator worker) {
  workers_.erase(worker);
  if (is_worker_ && workers_.empty()) TerminationWatch::Get().Remove(&line);
}

bool EnvData::CanRunJs() const {
  napi_value undefined = nullptr;
  bool equal = false;
  return napi_get_undefined(env_, &undefined) == napi_ok &&
         napi_strict_equals(env_, undefined, undefined, &equal) == napi_ok;
}

void EnvData::Abandon() {
  const Error reason(TF_CANCELLED, "The thread is being terminated.");
  for (Task* task : line.Waiting(nullptr)) (void)static_cast<PromiseWorker*>(task)->CancelWaiting(reason);
  CloseSessions();
}

void EnvData::CloseSessions() {
  // Closing may delete entries of the set.
  const std::vector<OpenSession*> open(sessions.begin(), sessions.end());
  for (OpenSession* session : open) {
    if (sessions.count(session) != 0) session->EndNow();
  }
}

void EnvData::CleanUp() {
  closing_ = true;
  StopListening(env_);
  if (is_worker_) TerminationWatch::Get().Remove(&line);
  // Node has waited for all that libuv had, so what is left waits for the gate. Its promises are rejected
  // with errors, and a hook has no scope for handles.
  napi_handle_scope scope = nullptr;
  (void)napi_open_handle_scope(env_, &scope);
  Abandon();
  for (Task* task : line.Close()) {
    const auto* left = static_cast<PromiseWorker*>(task);
    for (auto& worker : workers_) {
      if (worker.get() != left) continue;
      [[maybe_unused]] const PromiseWorker* its = worker.release();
    }
  }
  (void)napi_close_handle_scope(env_, scope);
}

}  // namespace tf_session
