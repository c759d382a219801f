#include "promise_worker.h"

#include <utility>

#include "env_data.h"
#include "run_gate.h"
#include "status.h"
#include "tensorflow/c/tf_status.h"

namespace tf_session {

Napi::Value PromiseWorker::Start(Napi::Env env, std::unique_ptr<PromiseWorker> worker, Gate gate) {
  PromiseWorker* self = worker.get();
  self->env_data_ = &EnvData::Of(env);
  napi_value promise = nullptr;
  napi_value name = nullptr;
  if (napi_create_promise(env, &self->deferred_, &promise) != napi_ok ||
      napi_create_string_utf8(env, "tf-session", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, Execute, Complete, self, &self->work_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  self->env_data_->Adopt(std::move(worker));
  self->Started();
  if (gate == Gate::kFree) {
    self->Queue();
  } else {
    self->env_data_->StandInLine(self);
  }
  return {env, promise};
}

bool PromiseWorker::CancelWaiting(const Error& reason) {
  const Napi::Env env = env_data_->env();
  if (waiting_) {
    env_data_->LeaveLine(this);
    Reject(env, reason);
    Finished();
    napi_delete_async_work(env, work_);
    env_data_->Disown(this);
    return true;
  }
  // Handed to libuv but not begun: Complete is called as cancelled.
  if (napi_cancel_async_work(env, work_) != napi_ok) return false;
  cancelled_ = reason;
  return true;
}

void PromiseWorker::Execute(napi_env /*env*/, void* data) {
  auto* self = static_cast<PromiseWorker*>(data);
  try {
    self->Work();
  } catch (const Error& error) {
    self->error_ = error;
  } catch (const std::bad_alloc&) {
    self->error_ = Error(TF_RESOURCE_EXHAUSTED, "Out of memory.");
  } catch (const std::exception& error) {
    self->error_ = Error(TF_INTERNAL, error.what());
  } catch (...) {
    self->error_ = Error(TF_INTERNAL, "An unknown exception was thrown in a worker.");
  }
  self->LeaveGate();
}

void PromiseWorker::Complete(napi_env env, napi_status status, void* data) {
  auto* self = static_cast<PromiseWorker*>(data);
  const Napi::HandleScope scope(env);
  if (status == napi_cancelled) {
    self->LeaveGate();
    self->error_ = self->cancelled_.value_or(Error(TF_CANCELLED, "The work was cancelled."));
  }
  self->Settle(env);
  self->Finished();
  napi_delete_async_work(env, self->work_);
  self->env_data_->Disown(self);
}

void PromiseWorker::Settle(Napi::Env env) {
  if (error_) return Reject(env, *error_);
  try {
    const Napi::Value result = Result(env);
    // Fails only in an environment that is being terminated, where nobody waits any more.
    (void)napi_resolve_deferred(env, deferred_, result);
  } catch (const Error& error) {
    Reject(env, error);
  } catch (const Napi::Error& error) {
    (void)napi_reject_deferred(env, deferred_, error.Value());
  } catch (const std::exception& error) {
    Reject(env, Error(TF_INTERNAL, error.what()));
  }
}

void PromiseWorker::Reject(Napi::Env env, const Error& error) {
  try {
    (void)napi_reject_deferred(env, deferred_, ErrorToJs(env, error));
  } catch (const Napi::Error&) {  // NOLINT(bugprone-empty-catch)
    // The environment is being terminated: no JavaScript runs, and nobody waits.
  }
}

void PromiseWorker::LeaveGate() {
  if (!inside_) return;
  inside_ = false;
  RunGate::Get().Leave();
}

void PromiseWorker::Queue() {
  // Fails only for invalid arguments, which these are not.
  (void)napi_queue_async_work(env_data_->env(), work_);
}

}  // namespace tf_session
