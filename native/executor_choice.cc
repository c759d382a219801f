#include "executor_choice.h"

#include <algorithm>

namespace tf_session {

ExecutorChoice::Turn ExecutorChoice::Next() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!on_trial_ && --rest_ < 0) StartTrial();
  if (on_trial_ && --left_ < 0) EndTrial();
  if (!on_trial_) return {best_, false};
  // In turn, the incumbent first. When all have begun, the incumbent until the last has ended.
  Sample& incumbent = best_ == Executor::kPool ? pool_ : caller_;
  Sample& other = best_ == Executor::kPool ? caller_ : pool_;
  if (other.begun >= incumbent.begun || other.begun == kTries) {
    if (incumbent.begun < kTries) ++incumbent.begun;
    return {best_, true};
  }
  ++other.begun;
  return {best_ == Executor::kPool ? Executor::kCaller : Executor::kPool, true};
}

void ExecutorChoice::Report(Executor where, Duration duration) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!on_trial_) return;
  Sample& sample = where == Executor::kPool ? pool_ : caller_;
  if (sample.ended < kTries) sample.durations[static_cast<size_t>(sample.ended++)] = duration;
  if (pool_.ended < kTries || caller_.ended < kTries) return;
  best_ = Median(&caller_) < Median(&pool_) ? Executor::kCaller : Executor::kPool;
  EndTrial();
}

void ExecutorChoice::StartTrial() {
  on_trial_ = true;
  left_ = kLongestTrial;
  pool_ = {};
  caller_ = {};
}

void ExecutorChoice::EndTrial() {
  on_trial_ = false;
  rest_ = next_rest_;
  next_rest_ = std::min(kLongestRest, 2 * next_rest_);
}

ExecutorChoice::Duration ExecutorChoice::Median(Sample* sample) {
  auto* middle = sample->durations.begin() + kTries / 2;
  std::nth_element(sample->durations.begin(), middle, sample->durations.end());
  return *middle;
}

}  // namespace tf_session
