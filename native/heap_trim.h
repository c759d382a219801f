// Memory that was freed, given back to the system while a large step goes on.
//
// TensorFlow copies a graph many times over while it imports and optimizes it, and with the weights in it
// each copy is as large as the model. What it frees stays in the C library's heaps, one a thread and cut into
// pieces, so that the next copy finds no room there: a model of 100 MB came to 2.5 GB at its peak.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace tf_session {

// As long as it lives, once at the least. Any thread. Does nothing where the C library has no such call.
class HeapTrim {
 public:
  HeapTrim();
  HeapTrim(const HeapTrim&) = delete;
  HeapTrim& operator=(const HeapTrim&) = delete;
  ~HeapTrim();

 private:
  void Trim();

  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_ = false;
  std::thread thread_;
};

}  // namespace tf_session
