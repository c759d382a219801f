#include "turns.h"

#include <algorithm>

namespace tf_session {

int Share::MayBegin() const {
  if (is_elsewhere) return 0;
  return limit == 0 ? waiting() : std::clamp(limit - at_work_, 0, waiting());
}

void Turns::Seat(Share* share) {
  const int may_begin = share->MayBegin();
  ready_ += may_begin - share->counted_;
  share->counted_ = may_begin;
  std::list<Share*>* place = &ring_;
  if (may_begin == 0) place = share->waiting_.empty() ? &share->own_ : &resting_;
  if (place == share->place_) return;
  place->splice(place->end(), *share->place_, share->self_);
  share->place_ = place;
}

void Turns::Add(Waiter* task, Share* share) {
  if (share == nullptr) share = &none_;
  task->share_ = share;
  task->at_ = share->waiting_.insert(share->waiting_.end(), task);
  task->is_waiting_ = true;
  Seat(share);
}

Waiter* Turns::Take() {
  if (ring_.empty()) return nullptr;
  Share* const share = ring_.front();
  ring_.splice(ring_.end(), ring_, share->self_);
  return TakeOf(share);
}

Waiter* Turns::TakeOf(Share* share) {
  if (share->waiting_.empty() || !share->MayTake(1)) return nullptr;
  Waiter* const task = share->waiting_.front();
  share->waiting_.pop_front();
  task->is_waiting_ = false;
  ++share->at_work_;
  Seat(share);
  return task;
}

void Turns::Ended(Share* share) {
  --share->at_work_;
  Seat(share);
}

bool Turns::Withdraw(Waiter* task) {
  if (!task->is_waiting_) return false;
  task->is_waiting_ = false;
  task->share_->waiting_.erase(task->at_);
  Seat(task->share_);
  return true;
}

int Turns::TurnsOf(const Share& share, int count) const {
  int turns = 0;
  for (int round = 1, left = std::min(count, ready_); left > 0; ++round) {
    for (const Share* each : ring_) {
      if (each->counted_ < round) continue;
      if (each == &share) ++turns;
      if (--left == 0) break;
    }
  }
  return turns;
}

std::vector<Waiter*> Turns::Waiting(const Share* share) const {
  if (share != nullptr) return {share->waiting_.begin(), share->waiting_.end()};
  std::vector<Waiter*> tasks;
  for (const std::list<Share*>* list : {&ring_, &resting_}) {
    for (const Share* each : *list) {
      tasks.insert(tasks.end(), each->waiting_.begin(), each->waiting_.end());
    }
  }
  return tasks;
}

}  // namespace tf_session
