#include "heap_trim.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <chrono>

namespace tf_session {

#ifdef __GLIBC__

HeapTrim::HeapTrim() : thread_([this] { Trim(); }) {}

HeapTrim::~HeapTrim() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_ended_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void HeapTrim::Trim() {
  constexpr std::chrono::milliseconds kInterval(20);
  std::unique_lock<std::mutex> lock(mutex_);
  for (bool is_last = false; !is_last;) {
    is_last = ended_.wait_for(lock, kInterval, [this] { return is_ended_; });
    malloc_trim(0);
  }
}

#else

HeapTrim::HeapTrim() = default;
HeapTrim::~HeapTrim() = default;
void HeapTrim::Trim() {}

#endif

}  // namespace tf_session
