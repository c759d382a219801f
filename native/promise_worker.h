// The one base of all asynchronous work: a promise now, Work() on a worker thread, then Result() on the JS
// thread.
//
// Lifetime: the environment (EnvData) owns every worker from Start() until it has settled, and deletes it on
// the JS thread, so members may hold Node-API references. Work() must not touch Node-API. Whatever it throws
// rejects the promise; nothing leaves the thread. A worker on a thread of its own that outlives the
// environment is nobody's from then on: it is never deleted.
#pragma once

#include <memory>
#include <optional>

#include "error.h"
#include "napi_setup.h"
#include "work_line.h"

namespace tf_session {

class EnvData;

class PromiseWorker : public Task {
 public:
  enum class Gate {
    kFree,       // at once: short work, and closing
    kLimited,    // counts against the process's runs in flight, and waits its turn
    kOwnThread,  // what waits for another machine; holds no process open
  };

  // JS thread. Returns the promise. `share` bounds it further, with the other runs of its session.
  static Napi::Value Start(Napi::Env env, std::unique_ptr<PromiseWorker> worker, Gate gate,
                           Share* share = nullptr);

  // JS thread. Rejects with `reason` if Work() has not begun, and then deletes this; else false, and nothing
  // changes.
  bool CancelWaiting(const Error& reason);

 protected:
  // A worker thread.
  virtual void Work() = 0;
  // In place of Work(), where there is no thread for it. Rejects the promise.
  void Refuse() override;
  // JS thread, after Work() succeeded: what the promise resolves to.
  virtual Napi::Value Result(Napi::Env env) = 0;
  // JS thread, once the work is sure to be settled some day: what Finished() undoes belongs here.
  virtual void Started() {}
  // JS thread, last thing before this is deleted, however it ended.
  virtual void Finished() {}

 private:
  friend class EnvData;

  void Perform() final;
  void Conclude() final;
  void Settle(Napi::Env env);  // JS thread: resolves or rejects
  void Reject(Napi::Env env, const Error& error);

  EnvData* env_data_ = nullptr;
  napi_deferred deferred_ = nullptr;
  std::list<std::unique_ptr<PromiseWorker>>::iterator owned_;  // where the environment keeps it
  std::optional<Error> error_;
};

}  // namespace tf_session
