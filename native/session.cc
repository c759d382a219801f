#include "session.h"

#include <utility>

#include "call.h"
#include "device_list.h"
#include "env_data.h"
#include "graph.h"
#include "status.h"

namespace tf_session {

// Frees session and graph on a worker thread. At once, not through the gate: a close must not wait for
// others' runs.
class OpenSession::CloseWorker : public PromiseWorker {
 public:
  // `session` is null where it was collected: then nobody waits.
  CloseWorker(std::shared_ptr<SessionCore> core, std::shared_ptr<OpenSession> session)
      : core_(std::move(core)), session_(std::move(session)) {}

 private:
  void Work() override {
    core_->Close();
    core_.reset();
  }
  // Nobody sees this worker's own promise. The session is left to whatever thread is to be had.
  void Refuse() override { SessionCore::CloseElsewhere(std::move(core_)); }
  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }
  void Finished() override {
    if (!session_) return;
    const Napi::Env env = session_->env_data_->env();
    for (const napi_deferred closer : session_->closers_) {
      (void)napi_resolve_deferred(env, closer, env.Undefined());
    }
    session_->closers_.clear();
    session_->state_ = State::kClosed;
  }

  std::shared_ptr<SessionCore> core_;
  std::shared_ptr<OpenSession> session_;
};

OpenSession::OpenSession(EnvData* env_data, std::shared_ptr<SessionCore> core)
    : env_data_(env_data), core_(std::move(core)) {
  share_.is_elsewhere = core_->is_remote();
  env_data_->sessions.insert(this);
}

OpenSession::~OpenSession() {
  env_data_->sessions.erase(this);
  if (!core_) return;
  if (!env_data_->closing()) {
    Free(env_data_->env(), core_, nullptr);
  } else if (core_->is_remote()) {
    SessionCore::CloseElsewhere(std::move(core_));
  }
}

void OpenSession::CheckOpen() const {
  if (state_ != State::kOpen) throw Error(TF_FAILED_PRECONDITION, "The session is closed.");
}

void OpenSession::EndRun() {
  --runs_;
  CloseWhenIdle();
}

Napi::Value OpenSession::Close(bool cancel) {
  const Napi::Env env = env_data_->env();
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) throw Napi::Error::New(env);
  if (state_ == State::kOpen) state_ = State::kDraining;
  if (state_ == State::kClosed) {
    (void)napi_resolve_deferred(env, deferred, env.Undefined());
    return {env, promise};
  }
  closers_.push_back(deferred);
  if (cancel) EndNow();
  CloseWhenIdle();
  return {env, promise};
}

void OpenSession::EndNow() {
  if (!core_) return;
  const std::shared_ptr<OpenSession> self = shared_from_this();  // the last run's end may drop it
  core_->EndRuns();
  const Error reason(TF_CANCELLED, "The run was cancelled: its session was closed.");
  for (Task* task : env_data_->line.Waiting(&share_)) {
    (void)static_cast<PromiseWorker*>(task)->CancelWaiting(reason);
  }
}

void OpenSession::Abandon() {
  if (state_ == State::kOpen) state_ = State::kDraining;
  EndNow();
  CloseWhenIdle();
}

void OpenSession::CloseWhenIdle() {
  if (state_ != State::kDraining || runs_ > 0) return;
  state_ = State::kClosing;
  Free(env_data_->env(), std::exchange(core_, nullptr), shared_from_this());
}

void OpenSession::Free(Napi::Env env, const std::shared_ptr<SessionCore>& core,
                       std::shared_ptr<OpenSession> session) {
  const PromiseWorker::Gate gate =
      core->is_remote() ? PromiseWorker::Gate::kOwnThread : PromiseWorker::Gate::kFree;
  try {
    (void)PromiseWorker::Start(env, std::make_unique<CloseWorker>(core, std::move(session)), gate);
  } catch (const Napi::Error&) {
    // Being terminated: no promise can be made. Every run of it has ended.
    if (core->is_remote()) return SessionCore::CloseElsewhere(core);
    core->Close();
  }
}

void Session::Init(Napi::Env env) {
  EnvData::Of(env).session_class = Napi::Persistent(DefineClass(
      env, "NativeSession",
      {InstanceMethod<&Session::Bind>("bind"), InstanceMethod<&Session::OpNames>("opNames"),
       InstanceMethod<&Session::Devices>("devices"),
       InstanceMethod<&Session::SetConcurrency>("setConcurrency"), InstanceMethod<&Session::Crowd>("crowd"),
       InstanceMethod<&Session::Close>("close"), InstanceMethod<&Session::Abandon>("abandon")}));
}

Napi::Object Session::Wrap(Napi::Env env, std::shared_ptr<SessionCore> core) {
  auto open = std::make_shared<OpenSession>(&EnvData::Of(env), std::move(core));
  return EnvData::Of(env).session_class.New({Napi::External<std::shared_ptr<OpenSession>>::New(env, &open)});
}

Session::Session(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  open_ = *info[0].As<Napi::External<std::shared_ptr<OpenSession>>>().Data();
}

Napi::Value Session::Bind(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    open_->CheckOpen();
    return Call::Bind(env, open_, info[0].As<Napi::Array>(), info[1].As<Napi::Array>(),
                      info[2].As<Napi::Array>());
  } catch (const Error& error) {
    ThrowJs(env, error);
  }
}

Napi::Value Session::OpNames(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    open_->CheckOpen();
    const std::vector<std::string> names = OperationNames(open_->core()->graph());
    const Napi::Array array = Napi::Array::New(env, names.size());
    for (uint32_t i = 0; i < names.size(); ++i) array.Set(i, names[i]);
    return array;
  } catch (const Error& error) {
    ThrowJs(env, error);
  }
}

Napi::Value Session::Devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    open_->CheckOpen();
    return ListDevices(env, open_);
  } catch (const Error& error) {
    ThrowJs(env, error);
  }
}

Napi::Value Session::SetConcurrency(const Napi::CallbackInfo& info) {
  open_->share()->limit = info[0].As<Napi::Number>().Int32Value();  // before its first run
  return info.Env().Undefined();
}

Napi::Value Session::Crowd(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    open_->CheckOpen();
  } catch (const Error& error) {
    ThrowJs(env, error);
  }
  const auto [waiting, at_work, has_room] = EnvData::Of(env).line.CrowdOf(*open_->share());
  if (waiting < info[0].As<Napi::Number>().Int32Value() || has_room) return env.Undefined();
  const Napi::Array crowd = Napi::Array::New(env, 2);
  crowd.Set(0U, waiting);
  crowd.Set(1U, at_work);
  return crowd;
}

Napi::Value Session::Close(const Napi::CallbackInfo& info) { return open_->Close(info[0].ToBoolean()); }

void Session::Abandon(const Napi::CallbackInfo& /*info*/) { open_->Abandon(); }

}  // namespace tf_session
