#include "promise_worker.h"

#include <utility>

#include "env_data.h"
#include "status.h"
#include "tensorflow/c/tf_status.h"

namespace tf_session {

Napi::Value PromiseWorker::Start(Napi::Env env, std::unique_ptr<PromiseWorker> worker, Gate gate,
                                 Share* share) {
  PromiseWorker* self = worker.get();
  EnvData& env_data = EnvData::Of(env);
  self->env_data_ = &env_data;
  napi_value promise = nullptr;
  if (napi_create_promise(env, &self->deferred_, &promise) != napi_ok) throw Napi::Error::New(env);
  env_data.Adopt(std::move(worker));
  self->Started();
  switch (gate) {
    case Gate::kFree:
      env_data.line.AddFree(self);
      break;
    case Gate::kLimited:
      env_data.line.Add(self, share);
      break;
    case Gate::kOwnThread:
      env_data.line.AddOwn(self, share);
      break;
  }
  return {env, promise};
}

bool PromiseWorker::CancelWaiting(const Error& reason) {
  if (!env_data_->line.Withdraw(this)) return false;
  error_ = reason;
  Conclude();
  return true;
}

void PromiseWorker::Perform() {
  try {
    Work();
  } catch (const Error& error) {
    error_ = error;
  } catch (const std::bad_alloc&) {
    error_ = Error(TF_RESOURCE_EXHAUSTED, "Out of memory.");
  } catch (const std::exception& error) {
    error_ = Error(TF_INTERNAL, error.what());
  } catch (...) {
    error_ = Error(TF_INTERNAL, "An unknown exception was thrown in a worker.");
  }
}

void PromiseWorker::Refuse() {
  error_ = Error(
      TF_RESOURCE_EXHAUSTED,
      "The system gives this process no more threads, and each request to a server needs one. The option "
      "`concurrency` bounds how many a model makes at once.");
}

void PromiseWorker::Conclude() {
  Settle(env_data_->env());
  Finished();
  env_data_->Disown(owned_);
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

}  // namespace tf_session
