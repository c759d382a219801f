#include "event_loop.h"

#include <cstdlib>
#include <thread>
#include <utility>

using driver::EventLoop;
using driver::Pool;

namespace driver {

void EventLoop::Post(std::function<void()> job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  jobs_.push_back(std::move(job));
  came_.notify_one();
}

void EventLoop::Run(const std::function<bool()>& done) {
  while (in_pool > 0 || !done()) {
    std::function<void()> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      came_.wait(lock, [this] { return !jobs_.empty(); });
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

void EventLoop::FinishWork() {
  Run([] { return true; });
}

Pool& Pool::Get() {
  static auto* pool = new Pool();
  return *pool;
}

void Pool::Start(int threads) {
  for (int i = 0; i < threads; ++i) {
    std::thread([this] {
      for (;;) {
        std::function<void()> job;
        {
          std::unique_lock<std::mutex> lock(mutex_);
          came_.wait(lock, [this] { return !jobs_.empty(); });
          job = std::move(jobs_.front());
          jobs_.pop_front();
        }
        job();
      }
    }).detach();
  }
}

void Pool::Add(std::function<void()> job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  jobs_.push_back(std::move(job));
  came_.notify_one();
}

}  // namespace driver

// Node-API's functions, as node_api.h declares them. A loop ends after its last use of them.
struct napi_threadsafe_function__ {
  EventLoop* loop;
  napi_threadsafe_function_call_js call;
  void* context;
  bool is_referenced = true;
};

struct napi_async_work__ {
  EventLoop* loop;
  napi_async_execute_callback execute;
  napi_async_complete_callback complete;
  void* data;
};

extern "C" {

napi_status napi_create_string_utf8(napi_env, const char*, size_t, napi_value*) { return napi_ok; }
napi_status napi_open_handle_scope(napi_env, napi_handle_scope*) { return napi_ok; }
napi_status napi_close_handle_scope(napi_env, napi_handle_scope) { return napi_ok; }

napi_status napi_create_threadsafe_function(napi_env env, napi_value, napi_value, napi_value, size_t, size_t, void*,
                                            napi_finalize, void* context, napi_threadsafe_function_call_js call,
                                            napi_threadsafe_function* result) {
  EventLoop* loop = EventLoop::Of(env);
  ++loop->references;
  *result = new napi_threadsafe_function__{loop, call, context};
  return napi_ok;
}

napi_status napi_ref_threadsafe_function(napi_env, napi_threadsafe_function function) {
  if (!std::exchange(function->is_referenced, true)) ++function->loop->references;
  return napi_ok;
}

napi_status napi_unref_threadsafe_function(napi_env, napi_threadsafe_function function) {
  if (std::exchange(function->is_referenced, false)) --function->loop->references;
  return napi_ok;
}

napi_status napi_call_threadsafe_function(napi_threadsafe_function function, void* data,
                                          napi_threadsafe_function_call_mode) {
  function->loop->Post(
      [function, data] { function->call(function->loop->env(), nullptr, function->context, data); });
  return napi_ok;
}

napi_status napi_create_async_work(napi_env env, napi_value, napi_value, napi_async_execute_callback execute,
                                   napi_async_complete_callback complete, void* data, napi_async_work* result) {
  *result = new napi_async_work__{EventLoop::Of(env), execute, complete, data};
  return napi_ok;
}

napi_status napi_queue_async_work(napi_env env, napi_async_work work) {
  ++work->loop->in_pool;
  Pool::Get().Add([env, work] {
    work->execute(env, work->data);
    work->loop->Post([env, work] {
      --work->loop->in_pool;
      work->complete(env, napi_ok, work->data);
    });
  });
  return napi_ok;
}

napi_status napi_delete_async_work(napi_env, napi_async_work work) {
  delete work;
  return napi_ok;
}

// Named as pointers, so they have to be there; nothing here makes an error for JavaScript.
napi_status napi_create_error(napi_env, napi_value, napi_value, napi_value*) { std::abort(); }
napi_status napi_create_type_error(napi_env, napi_value, napi_value, napi_value*) { std::abort(); }
napi_status napi_create_range_error(napi_env, napi_value, napi_value, napi_value*) { std::abort(); }

}  // extern "C"
