#include "termination_watch.h"

#include <chrono>
#include <thread>

#include "env_data.h"

namespace tf_session {

TerminationWatch& TerminationWatch::Get() {
  static auto* watch = new TerminationWatch();  // never destroyed: its thread never ends
  return *watch;
}

TerminationWatch::TerminationWatch() {
  std::thread([this] { Watch(); }).detach();
}

void TerminationWatch::Add(EnvData* env) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (busy_.insert(env).second && busy_.size() == 1) changed_.notify_one();
}

void TerminationWatch::Remove(EnvData* env) {
  const std::lock_guard<std::mutex> lock(mutex_);
  busy_.erase(env);
}

void TerminationWatch::Watch() {
  constexpr std::chrono::milliseconds kInterval(100);
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !busy_.empty(); });
    changed_.wait_for(lock, kInterval);
    for (EnvData* env : busy_) env->Wake();
  }
}

}  // namespace tf_session
