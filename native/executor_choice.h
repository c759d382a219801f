// Where the ops of a call run: in TensorFlow's pool of threads, or in the thread that calls. Found out by
// measuring: a small graph is several times faster without the changes of threads, one with branches may be
// faster with them.
//
// The pool, then a trial of both in turn whose medians decide; then again, ever more seldom, since inputs and
// the machine's load change. Any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace tf_session {

enum class Executor : uint8_t { kAuto, kPool, kCaller };

class ExecutorChoice {
 public:
  using Duration = std::chrono::steady_clock::duration;

  struct Turn {
    Executor where;    // kPool or kCaller
    bool is_on_trial;  // then how long it takes is to be reported
  };
  // Where the next run is to go.
  Turn Next();
  // How long a run took that went there. Runs that failed are not reported.
  void Report(Executor where, Duration duration);

 private:
  // The first runs of a graph are unlike the later ones: it is optimized then.
  static constexpr int kWarmUp = 4;
  static constexpr int kTries = 8;                   // of each, in a trial
  static constexpr int kLongestTrial = 16 * kTries;  // some of them may fail
  static constexpr int kFirstRest = 256;
  static constexpr int kLongestRest = 1 << 16;

  struct Sample {
    std::array<Duration, kTries> durations{};
    int begun = 0;
    int ended = 0;
  };
  void StartTrial();
  void EndTrial();
  static Duration Median(Sample* sample);

  std::mutex mutex_;
  Executor best_ = Executor::kPool;
  bool on_trial_ = false;
  int left_ = 0;        // runs until the trial is given up
  int rest_ = kWarmUp;  // runs until the next trial
  int next_rest_ = kFirstRest;
  Sample pool_;
  Sample caller_;
};

}  // namespace tf_session
