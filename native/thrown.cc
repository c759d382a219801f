#include "thrown.h"

#include <tensorflow/c/tf_status.h>

#include <exception>
#include <string>

namespace tf_session {

Error ThrownByTensorFlow(const char* what, const char* advice) {
  std::string text = std::string("TensorFlow ended the ") + what + " by an exception";
  // What another C++ runtime threw has no text here.
  try {
    throw;
  } catch (const std::exception& exception) {
    text += std::string(" (") + exception.what() + ")";
  } catch (...) {  // NOLINT(bugprone-empty-catch)
  }
  return {TF_INTERNAL, text + ". " + advice};
}

}  // namespace tf_session
