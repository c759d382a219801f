#include "call.h"

#include <optional>
#include <utility>

#include "bytes.h"
#include "dtypes.h"
#include "env_data.h"
#include "graph.h"
#include "heap_trim.h"
#include "js_strings.h"
#include "status.h"
#include "tensor.h"

namespace tf_session {
namespace {

// Bits of a run's flags, as in lib/native.ts.
constexpr uint32_t kCopyOutputs = 1;
constexpr uint32_t kStringsAsBytes = 2;
constexpr uint32_t kWantMetadata = 4;
constexpr uint32_t kInPool = 8;
constexpr uint32_t kInCaller = 16;

struct RunRequest {
  std::vector<TensorPtr> inputs;
  std::optional<Bytes> run_options;
  bool want_metadata = false;
  OutputPolicy policy;
  Executor executor = Executor::kAuto;
  std::optional<uint32_t> ticket;
};

struct RunResponse {
  std::vector<FetchedTensor> outputs;
  std::optional<Bytes> metadata;
};

// RunOptions { inter_op_thread_pool: -1 }, serialized: every op in the thread that calls.
const Bytes& CallerOptions() {
  static const Bytes bytes = {0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
  return bytes;
}

Head HeadFromJs(Napi::Env env, napi_value array) {
  napi_typedarray_type type{};
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array) {
    throw Error(TF_INVALID_ARGUMENT, "The inputs have no types and shapes.");
  }
  const auto* const first = static_cast<const double*>(data);
  return {first, first + length};
}

// JS thread. Arguments: the inputs' data, their types and shapes, flags, run options, ticket.
RunRequest RequestFromJs(Napi::Env env, const BoundPlan& bound, const Napi::CallbackInfo& info) {
  bound.session->CheckOpen();
  RunRequest request;
  const napi_value inputs = info[0];
  uint32_t length = 0;
  (void)napi_get_array_length(env, inputs, &length);
  if (length != bound.plan.feeds.size()) {
    throw Error(TF_INVALID_ARGUMENT, "The number of inputs is wrong.");
  }
  Head head = HeadFromJs(env, info[1]);
  request.inputs.reserve(length);
  for (uint32_t i = 0; i < length; ++i) {
    napi_value data = nullptr;
    if (napi_get_element(env, inputs, i, &data) != napi_ok) throw Napi::Error::New(env);
    request.inputs.push_back(TensorFromJs(env, &head, data));
  }
  const uint32_t flags = info[2].As<Napi::Number>().Uint32Value();
  request.policy.copy = (flags & kCopyOutputs) != 0;
  request.policy.strings_as_bytes = (flags & kStringsAsBytes) != 0;
  request.want_metadata = (flags & kWantMetadata) != 0;
  if ((flags & kInPool) != 0) request.executor = Executor::kPool;
  if ((flags & kInCaller) != 0) {
    request.executor = Executor::kCaller;
    bound.session->core()->CheckCaller();
  }
  if (info.Length() > 3) request.run_options = BytesFromJs(info[3]);
  if (info.Length() > 4 && info[4].IsNumber()) request.ticket = info[4].As<Napi::Number>().Uint32Value();
  bound.session->CheckOpen();  // again: a getter among the inputs may have closed it
  return request;
}

// Any thread.
RunOutcome RunSomewhere(const SessionCore& core, const BoundPlan& bound, const RunRequest& request) {
  const auto run = [&](const Bytes* options) {
    return core.Run(bound.plan, request.inputs, options, request.want_metadata);
  };
  if (request.run_options) return run(&*request.run_options);
  if (request.executor == Executor::kCaller) return run(&CallerOptions());
  if (request.executor == Executor::kPool || !core.may_try_caller()) return run(nullptr);
  const auto [where, is_on_trial] = bound.choice.Next();
  const Bytes* const options = where == Executor::kCaller ? &CallerOptions() : nullptr;
  if (!is_on_trial) return run(options);
  const auto start = std::chrono::steady_clock::now();
  RunOutcome outcome = run(options);
  bound.choice.Report(where, std::chrono::steady_clock::now() - start);
  return outcome;
}

// Any thread.
RunResponse RunNow(const SessionCore& core, const BoundPlan& bound, RunRequest* request) {
  // The first run optimizes the graph.
  std::optional<HeapTrim> trim;
  if (core.has_weights() && !bound.has_run.exchange(true)) trim.emplace();
  RunOutcome outcome = RunSomewhere(core, bound, *request);
  trim.reset();
  // Let go of the inputs before the outputs are looked at, so that an input's memory handed through
  // (Identity) is not held twice, and a borrowed one is free when the promise resolves.
  request->inputs.clear();
  RunResponse response;
  response.outputs.reserve(outcome.outputs.size());
  for (TensorPtr& output : outcome.outputs) response.outputs.emplace_back(std::move(output), request->policy);
  response.metadata = std::move(outcome.metadata);
  return response;
}

// JS thread. Two entries an output, then the metadata where it was asked for.
Napi::Value ResponseToJs(Napi::Env env, const BoundPlan& bound, RunResponse* response) {
  const auto count = static_cast<uint32_t>(response->outputs.size() * 2);
  napi_value result = nullptr;
  if (napi_create_array_with_length(env, count + (response->metadata ? 1 : 0), &result) != napi_ok) {
    throw Napi::Error::New(env);
  }
  for (uint32_t i = 0; i < response->outputs.size(); ++i) {
    response->outputs[i].ToJs(env, result, 2 * i, &bound.shapes[i]);
  }
  if (response->metadata) {
    (void)napi_set_element(env, result, count,
                           BytesToJs(env, response->metadata->data(), response->metadata->size()));
  }
  return {env, result};
}

// The same for a run that JavaScript waits for. A lone output whose shape is that of the one before comes as
// its ArrayBuffer: an array around it and the shape takes longer than small outputs themselves.
Napi::Value SyncResponseToJs(Napi::Env env, const BoundPlan& bound, RunResponse* response) {
  if (response->outputs.size() != 1 || response->metadata) return ResponseToJs(env, bound, response);
  FetchedTensor& output = response->outputs.front();
  if (output.is_string()) return ResponseToJs(env, bound, response);
  if (bound.has_lone_shape && output.shape() == bound.lone_shape) return output.Data(env);
  bound.lone_shape = output.shape();
  bound.has_lone_shape = true;
  return ResponseToJs(env, bound, response);
}

class RunWorker : public PromiseWorker {
 public:
  RunWorker(EnvData* env_data, std::shared_ptr<const BoundPlan> bound, RunRequest request)
      : env_data_(env_data),
        bound_(std::move(bound)),
        core_(bound_->session->core()),
        request_(std::move(request)) {}

 private:
  void Started() override {
    bound_->session->BeginRun();
    if (request_.ticket) env_data_->tickets[*request_.ticket] = this;
  }
  void Work() override { response_ = RunNow(*core_, *bound_, &request_); }
  Napi::Value Result(Napi::Env env) override { return ResponseToJs(env, *bound_, &response_); }
  void Finished() override {
    if (request_.ticket) env_data_->tickets.erase(*request_.ticket);
    core_.reset();
    bound_->session->EndRun();
  }

  EnvData* env_data_;
  std::shared_ptr<const BoundPlan> bound_;
  std::shared_ptr<SessionCore> core_;
  RunRequest request_;
  RunResponse response_;
  Counted counted_{live.runs};
};

// The type of an output; TensorFlow 1's reference types are 100 above what they refer to.
TF_DataType BaseType(TF_Output output) {
  constexpr int kReference = 100;
  const int type = tf().TF_OperationOutputType(output);
  return static_cast<TF_DataType>(type > kReference ? type - kReference : type);
}

Napi::Value TypesToJs(Napi::Env env, const std::vector<TF_DataType>& types) {
  const Napi::Array numbers = Napi::Array::New(env, types.size());
  for (uint32_t i = 0; i < types.size(); ++i) numbers.Set(i, static_cast<double>(types[i]));
  return numbers;
}

TF_Output FindTensor(TF_Graph* graph, const std::string& name) {
  const TF_Output output = FindOutput(graph, name);
  const TF_DataType type = BaseType(output);
  if (type == TF_RESOURCE || type == TF_VARIANT) {
    throw Error(TF_UNIMPLEMENTED,
                "The tensor \"" + name + "\" is of type " + DTypeName(type) +
                    ": a handle that has a meaning inside of TensorFlow only. It can be neither "
                    "fed nor fetched; fetch an op that reads from it instead.");
  }
  return output;
}

}  // namespace

void Call::Init(Napi::Env env) {
  EnvData::Of(env).call_class = Napi::Persistent(DefineClass(
      env, "NativeCall",
      {InstanceMethod<&Call::Run>("run"), InstanceMethod<&Call::RunSync>("runSync"),
       InstanceAccessor<&Call::FeedTypes>("feedTypes"), InstanceAccessor<&Call::FeedShapes>("feedShapes"),
       InstanceAccessor<&Call::FetchTypes>("fetchTypes")}));
}

Napi::Value Call::Bind(Napi::Env env, std::shared_ptr<OpenSession> session, const Napi::Array& feeds,
                       const Napi::Array& fetches, const Napi::Array& targets) {
  const std::vector<std::string> feed_names = StringsFromJs(feeds);
  const std::vector<std::string> fetch_names = StringsFromJs(fetches);
  const std::vector<std::string> target_names = StringsFromJs(targets);
  session->CheckOpen();  // after the names: a getter among them may have closed it
  TF_Graph* graph = session->core()->graph();
  auto bound = std::make_shared<BoundPlan>();
  bound->session = std::move(session);
  for (const std::string& name : feed_names) {
    bound->plan.feeds.push_back(FindTensor(graph, name));
    bound->feed_types.push_back(BaseType(bound->plan.feeds.back()));
    bound->feed_shapes.push_back(ShapeOf(graph, bound->plan.feeds.back()));
  }
  for (const std::string& name : fetch_names) {
    bound->plan.fetches.push_back(FindTensor(graph, name));
    bound->fetch_types.push_back(BaseType(bound->plan.fetches.back()));
  }
  bound->shapes.resize(fetch_names.size());
  for (const std::string& name : target_names) bound->plan.targets.push_back(FindOperation(graph, name));
  using Shared = std::shared_ptr<const BoundPlan>;
  Shared shared = std::move(bound);
  return EnvData::Of(env).call_class.New({Napi::External<Shared>::New(env, &shared)});
}

Call::Call(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  bound_ = *info[0].As<Napi::External<std::shared_ptr<const BoundPlan>>>().Data();
}

Napi::Value Call::Run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    auto worker = std::make_unique<RunWorker>(&EnvData::Of(env), bound_, RequestFromJs(env, *bound_, info));
    const OpenSession& session = *bound_->session;
    return PromiseWorker::Start(env, std::move(worker), session.gate(), bound_->session->share());
  } catch (const Error& error) {
    ThrowJs(env, error);
  } catch (const std::bad_alloc&) {
    ThrowJs(env, Error(TF_RESOURCE_EXHAUSTED, "There is no memory for the inputs."));
  }
}

Napi::Value Call::RunSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    RunRequest request = RequestFromJs(env, *bound_, info);
    // What is handed over is freed from the event loop, which a loop of runSync never comes to.
    request.policy.copy = true;
    request.policy.at_once = true;
    RunResponse response = RunNow(*bound_->session->core(), *bound_, &request);
    return SyncResponseToJs(env, *bound_, &response);
  } catch (const Error& error) {
    ThrowJs(env, error);
  } catch (const std::bad_alloc&) {
    ThrowJs(env, Error(TF_RESOURCE_EXHAUSTED, "There is no memory for the inputs or outputs."));
  }
}

Napi::Value Call::FeedTypes(const Napi::CallbackInfo& info) {
  return TypesToJs(info.Env(), bound_->feed_types);
}

Napi::Value Call::FeedShapes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array shapes = Napi::Array::New(env, bound_->feed_shapes.size());
  for (uint32_t i = 0; i < bound_->feed_shapes.size(); ++i) {
    const auto& shape = bound_->feed_shapes[i];
    if (!shape) {
      shapes.Set(i, env.Null());
      continue;
    }
    const Napi::Array sizes = Napi::Array::New(env, shape->size());
    for (uint32_t k = 0; k < shape->size(); ++k) sizes.Set(k, static_cast<double>((*shape)[k]));
    shapes.Set(i, sizes);
  }
  return shapes;
}

Napi::Value Call::FetchTypes(const Napi::CallbackInfo& info) {
  return TypesToJs(info.Env(), bound_->fetch_types);
}

}  // namespace tf_session
