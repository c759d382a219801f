// How many runs and loads may hold a libuv thread at once, over all JS environments of the process. libuv's
// few threads also serve files and DNS: 16 runs of 50 ms made an fs.stat wait 0.7 s. What does not get in
// waits with its environment, in order. Knows nothing of Node-API.
//
// A place is taken by the environment itself, on its own thread, never given: one whose thread is blocked
// would sit on it while others wait.
#pragma once

#include <mutex>
#include <unordered_set>

namespace tf_session {

class RunGate {
 public:
  class Environment {
   public:
    // There may be a place: try again. Called on whichever thread left; must only pass the word on.
    virtual void Wake() = 0;
    virtual ~Environment() = default;
  };

  // The process's gate.
  static RunGate& Get();

  // True: inside. False: the environment is woken at each chance, until it stops waiting.
  bool EnterOrWait(Environment* environment);
  void StopWaiting(Environment* environment);
  bool HasPlace();
  // False where whoever is inside should leave: others wait, or the limit was lowered. Any thread.
  bool MayStay(Environment* environment);
  // Ends one stay. Any thread.
  void Leave();
  // 0 restores the default. Returns the limit in force.
  int SetLimit(int limit);

 private:
  RunGate();
  void WakeAll();  // with mutex_ held

  std::mutex mutex_;
  int limit_;
  int inside_ = 0;
  std::unordered_set<Environment*> waiting_;
};

}  // namespace tf_session
