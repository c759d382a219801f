#include "checkpoint_values.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bytes.h"
#include "graph_changes.h"
#include "promise_worker.h"

namespace tf_session {
namespace {

class ReadWorker : public PromiseWorker {
 public:
  explicit ReadWorker(std::vector<CheckpointPart> parts) : parts_(std::move(parts)) {}

 private:
  void Work() override {
    for (const CheckpointPart& part : parts_) {
      std::string& bytes = read_.emplace_back(part.size, '\0');
      ReadPart(part, bytes.data());
    }
  }
  Napi::Value Result(Napi::Env env) override {
    const Napi::Array result = Napi::Array::New(env, read_.size());
    for (uint32_t i = 0; i < read_.size(); ++i) {
      result.Set(i, BytesToJs(env, read_[i].data(), read_[i].size()));
    }
    return result;
  }

  std::vector<CheckpointPart> parts_;
  std::vector<std::string> read_;
};

}  // namespace

Napi::Value ReadCheckpoint(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Array>();
  std::vector<CheckpointPart> parts;
  parts.reserve(given.Length());
  for (uint32_t i = 0; i < given.Length(); ++i) {
    parts.push_back(CheckpointPartFromJs(given.Get(i).As<Napi::Array>()));
  }
  return PromiseWorker::Start(info.Env(), std::make_unique<ReadWorker>(std::move(parts)),
                              PromiseWorker::Gate::kLimited);
}

}  // namespace tf_session
