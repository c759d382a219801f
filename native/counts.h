// How many native objects are alive in the process, so that a test can see each kind go back to zero.
#pragma once

#include <atomic>

namespace tf_session {

struct LiveCounts {
  std::atomic<int> graphs{0};
  std::atomic<int> sessions{0};
  std::atomic<int> calls{0};
  std::atomic<int> tensors{0};
  std::atomic<int> memories{0};
  std::atomic<int> runs{0};
};

inline LiveCounts live;

// A member of this type counts its owner as long as it lives; moving hands the count on.
class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(&count) { ++*count_; }
  Counted(Counted&& other) noexcept : count_(other.count_) { other.count_ = nullptr; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&&) = delete;
  ~Counted() {
    if (count_ != nullptr) --*count_;
  }

 private:
  std::atomic<int>* count_;
};

}  // namespace tf_session
