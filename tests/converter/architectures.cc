#include "tests/converter/architectures.h"

#include <utility>

namespace cssrun::converter::testing {
namespace {

ValueId Leaky(GraphBuilder& b, ValueId x, float slope) {
  return b.Op("LeakyRelu", {x}, {FloatAttribute("alpha", slope)});
}

// Slopes from -1 to 1, or all positive.
ValueId PRelu(GraphBuilder& b, ValueId x, int64_t channels) {
  return b.Op("PRelu", {x, b.Weights({channels, 1, 1})});
}
ValueId RisingPRelu(GraphBuilder& b, ValueId x, int64_t channels) {
  return b.Op("PRelu", {x, b.Positive({channels, 1, 1})});
}

ValueId Resize(GraphBuilder& b, ValueId x, std::vector<float> scales) {
  return b.Op("Resize", {x, kNoValue, b.Floats({4}, std::move(scales))},
              {TextAttribute("coordinate_transformation_mode", "asymmetric"),
               TextAttribute("nearest_mode", "floor")});
}

}  // namespace

const std::vector<Architecture>& RewrittenArchitectures() {
  static const std::vector<Architecture> architectures = {
      {"LeakyRelu", 4, 2,
       [](GraphBuilder& b) {
         // Each is two rectified halves; the next convolution takes in the slope.
         const ValueId x = Leaky(b, b.Conv(b.Image(3, 7, 8), 3, 4, 3, {kPadOne}), 0.1F);
         return Classifier(b, Leaky(b, b.Conv(x, 4, 5, 3, {kPadOne}), -0.5F), 5);
       }},
      {"LeakyReluAsArithmetic", 4, 2,
       [](GraphBuilder& b) {
         // max(x, a x), and min(x, a x) with a slope for each channel.
         const ValueId x = b.Conv(b.Image(3, 7, 8), 3, 4, 3, {kPadOne});
         const ValueId y = b.Op("Max", {b.Op("Mul", {b.Floats({}, {0.2F}), x}), x});
         const ValueId z = b.Conv(y, 4, 3, 3);
         const ValueId slopes = b.Floats({3, 1, 1}, {1.5F, 1.0F, 2.0F});
         return Classifier(b, b.Op("Min", {z, b.Op("Mul", {z, slopes})}), 3);
       }},
      {"LeakyReluThatIsRelu", 1, 1,
       [](GraphBuilder& b) {
         return Classifier(b, Leaky(b, b.Conv(b.Image(3, 7, 8), 3, 4, 3, {kPadOne}), 0), 4);
       }},
      {"PReluPerChannel", 4, 2,
       [](GraphBuilder& b) {
         const ValueId x = PRelu(b, b.Conv(b.Image(3, 7, 8), 3, 4, 3, {kPadOne}), 4);
         return Classifier(b, PRelu(b, b.Conv(x, 4, 6, 3, {kPadOne}, 2), 6), 6);
       }},
      {"PReluBeforeEverythingElse", 10, 5,
       [](GraphBuilder& b) {
         // Slices and sums keep the slopes of their channels.
         const ValueId x = PRelu(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}), 6);
         const ValueId part = b.Op("Slice", {x, b.Ints({2}), b.Ints({6}), b.Ints({1})});
         const ValueId y = PRelu(b, b.Op("Add", {b.Conv(x, 6, 4, 1), part}), 4);
         const ValueId joined = b.Op("Concat", {x, y}, {IntAttribute("axis", 1)});
         const ValueId mean = b.Op("AveragePool", {joined}, {kKernelTwo, kStrideTwo});
         const ValueId z = Leaky(b, b.Conv(mean, 10, 4, 3, {kPadOne}), 0.2F);
         const ValueId w = b.Op("Concat", {z, mean}, {IntAttribute("axis", 1)});
         const ValueId pad = b.Op("Pad", {w, b.Ints({0, 1, 1, 0, 0, 0, 0, 1})});
         return Classifier(b, PRelu(b, PRelu(b, pad, 15), 15), 15);
       }},
      {"LeakyReluThenMaxPool", 3, 2,
       [](GraphBuilder& b) {
         // The pool goes first: the convolution has one layer of pooled neurons.
         const ValueId x = Leaky(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}), 0.25F);
         return Classifier(b, MaxPool(b, x), 6);
       }},
      {"PReluThenTwoMaxPools", 4, 3,
       [](GraphBuilder& b) {
         const ValueId x = RisingPRelu(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}), 6);
         return Classifier(b, MaxPool(b, MaxPool(b, x)), 6);
       }},
      {"FallingLeakyReluThenMaxPool", 3, 2,
       [](GraphBuilder& b) {
         const ValueId x = PRelu(b, b.Conv(b.Image(3, 8, 8), 3, 6, 3, {kPadOne}), 6);
         return Classifier(b, MaxPool(b, x), 6);
       }},
      {"LeakyReluOfVectors", 4, 2,
       [](GraphBuilder& b) {
         const ValueId x = Leaky(b, b.Conv(b.Image(2, 5, 6), 2, 3, 3, {kPadOne}), 0.3F);
         const ValueId hidden =
             b.Op("Gemm", {b.Op("Flatten", {x}), b.Weights({7, 90}), b.Weights({7})},
                  {IntAttribute("transB", 1)});
         const ValueId y = b.Op("PRelu", {hidden, b.Weights({7})});
         return b.Finish(
             b.Op("Gemm", {y, b.Weights({4, 7}), b.Weights({4})}, {IntAttribute("transB", 1)}));
       }},
      {"EndsWithPRelu", 2, 1,
       [](GraphBuilder& b) {
         const ValueId hidden =
             b.Op("Gemm", {b.Op("Flatten", {b.Image(2, 5, 6)}), b.Weights({7, 60})},
                  {IntAttribute("transB", 1)});
         return b.Finish(b.Op("PRelu", {hidden, b.Weights({7})}));
       }},
      {"ConvTransposeOfNeurons", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 5, 6), 3, 4, 3, {kPadOne}));
         const ValueId y = b.Op("ConvTranspose", {x, b.Weights({4, 5, 3, 4}), b.Weights({5})},
                                {kStrideTwo, IntsAttribute("pads", {1, 0, 1, 2}),
                                 IntsAttribute("output_padding", {1, 0})});
         return Classifier(b, Relu(b, b.BatchNorm(y, 5)), 5);
       }},
      {"ConvTransposesInGroups", 3, 3,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 5, 6), 3, 4, 3, {kPadOne}));
         const ValueId y =
             Relu(b, b.Op("ConvTranspose", {x, b.Weights({4, 3, 2, 2})},
                          {kStrideTwo, IntAttribute("group", 2), IntsAttribute("dilations", {2, 1}),
                           IntsAttribute("output_padding", {1, 1})}));
         const ValueId z = b.Op("ConvTranspose", {y, b.Weights({6, 1, 2, 3})},
                                {IntsAttribute("strides", {1, 3}), IntAttribute("group", 6)});
         return Classifier(b, Relu(b, z), 6);
       }},
      {"ConvTransposeOfTheImage", 1, 1,
       [](GraphBuilder& b) {
         const ValueId y = b.Op("ConvTranspose", {b.Image(3, 4, 5), b.Weights({3, 5, 3, 3})},
                                {kStrideTwo, kPadOne});
         return Classifier(b, Relu(b, y), 5);
       }},
      {"ResizeThenConv", 2, 2,
       [](GraphBuilder& b) {
         // The repeated positions are taken into the convolution's weights, borders and all.
         const ValueId x = Relu(b, b.Conv(b.Image(3, 5, 6), 3, 4, 3, {kPadOne}));
         const ValueId y = b.Conv(Resize(b, x, {1, 1, 2, 3}), 4, 5, 3,
                                  {IntsAttribute("pads", {1, 2, 0, 1}), kStrideTwo});
         return Classifier(b, Relu(b, y), 5);
       }},
      {"ResizeTwiceThenDilatedDepthwise", 2, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 4, 5), 3, 4, 3, {kPadOne}));
         const ValueId y = Resize(b, Resize(b, x, {1, 1, 2, 1}), {1, 1, 1, 2});
         return Classifier(b, Relu(b, b.Conv(y, 4, 4, 3, {IntsAttribute("dilations", {2, 1})}, 4)),
                           4);
       }},
      {"DilatedMaxPool", 7, 4,
       [](GraphBuilder& b) {
         // A pool of neurons for each of the four phases, and neurons that put them together.
         const ValueId x = b.Conv(b.Image(3, 7, 8), 3, 4, 3, {kPadOne});
         const ValueId y = b.Op("MaxPool", {x}, {kKernelTwo, IntsAttribute("dilations", {2, 2})});
         return Classifier(b, Relu(b, b.Conv(y, 4, 5, 1)), 5);
       }},
      {"MapOfConstants", 3, 2,
       [](GraphBuilder& b) {
         // One of the layers is the neuron that stands for 1.
         const ValueId x = Relu(b, b.Conv(b.Image(3, 5, 6), 3, 4, 3, {kPadOne}));
         const ValueId y = b.Op("Add", {x, b.Weights({1, 4, 5, 6})});
         return Classifier(b, Relu(b, b.Conv(y, 4, 5, 3, {kPadOne})), 5);
       }},
      {"MapOfConstantsBeforeTheEnd", 3, 2,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 5, 6), 3, 4, 3, {kPadOne}));
         return Classifier(b, b.Op("Sub", {b.Weights({4, 5, 6}), x}), 4);
       }},
      {"UNet", 4, 4,
       [](GraphBuilder& b) {
         const ValueId x = Leaky(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}), 0);
         const ValueId low = Relu(b, b.Conv(MaxPool(b, x), 4, 6, 3, {kPadOne}));
         const ValueId up = Resize(b, low, {1, 1, 2, 2});
         const ValueId joined = b.Op("Concat", {up, x}, {IntAttribute("axis", 1)});
         return Classifier(b, Relu(b, b.Conv(joined, 10, 5, 3, {kPadOne})), 5);
       }},
      {"ResizeOfPReluThenAddAndConcat", 4, 2,
       [](GraphBuilder& b) {
         const ValueId image = b.Image(3, 4, 4);
         const ValueId x = PRelu(b, b.Conv(image, 3, 4, 3, {kPadOne}), 4);
         const ValueId up = Resize(b, x, {1, 1, 2, 2});
         const ValueId joined =
             b.Op("Concat", {up, Resize(b, image, {1, 1, 2, 2})}, {IntAttribute("axis", 1)});
         return Classifier(b, PRelu(b, joined, 7), 7);
       }},
      {"ResizeOfAMeanThenConv", 3, 3,
       [](GraphBuilder& b) {
         // Of a mean that comes 16 times, weights would be 16 times as many: neurons repeat it.
         const ValueId x = Relu(b, b.Conv(b.Image(3, 4, 4), 3, 4, 3, {kPadOne}));
         const ValueId mean = Resize(b, b.Op("GlobalAveragePool", {x}), {1, 1, 4, 4});
         return Classifier(
             b, Relu(b, b.Conv(b.Op("Concat", {x, mean}, {IntAttribute("axis", 1)}), 8, 5, 1)), 5);
       }},
      {"ResizeOfAMeanToAMapThenConcat", 3, 3,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 6, 6), 3, 4, 3, {kPadOne}));
         const ValueId mean = Resize(b, b.Op("GlobalAveragePool", {x}), {1, 1, 6, 6});
         const ValueId joined = b.Op("Concat", {x, mean}, {IntAttribute("axis", 1)});
         return Classifier(b, Relu(b, b.Conv(joined, 8, 5, 3, {kPadOne})), 5);
       }},
      {"ResizeThenPoolAndSlice", 3, 3,
       [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 4, 5), 3, 4, 3, {kPadOne}));
         const ValueId up = Resize(b, x, {1, 1, 3, 2});
         const ValueId mean = b.Op("AveragePool", {up}, {IntsAttribute("kernel_shape", {2, 2})});
         const ValueId part = b.Op("Slice", {mean, b.Ints({1}), b.Ints({9}), b.Ints({2})});
         return Classifier(b, Relu(b, part), 4);
       }},
      {"ResizeToFewerPositions", 2, 2, [](GraphBuilder& b) {
         const ValueId x = Relu(b, b.Conv(b.Image(3, 8, 8), 3, 4, 3, {kPadOne}));
         return Classifier(b, Resize(b, x, {1, 1, 0.5F, 0.25F}), 4);
       }}};
  return architectures;
}

}  // namespace cssrun::converter::testing
