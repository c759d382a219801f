#include "run_gate.h"

#include <algorithm>
#include <cstdlib>

namespace tf_session {
namespace {

// libuv reads UV_THREADPOOL_SIZE once, at its first work: 4 unless set, at most 1024. Two threads are left to
// files and DNS.
int DefaultLimit() {
  constexpr int kLibuvDefault = 4;
  constexpr int kLibuvMost = 1024;
  const char* text = std::getenv("UV_THREADPOOL_SIZE");
  const int threads = text == nullptr ? kLibuvDefault : std::clamp(std::atoi(text), 1, kLibuvMost);
  return std::max(1, threads - 2);
}

}  // namespace

RunGate& RunGate::Get() {
  static auto* gate = new RunGate();  // never destroyed: libuv's threads may outlive static destructors
  return *gate;
}

RunGate::RunGate() : limit_(DefaultLimit()) {}

bool RunGate::EnterOrWait(Environment* environment) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (inside_ < limit_) {
    ++inside_;
    waiting_.erase(environment);
    return true;
  }
  waiting_.insert(environment);
  return false;
}

void RunGate::StopWaiting(Environment* environment) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_.erase(environment);
}

bool RunGate::HasPlace() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return inside_ < limit_;
}

bool RunGate::MayStay(Environment* environment) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return inside_ <= limit_ && waiting_.size() == waiting_.count(environment);
}

void RunGate::Leave() {
  const std::lock_guard<std::mutex> lock(mutex_);
  --inside_;
  WakeAll();
}

int RunGate::SetLimit(int limit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  limit_ = limit > 0 ? limit : DefaultLimit();
  WakeAll();
  return limit_;
}

void RunGate::WakeAll() {
  if (inside_ >= limit_) return;
  for (Environment* environment : waiting_) environment->Wake();
}

}  // namespace tf_session
