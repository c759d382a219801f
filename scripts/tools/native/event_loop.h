// What the work line uses of Node-API, on threads of the C++ library: so that ThreadSanitizer sees each hand-over, which
// in Node and libuv, built without it, it does not. One loop is one JS environment; Pool is libuv's.
#pragma once

#include <node_api.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace driver {

class EventLoop {
 public:
  // Runs what comes on the calling thread, until `done` and no work of this loop is in the pool.
  void Run(const std::function<bool()>& done);
  // Runs what comes until no work is in the pool: as Node does before an environment's cleanup hooks.
  void FinishWork();
  // Any thread.
  void Post(std::function<void()> job);

  napi_env env() { return reinterpret_cast<napi_env>(this); }
  static EventLoop* Of(napi_env env) { return reinterpret_cast<EventLoop*>(env); }

  int in_pool = 0;  // its own thread only
  // What keeps an event loop alive; its own thread only.
  int references = 0;

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> jobs_;
};

// The threads that run asynchronous work of all loops, in order. Never ended.
class Pool {
 public:
  static Pool& Get();
  void Start(int threads);
  void Add(std::function<void()> job);

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> jobs_;
};

}  // namespace driver
