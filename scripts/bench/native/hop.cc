// The floor of any binding for Node: one model, one input and one output of floats, no checks. `run()` is a promise that
// goes through a libuv thread and does nothing there; `raw` is raw.cc's loop in this process.
#include <node_api.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"

namespace {

TF_Session* session;
TF_Output input, output;
std::vector<int64_t> shape;
bool in_caller;
using Clock = std::chrono::steady_clock;
const unsigned char kCaller[] = {0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};

struct Run {
  TF_Tensor* in = nullptr;
  TF_Tensor* out = nullptr;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

std::string Text(napi_env env, napi_value value) {
  char text[4096];
  size_t length = 0;
  napi_get_value_string_utf8(env, value, text, sizeof text, &length);
  return {text, length};
}

void Work(napi_env, void* data) {
  auto* run = static_cast<Run*>(data);
  if (run->in == nullptr) return;
  TF_Status* status = TF_NewStatus();
  TF_Buffer options{kCaller, sizeof kCaller, nullptr};
  TF_SessionRun(session, in_caller ? &options : nullptr, &input, &run->in, 1, &output, &run->out, 1, nullptr, 0, nullptr,
                status);
  TF_DeleteStatus(status);
  TF_DeleteTensor(run->in);
}

TF_Tensor* Filled(const void* data, size_t length) {
  TF_Tensor* tensor = TF_AllocateTensor(TF_FLOAT, shape.data(), static_cast<int>(shape.size()), length * sizeof(float));
  std::memcpy(TF_TensorData(tensor), data, length * sizeof(float));
  return tensor;
}

TF_Tensor* In(napi_env env, napi_value value) {
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, value, nullptr, &length, &data, nullptr, nullptr);
  return Filled(data, length);
}

napi_value Out(napi_env env, TF_Tensor* tensor) {
  napi_value buffer = nullptr, array = nullptr;
  void* data = nullptr;
  const size_t bytes = TF_TensorByteSize(tensor);
  napi_create_arraybuffer(env, bytes, &data, &buffer);
  std::memcpy(data, TF_TensorData(tensor), bytes);
  TF_DeleteTensor(tensor);
  napi_create_typedarray(env, napi_float32_array, bytes / sizeof(float), buffer, 0, &array);
  return array;
}

// load(directory, feed, fetch, shape, caller)
napi_value Load(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value args[5], element;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  uint32_t rank = 0;
  napi_get_array_length(env, args[3], &rank);
  shape.resize(rank);
  for (uint32_t i = 0; i < rank; ++i) {
    napi_get_element(env, args[3], i, &element);
    napi_get_value_int64(env, element, &shape[i]);
  }
  napi_get_value_bool(env, args[4], &in_caller);
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  const char* tags[] = {"serve"};
  session = TF_LoadSessionFromSavedModel(TF_NewSessionOptions(), nullptr, Text(env, args[0]).c_str(), tags, 1, graph,
                                         nullptr, status);
  if (TF_GetCode(status) != TF_OK) napi_throw_error(env, nullptr, TF_Message(status));
  input = {TF_GraphOperationByName(graph, Text(env, args[1]).c_str()), 0};
  output = {TF_GraphOperationByName(graph, Text(env, args[2]).c_str()), 0};
  TF_DeleteStatus(status);
  return nullptr;
}

napi_value RunSync(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg;
  napi_get_cb_info(env, info, &count, &arg, nullptr, nullptr);
  Run run;
  run.in = In(env, arg);
  Work(env, &run);
  return Out(env, run.out);
}

// run(values), or without values the empty round trip.
napi_value RunAsync(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg, promise, name;
  napi_get_cb_info(env, info, &count, &arg, nullptr, nullptr);
  auto* run = new Run;
  if (count > 0) run->in = In(env, arg);
  napi_create_promise(env, &run->deferred, &promise);
  napi_create_string_utf8(env, "hop", NAPI_AUTO_LENGTH, &name);
  const auto complete = [](napi_env env, napi_status, void* data) {
    auto* run = static_cast<Run*>(data);
    napi_value result = nullptr;
    if (run->out != nullptr) {
      result = Out(env, run->out);
    } else {
      napi_get_undefined(env, &result);
    }
    napi_resolve_deferred(env, run->deferred, result);
    napi_delete_async_work(env, run->work);
    delete run;
  };
  napi_create_async_work(env, nullptr, name, Work, complete, run, &run->work);
  napi_queue_async_work(env, run->work);
  return promise;
}

// raw(values, milliseconds, caller): runs in a loop for so long, at least 5 times; the time of each in microseconds.
napi_value Raw(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value args[3];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  void* data = nullptr;
  size_t length = 0;
  double milliseconds = 0;
  napi_get_typedarray_info(env, args[0], nullptr, &length, &data, nullptr, nullptr);
  napi_get_value_double(env, args[1], &milliseconds);
  const bool was_in_caller = in_caller;
  napi_get_value_bool(env, args[2], &in_caller);
  std::vector<double> times;
  const auto start = Clock::now();
  for (auto now = start; times.size() < 5 || now - start < std::chrono::duration<double, std::milli>(milliseconds);) {
    Run run;
    run.in = Filled(data, length);
    Work(env, &run);
    const size_t bytes = TF_TensorByteSize(run.out);
    const std::unique_ptr<char[]> copy(new char[bytes]);
    std::memcpy(copy.get(), TF_TensorData(run.out), bytes);
    TF_DeleteTensor(run.out);
    const auto end = Clock::now();
    times.push_back(std::chrono::duration<double, std::micro>(end - now).count());
    now = end;
  }
  in_caller = was_in_caller;
  napi_value buffer = nullptr, array = nullptr;
  void* target = nullptr;
  napi_create_arraybuffer(env, times.size() * sizeof(double), &target, &buffer);
  std::memcpy(target, times.data(), times.size() * sizeof(double));
  napi_create_typedarray(env, napi_float64_array, times.size(), buffer, 0, &array);
  return array;
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"load", nullptr, Load, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"runSync", nullptr, RunSync, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"run", nullptr, RunAsync, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"raw", nullptr, Raw, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, 4, functions);
  return exports;
}
