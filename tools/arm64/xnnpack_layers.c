// Runs the convolutions of a network in 8 bits by XNNPACK, N times: what count_xnnpack.sh counts.
//
//     xnnpack_layers mobilenet|resnet20 N
//
// mobilenet is MobileNetV1-0.5 on 160 x 160 pixels. Prints the MACs of a run. Weights and pixels
// are drawn at random, since instructions do not depend on them.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

struct Layer {
  int side;  // of the square input
  int in;    // channels
  int out;
  int kernel;
  int stride;
  bool depthwise;
};

static int TargetSide(const struct Layer* layer) {
  return (layer->side + layer->stride - 1) / layer->stride;
}

static void Check(enum xnn_status status, const char* what) {
  if (status == xnn_status_success) return;
  fprintf(stderr, "xnnpack_layers: %s: XNNPACK says %d\n", what, (int)status);
  exit(1);
}

// XNNPACK may read a little beyond what it is given.
static int8_t* RandomBytes(size_t count) {
  int8_t* bytes = malloc(count + XNN_EXTRA_BYTES);
  if (bytes == NULL) exit(1);
  for (size_t i = 0; i < count; ++i) bytes[i] = (int8_t)(rand() % 255 - 127);
  return bytes;
}

// Runs the layer `runs` times. Returns the MACs of a run.
static uint64_t Run(struct Layer layer, int runs) {
  const int target = TargetSide(&layer);
  const int groups = layer.depthwise ? layer.in : 1;
  const size_t of_target = (size_t)layer.kernel * layer.kernel * layer.in / groups;
  const int padding = (target - 1) * layer.stride + layer.kernel - layer.side;
  const int before = padding / 2;
  int8_t* weights = RandomBytes(layer.out * of_target);
  int8_t* input = RandomBytes((size_t)layer.side * layer.side * layer.in);
  int8_t* output = RandomBytes((size_t)target * target * layer.out);
  int32_t* bias = calloc(layer.out, sizeof(int32_t));
  if (bias == NULL) exit(1);
  xnn_operator_t convolution = NULL;
  Check(xnn_create_convolution2d_nhwc_qs8(before, padding - before, padding - before, before,
                                          layer.kernel, layer.kernel, layer.stride, layer.stride, 1,
                                          1, groups, layer.in / groups, layer.out / groups,
                                          layer.in, layer.out, 0, 0.5F, 0.01F, weights, bias, 0,
                                          0.7F, INT8_MIN, INT8_MAX, 0, &convolution),
        "creating a convolution");
  Check(
      xnn_setup_convolution2d_nhwc_qs8(convolution, 1, layer.side, layer.side, input, output, NULL),
      "setting it up");
  for (int i = 0; i < runs; ++i) Check(xnn_run_operator(convolution, NULL), "running it");
  xnn_delete_operator(convolution);
  free(weights);
  free(input);
  free(output);
  free(bias);
  return (uint64_t)target * target * layer.out * of_target;
}

static uint64_t MobileNet(int runs) {
  static const int kPointwise[] = {32, 64, 64, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512};
  static const int kStrides[] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
  struct Layer layer = {160, 3, 16, 3, 2, false};
  uint64_t macs = Run(layer, runs);
  for (size_t i = 0; i < sizeof(kStrides) / sizeof(*kStrides); ++i) {
    layer = (struct Layer){TargetSide(&layer), layer.out, layer.out, 3, kStrides[i], true};
    macs += Run(layer, runs);
    layer = (struct Layer){TargetSide(&layer), layer.out, kPointwise[i], 1, 1, false};
    macs += Run(layer, runs);
  }
  return macs + Run((struct Layer){1, 512, 1001, 1, 1, false}, runs);
}

static uint64_t ResNet20(int runs) {
  struct Layer layer = {32, 3, 16, 3, 1, false};
  uint64_t macs = Run(layer, runs);
  for (int block = 0; block < 9; ++block) {
    const int channels = 16 << (block / 3);
    const int stride = block % 3 == 0 && block > 0 ? 2 : 1;
    layer = (struct Layer){TargetSide(&layer), layer.out, channels, 3, stride, false};
    macs += Run(layer, runs);
    layer = (struct Layer){TargetSide(&layer), channels, channels, 3, 1, false};
    macs += Run(layer, runs);
  }
  return macs + Run((struct Layer){1, 64, 10, 1, 1, false}, runs);
}

int main(int argc, char** argv) {
  const bool mobilenet = argc == 3 && strcmp(argv[1], "mobilenet") == 0;
  if (!mobilenet && (argc != 3 || strcmp(argv[1], "resnet20") != 0)) {
    fprintf(stderr, "usage: xnnpack_layers mobilenet|resnet20 N\n");
    return 2;
  }
  Check(xnn_initialize(NULL), "starting");
  const int runs = atoi(argv[2]);
  printf("%llu\n", (unsigned long long)(mobilenet ? MobileNet(runs) : ResNet20(runs)));
  return 0;
}
