// The JS class around a session (lib/native.ts: NativeSession), and what of it belongs to the JS thread.
#pragma once

#include <memory>
#include <vector>

#include "napi_setup.h"
#include "promise_worker.h"
#include "session_core.h"

namespace tf_session {

class EnvData;

// A session as its JS environment knows it: open, closing once its accepted runs have ended, closed. Shared
// by the Session object, its Calls and its runs, so it lives as long as any of them; JS thread only.
class OpenSession : public std::enable_shared_from_this<OpenSession> {
 public:
  OpenSession(EnvData* env_data, std::shared_ptr<SessionCore> core);
  OpenSession(const OpenSession&) = delete;
  OpenSession& operator=(const OpenSession&) = delete;
  // Collected without close(): freed on a worker thread, or here where the environment is going down.
  ~OpenSession();

  const std::shared_ptr<SessionCore>& core() const { return core_; }
  // Throws FAILED_PRECONDITION from the moment close() was called.
  void CheckOpen() const;

  void BeginRun() { ++runs_; }
  void EndRun();
  // Of its runs, in which they take turns with those of others.
  Share* share() { return &share_; }

  // A promise that resolves when session and graph are freed. Accepted runs end first; with `cancel` by
  // CANCELLED.
  Napi::Value Close(bool cancel);
  // Ends what runs and rejects what waits; frees nothing. For an environment on its way out.
  void EndNow();
  // Of a server that does not answer: refuses new runs and lets go of what is under way, which may never end
  // and so holds no process open any more. Freed when that has ended.
  void Abandon();
  [[nodiscard]] PromiseWorker::Gate gate() const {
    return core_->is_remote() ? PromiseWorker::Gate::kOwnThread : PromiseWorker::Gate::kLimited;
  }

 private:
  class CloseWorker;
  void CloseWhenIdle();
  // Frees `core` on a worker thread; at once, on this one, where the environment takes no work any more.
  static void Free(Napi::Env env, const std::shared_ptr<SessionCore>& core,
                   std::shared_ptr<OpenSession> session);

  EnvData* env_data_;
  std::shared_ptr<SessionCore> core_;  // null from kClosing on
  enum class State {
    kOpen,
    kDraining,  // close() was called; accepted runs go on
    kClosing,   // on its worker thread
    kClosed,
  };
  State state_ = State::kOpen;
  int runs_ = 0;  // accepted and not ended
  Share share_;
  std::vector<napi_deferred> closers_;
};

class Session : public Napi::ObjectWrap<Session> {
 public:
  static void Init(Napi::Env env);
  // JS thread: the JS object of a session that was just made.
  static Napi::Object Wrap(Napi::Env env, std::shared_ptr<SessionCore> core);

  explicit Session(const Napi::CallbackInfo& info);

 private:
  Napi::Value Bind(const Napi::CallbackInfo& info);
  Napi::Value OpNames(const Napi::CallbackInfo& info);
  Napi::Value Devices(const Napi::CallbackInfo& info);
  Napi::Value SetConcurrency(const Napi::CallbackInfo& info);
  Napi::Value Crowd(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  void Abandon(const Napi::CallbackInfo& info);

  std::shared_ptr<OpenSession> open_;
};

}  // namespace tf_session
