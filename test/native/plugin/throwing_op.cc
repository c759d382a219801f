// An op library for the tests: Throwing, whose kernel throws, which no kernel of TensorFlow's own is meant to do.
#include <stdexcept>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace {

void Throw(void*, TF_OpKernelContext*) { throw std::runtime_error("thrown by the test"); }

struct Registration {
  Registration() {
    TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder("Throwing");
    TF_OpDefinitionBuilderAddInput(op, "x: float");
    TF_OpDefinitionBuilderAddOutput(op, "y: float");
    TF_OpDefinitionBuilderSetShapeInferenceFunction(op, [](TF_ShapeInferenceContext* context, TF_Status* status) {
      TF_ShapeInferenceContextSetUnknownShape(context, status);
    });
    TF_Status* status = TF_NewStatus();
    TF_RegisterOpDefinition(op, status);
    TF_RegisterKernelBuilder("Throwing", TF_NewKernelBuilder("Throwing", "CPU", nullptr, Throw, nullptr), status);
    TF_DeleteStatus(status);
  }
} registration;

}  // namespace
