// Whose turn it is among the sessions of one environment: each in turn gives its next task, so that a session
// with a thousand tasks waiting holds up another one's single task by one of them, not by all. Within a
// session the order of the calls holds.
//
// Knows nothing of Node-API. Guarded by the mutex of its line, shares included.
#pragma once

#include <cstddef>
#include <list>
#include <vector>

namespace tf_session {

class Share;
class Turns;

// Something to do, by somebody's turn.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

 protected:
  ~Waiter() = default;
  [[nodiscard]] Share* share() const { return share_; }

 private:
  friend class Turns;
  Share* share_ = nullptr;
  bool is_waiting_ = false;
  std::list<Waiter*>::iterator at_;
};

// The tasks of one session. Alive as long as any task of it.
class Share {
 public:
  Share() : place_(&own_), self_(own_.begin()) {}
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  ~Share() = default;

  // How many may be at work at once; 0: no limit but the gate's. Before its first task.
  int limit = 0;
  // Its tasks are worked on by threads of their own: no lane takes them. Before its first task.
  bool is_elsewhere = false;

  [[nodiscard]] int at_work() const { return at_work_; }
  [[nodiscard]] int waiting() const { return static_cast<int>(waiting_.size()); }
  // Whether so many more may be at work.
  [[nodiscard]] bool MayTake(int count) const { return limit == 0 || at_work_ + count <= limit; }

 private:
  friend class Turns;
  [[nodiscard]] int MayBegin() const;

  std::list<Waiter*> waiting_;
  int at_work_ = 0;
  int counted_ = 0;  // what MayBegin() was when it was last looked at
  // Its seat is in one list at a time, and moves without being allocated anew.
  std::list<Share*> own_{this};
  std::list<Share*>* place_;
  std::list<Share*>::iterator self_;
};

class Turns {
 public:
  Turns() = default;
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;
  ~Turns() = default;

  // At the end of its session's tasks. Those of no session (`share` is null) have turns together, as one has.
  void Add(Waiter* task, Share* share);
  // Who is next, at work from now on; null where none may begin.
  Waiter* Take();
  // The same of one share.
  Waiter* TakeOf(Share* share);
  // One that was taken has ended.
  void Ended(Share* share);
  // False where it does not wait.
  bool Withdraw(Waiter* task);

  // How many Take() would give.
  [[nodiscard]] int ready() const { return ready_; }
  // How many of the next `count` that Take() gives are of this share.
  [[nodiscard]] int TurnsOf(const Share& share, int count) const;
  // Those that wait, of this share or (null) of all.
  [[nodiscard]] std::vector<Waiter*> Waiting(const Share* share) const;

 private:
  void Seat(Share* share);  // where it belongs after a change

  Share none_;                 // of tasks of no session
  std::list<Share*> ring_;     // some of its tasks may begin; the first has the next turn
  std::list<Share*> resting_;  // as many are at work as may be, or others take them
  int ready_ = 0;
};

}  // namespace tf_session
