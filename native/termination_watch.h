// Ends what a terminated worker runs.
//
// worker.terminate() and the process's exit stop a worker's JavaScript at once, but Node then waits for
// whatever libuv still does for it before it calls a cleanup hook: for ever, where a graph never ends.
// Meanwhile it turns the worker's event loop, so a call into it is the one way to notice. One thread for the
// process, asleep while no worker works.
#pragma once

#include <condition_variable>
#include <mutex>
#include <unordered_set>

namespace tf_session {

class WorkLine;

class TerminationWatch {
 public:
  // The process's watch.
  static TerminationWatch& Get();

  // Wakes this environment ten times a second, until it is removed.
  void Add(WorkLine* line);
  void Remove(WorkLine* line);

 private:
  TerminationWatch();
  [[noreturn]] void Watch();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<WorkLine*> busy_;
};

}  // namespace tf_session
