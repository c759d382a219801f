#include "env_data.h"

#include <utility>
#include <vector>

#include "session.h"
#include "tensorflow/c/tf_status.h"
#include "termination_watch.h"

namespace tf_session {

EnvData::EnvData(Napi::Env env) : env_(env) {
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "tf-session", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, OnWake,
                                      &wake_) != napi_ok ||
      napi_unref_threadsafe_function(env, wake_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  env.AddCleanupHook([this] { CleanUp(); });
}

EnvData::~EnvData() = default;

void EnvData::Adopt(std::unique_ptr<PromiseWorker> worker) {
  PromiseWorker* key = worker.get();
  workers_.emplace(key, std::move(worker));
  if (is_worker_) TerminationWatch::Get().Add(this);
}

void EnvData::Disown(PromiseWorker* worker) {
  workers_.erase(worker);
  if (is_worker_ && workers_.empty()) TerminationWatch::Get().Remove(this);
}

void EnvData::StandInLine(PromiseWorker* worker) {
  if (line_.empty() && RunGate::Get().EnterOrWait(this)) {
    worker->inside_ = true;
    worker->Queue();
    return;
  }
  worker->place_ = line_.insert(line_.end(), worker);
  worker->waiting_ = true;
  // The event loop stays alive as long as something waits: nobody else knows of it.
  if (line_.size() == 1) (void)napi_ref_threadsafe_function(env_, wake_);
}

void EnvData::LeaveLine(PromiseWorker* worker) {
  line_.erase(worker->place_);
  worker->waiting_ = false;
  if (!line_.empty()) return;
  (void)napi_unref_threadsafe_function(env_, wake_);
  RunGate::Get().StopWaiting(this);
}

void EnvData::AdvanceLine() {
  while (!line_.empty() && RunGate::Get().EnterOrWait(this)) {
    PromiseWorker* worker = line_.front();
    LeaveLine(worker);
    worker->inside_ = true;
    worker->Queue();
  }
}

void EnvData::Wake() {
  const std::lock_guard<std::mutex> lock(wake_mutex_);
  if (woken_ || wake_ == nullptr) return;
  woken_ = napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void EnvData::OnWake(napi_env env, napi_value /*callback*/, void* context, void* /*data*/) {
  if (env == nullptr) return;
  auto* self = static_cast<EnvData*>(context);
  {
    const std::lock_guard<std::mutex> lock(self->wake_mutex_);
    self->woken_ = false;
  }
  if (self->CanRunJs()) {
    self->AdvanceLine();
  } else {
    self->Abandon();
  }
}

bool EnvData::CanRunJs() const {
  napi_value undefined = nullptr;
  bool equal = false;
  return napi_get_undefined(env_, &undefined) == napi_ok &&
         napi_strict_equals(env_, undefined, undefined, &equal) == napi_ok;
}

void EnvData::Abandon() {
  const Error reason(TF_CANCELLED, "The thread is being terminated.");
  while (!line_.empty()) (void)line_.front()->CancelWaiting(reason);
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
  if (is_worker_) TerminationWatch::Get().Remove(this);
  // Node has waited for all that libuv had, so what is left waits for the gate. Its promises are rejected
  // with errors, and a hook has no scope for handles.
  napi_handle_scope scope = nullptr;
  (void)napi_open_handle_scope(env_, &scope);
  Abandon();
  (void)napi_close_handle_scope(env_, scope);
  // Released by nobody else: Node frees it with the environment after this hook.
  const std::lock_guard<std::mutex> lock(wake_mutex_);
  wake_ = nullptr;
}

}  // namespace tf_session
