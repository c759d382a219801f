#include "env_data.h"

#include <utility>

#include "session.h"
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

void EnvData::BeginWaiting() {
  if (waiting_count_++ == 0) (void)napi_ref_threadsafe_function(env_, wake_);
}

void EnvData::EndWaiting() {
  if (--waiting_count_ == 0) (void)napi_unref_threadsafe_function(env_, wake_);
}

void EnvData::Wake(PromiseWorker* worker) {
  const std::lock_guard<std::mutex> lock(wake_mutex_);
  granted_.push_back(worker);
  // One word is enough for many: OnWake takes all that are there.
  if (granted_.size() == 1 && wake_ != nullptr) {
    (void)napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }
}

void EnvData::OnWake(napi_env env, napi_value /*callback*/, void* context, void* /*data*/) {
  if (env == nullptr) return;
  auto* self = static_cast<EnvData*>(context);
  if (self->CanRunJs()) {
    self->QueueGranted();
  } else {
    self->Abandon();
  }
}

void EnvData::Wake() {
  const std::lock_guard<std::mutex> lock(wake_mutex_);
  if (wake_ != nullptr) (void)napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

bool EnvData::CanRunJs() const {
  napi_value undefined = nullptr;
  bool equal = false;
  return napi_get_undefined(env_, &undefined) == napi_ok &&
         napi_strict_equals(env_, undefined, undefined, &equal) == napi_ok;
}

void EnvData::Abandon() {
  for (const auto& [worker, owner] : workers_) {
    if (worker->waiting_) (void)RunGate::Get().Withdraw(worker);
  }
  // After the loop no other thread names a worker of this environment any more.
  const size_t granted = TakeGranted().size();
  for (size_t i = 0; i < granted; ++i) RunGate::Get().Leave();
  CloseSessions();
}

std::vector<PromiseWorker*> EnvData::TakeGranted() {
  const std::lock_guard<std::mutex> lock(wake_mutex_);
  return std::exchange(granted_, {});
}

void EnvData::QueueGranted() {
  for (PromiseWorker* worker : TakeGranted()) {
    worker->waiting_ = false;
    worker->inside_ = true;
    EndWaiting();
    worker->Queue();
  }
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
  {
    const std::lock_guard<std::mutex> lock(wake_mutex_);
    // Released by nobody else: Node frees it with the environment after this hook.
    wake_ = nullptr;
  }
  // Node has waited for all that libuv had, so what is left waits for the gate.
  Abandon();
  for (const auto& [worker, owner] : workers_) (void)napi_delete_async_work(env_, worker->work_);
  workers_.clear();
}

}  // namespace tf_session
