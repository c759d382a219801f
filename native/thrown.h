// What TensorFlow throws out of a call. It is not written for exceptions: locks in frames that are gone stay
// held, pointers into them stay. What the call worked on is never touched again, nor freed.
#pragma once

#include "error.h"

namespace tf_session {

// To be called where something was caught. `what` ended, `advice` says what to do.
Error ThrownByTensorFlow(const char* what, const char* advice);

// A call that works on `owned`, which is given up where TensorFlow throws. Throws Error.
template <typename Owned, typename Call>
auto GivingUpWhereThrown(Owned* owned, const char* what, const Call& call) {
  try {
    return call();
  } catch (...) {
    (void)owned->release();
    throw ThrownByTensorFlow(what, "The graph holds what TensorFlow does not expect: it is damaged.");
  }
}

}  // namespace tf_session
