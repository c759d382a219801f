#include "termination_watch.h"

#include <chrono>
#include <thread>

#include "work_line.h"

namespace tf_session {

TerminationWatch& TerminationWatch::Get() {
  static auto* watch = new TerminationWatch();  // never destroyed: its thread never ends
  return *watch;
}

TerminationWatch::TerminationWatch() {
  std::thread([this] { Watch(); }).detach();
}

void TerminationWatch::Add(WorkLine* line) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (busy_.insert(line).second && busy_.size() == 1) changed_.notify_one();
}

void TerminationWatch::Remove(WorkLine* line) {
  const std::lock_guard<std::mutex> lock(mutex_);
  busy_.erase(line);
}

void TerminationWatch::Watch() {
  constexpr std::chrono::milliseconds kInterval(100);
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !busy_.empty(); });
    changed_.wait_for(lock, kInterval);
    for (WorkLine* line : busy_) line->Wake();
  }
}

}  // namespace tf_session
