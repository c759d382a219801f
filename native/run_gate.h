// How many runs and loads may hold a libuv thread at once, over all JS environments of the process. libuv's
// few threads also serve files and DNS: 16 runs of 50 ms made an fs.stat wait 0.7 s. The rest wait here, in
// order. Knows nothing of Node-API.
#pragma once

#include <deque>
#include <mutex>

namespace tf_session {

class RunGate {
 public:
  class Waiter {
   public:
    // The waiter's turn has come: it is inside now. Called on whichever thread left; must only pass the word
    // on.
    virtual void Granted() = 0;

   protected:
    ~Waiter() = default;
  };

  // The process's gate.
  static RunGate& Get();

  // True: inside at once. False: `waiter` waits, and Granted() will be called unless it is withdrawn.
  bool Enter(Waiter* waiter);
  // Ends one stay, and lets the next one in.
  void Leave();
  // True when it was still waiting, and now is not; its Granted() will never be called.
  bool Withdraw(Waiter* waiter);
  // 0 restores the default. Returns the limit in force.
  int SetLimit(int limit);

 private:
  RunGate();
  void LetIn();  // with mutex_ held

  std::mutex mutex_;
  int limit_;
  int inside_ = 0;
  std::deque<Waiter*> waiting_;
};

}  // namespace tf_session
