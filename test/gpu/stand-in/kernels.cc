// The plug-in of test/native/plugin once more, as a device of the type GPU, with the float kernels that small dense networks
// need. It computes on the host: what belongs to NVIDIA's GPUs, memory and gpuOptions, it has not.
#include <algorithm>
#include <cmath>
#include <vector>

// A copy, in which the type is GPU.
#define TF_InitKernel TF_InitHostKernel
#include "host_device.cc"
#undef TF_InitKernel

namespace {

/** A matrix of floats: all dimensions but the last are its rows. */
struct Matrix {
  TF_Tensor* tensor = nullptr;
  std::vector<int64_t> dims;
  float* data = nullptr;
  int64_t columns = 1;
  int64_t rows = 1;

  explicit Matrix(TF_Tensor* given) : tensor(given) {
    if (tensor == nullptr) return;
    for (int i = 0; i < TF_NumDims(tensor); ++i) dims.push_back(TF_Dim(tensor, i));
    data = static_cast<float*>(TF_TensorData(tensor));
    if (!dims.empty()) columns = dims.back();
    for (size_t i = 0; i + 1 < dims.size(); ++i) rows *= dims[i];
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() {
    if (tensor != nullptr) TF_DeleteTensor(tensor);
  }
};

TF_Tensor* Input(TF_OpKernelContext* context, int i, TF_Status* status) {
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context, i, &tensor, status);
  return tensor;
}

TF_Tensor* Output(TF_OpKernelContext* context, const std::vector<int64_t>& dims, TF_Status* status) {
  size_t bytes = sizeof(float);
  for (const int64_t size : dims) bytes *= static_cast<size_t>(size);
  return TF_AllocateOutput(context, 0, TF_FLOAT, dims.data(), static_cast<int>(dims.size()), bytes, status);
}

void MatMul(void*, TF_OpKernelContext* context) {
  TF_Status* status = TF_NewStatus();
  {
    const Matrix a(Input(context, 0, status));
    const Matrix b(Input(context, 1, status));
    const Matrix product(Output(context, {a.rows, b.columns}, status));
    for (int64_t i = 0; i < a.rows; ++i) {
      float* row = product.data + i * b.columns;
      std::fill_n(row, b.columns, 0.0F);
      for (int64_t k = 0; k < a.columns; ++k) {
        for (int64_t j = 0; j < b.columns; ++j) row[j] += a.data[i * a.columns + k] * b.data[k * b.columns + j];
      }
    }
  }
  TF_DeleteStatus(status);
}

/** Row by row: from, to, the second input, how many. */
using RowFunction = void (*)(const float*, float*, const float*, int64_t);

template <RowFunction function, int inputs>
void ByRow(void*, TF_OpKernelContext* context) {
  TF_Status* status = TF_NewStatus();
  {
    const Matrix x(Input(context, 0, status));
    const Matrix second(inputs > 1 ? Input(context, 1, status) : nullptr);
    const Matrix y(Output(context, x.dims, status));
    for (int64_t i = 0; i < x.rows; ++i) {
      function(x.data + i * x.columns, y.data + i * x.columns, second.data, x.columns);
    }
  }
  TF_DeleteStatus(status);
}

void AddBias(const float* x, float* y, const float* bias, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] + bias[i];
}

void Rectify(const float* x, float* y, const float*, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = std::max(x[i], 0.0F);
}

void Share(const float* x, float* y, const float*, int64_t count) {
  const float largest = *std::max_element(x, x + count);
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += y[i] = std::exp(x[i] - largest);
  for (int64_t i = 0; i < count; ++i) y[i] /= sum;
}

void Register(const char* op, void (*compute)(void*, TF_OpKernelContext*)) {
  TF_KernelBuilder* builder = TF_NewKernelBuilder(op, kType, nullptr, compute, nullptr);
  TF_Status* status = TF_NewStatus();
  TF_KernelBuilder_TypeConstraint(builder, "T", TF_FLOAT, status);
  TF_RegisterKernelBuilder(op, builder, status);
  TF_DeleteStatus(status);
}

}  // namespace

extern "C" void TF_InitKernel() {
  TF_InitHostKernel();
  Register("MatMul", MatMul);
  Register("BiasAdd", ByRow<AddBias, 2>);
  Register("Relu", ByRow<Rectify, 1>);
  Register("Softmax", ByRow<Share, 1>);
}
