// The only include of protozero. In a build without NDEBUG its assertions would end the process over what a
// damaged file says (a field number of 0); what it throws, and our own walks, tell all that has to be told.
#pragma once

#define protozero_assert(condition) static_cast<void>(0)  // NOLINT(readability-identifier-naming)

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
