#include "server.h"

#include <memory>
#include <string>
#include <utility>

#include "bytes.h"
#include "promise_worker.h"
#include "session_core.h"
#include "status.h"

namespace tf_session {
namespace {

class ServerWorker : public PromiseWorker {
 public:
  explicit ServerWorker(Bytes server_def) : server_def_(std::move(server_def)) {}

 private:
  void Work() override {
    const Status status;
    // Nobody's from here on. TF_ServerStop answers that it is not implemented, and TF_DeleteServer, which
    // takes that for a failure, would end the process.
    TF_Server* server = tf().TF_NewServer(server_def_.data(), server_def_.size(), status);
    status.Check();
    tf().TF_ServerStart(server, status);
    status.Check();
    target_ = tf().TF_ServerTarget(server);
  }
  Napi::Value Result(Napi::Env env) override { return Napi::String::New(env, target_); }

  Bytes server_def_;
  std::string target_;
};

}  // namespace

Napi::Value StartServer(const Napi::CallbackInfo& info) {
  return PromiseWorker::Start(info.Env(),
                              std::make_unique<ServerWorker>(BytesFromJs(info[0]).value_or(Bytes{})),
                              PromiseWorker::Gate::kFree);
}

}  // namespace tf_session
