// Feeds, fetches and targets looked up once, and the runs of them (lib/native.ts: NativeCall).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "executor_choice.h"
#include "napi_setup.h"
#include "session.h"
#include "tensor.h"

namespace tf_session {

// Shared by the Call and its runs; never changed after it is made, but for what its runs teach.
struct BoundPlan {
  std::shared_ptr<OpenSession> session;
  RunPlan plan;
  std::vector<TF_DataType> feed_types;
  std::vector<std::optional<std::vector<int64_t>>> feed_shapes;
  std::vector<TF_DataType> fetch_types;
  mutable std::vector<KnownShape> shapes;  // of each fetch; the JS thread's alone
  // What runSync gave back last, where that was one output. Its own: JavaScript may come to what other runs
  // gave back only after it.
  mutable std::vector<int64_t> lone_shape;
  mutable bool has_lone_shape = false;
  mutable ExecutorChoice choice;
  mutable std::atomic<bool> has_run{false};
  Counted counted{live.calls};
};

class Call : public Napi::ObjectWrap<Call> {
 public:
  static void Init(Napi::Env env);
  // JS thread. Throws Error: a name that the graph lacks, a tensor of a type that has no host memory.
  static Napi::Value Bind(Napi::Env env, std::shared_ptr<OpenSession> session, const Napi::Array& feeds,
                          const Napi::Array& fetches, const Napi::Array& targets);

  explicit Call(const Napi::CallbackInfo& info);

 private:
  Napi::Value Run(const Napi::CallbackInfo& info);
  Napi::Value RunSync(const Napi::CallbackInfo& info);
  Napi::Value FeedTypes(const Napi::CallbackInfo& info);
  Napi::Value FeedShapes(const Napi::CallbackInfo& info);
  Napi::Value FetchTypes(const Napi::CallbackInfo& info);

  std::shared_ptr<const BoundPlan> bound_;
};

}  // namespace tf_session
