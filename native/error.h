// An error as data: what a worker thread can hold and carry to the JS thread, where it becomes a
// TensorFlowError.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace tf_session {

class Error : public std::exception {
 public:
  // One of TensorFlow's status codes.
  Error(int tf_code, std::string message) : tf_code_(tf_code), message_(std::move(message)) {}
  // One of the codes of this library, by name (lib/errors.ts).
  Error(const char* own_code, std::string message) : own_code_(own_code), message_(std::move(message)) {}

  [[nodiscard]] int tf_code() const { return tf_code_; }
  // nullptr where the code is TensorFlow's.
  [[nodiscard]] const char* own_code() const { return own_code_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  int tf_code_ = 0;
  const char* own_code_ = nullptr;
  std::string message_;
};

inline constexpr const char* kLibraryNotFound = "LIBRARY_NOT_FOUND";
inline constexpr const char* kLibraryTooOld = "LIBRARY_TOO_OLD";

}  // namespace tf_session
