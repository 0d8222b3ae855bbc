// From floats to units: the scale of each target channel, and the parameters of neurons in units.
#ifndef CSSRUN_RUNTIME_INTEGER_QUANTIZE_H_
#define CSSRUN_RUNTIME_INTEGER_QUANTIZE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/integer/choose_kernel.h"
#include "runtime/integer/connection.h"
#include "runtime/integer/network.h"

namespace cssrun::internal {

// A membrane of event neurons holds at least so many amplitudes u.
constexpr int kHeadroom = 16;
// A membrane of settled neurons holds twice what a train can carry.
constexpr int kSettledHeadroom = 2;

// The code of a network, as quantization needs it.
struct CodeOf {
  explicit CodeOf(const format::Code& code);

  double beta = 2;
  double gain = 1;  // beta^L: how much a membrane grows in the silent period
  uint32_t timesteps = 0;
  bool settled = false;
  bool wide_sums = false;  // see SumsAreWide()
};

// Whether event neurons have enough units per amplitude with this code.
bool FitsSixteenBits(const CodeOf& code);

// Units per amplitude by target channel, or empty with the reason.
std::vector<double> ChooseScales(const CodeOf& code, const TargetLayer& target,
                                 std::span<const Connection> connections,
                                 std::span<const KernelChoice> choices, std::string& reason);

// The scales of a level kernel whose sums have 32 bits: as large as the weights allow, or if there
// is one, a scale at which the weights are whole numbers.
std::vector<double> ChooseLevelScales(const TargetLayer& target, const Connection& connection,
                                      const KernelChoice& choice);

// The scales of a first layer whose pixels are bytes: those at which the weights are whole numbers,
// if there are such scales (an 8-bit model with a zero point has whole weights up to 255),
// otherwise as large as 15 bits allow. `weights`: of bytes, [target][fan-in]; `zeros`: the zero of
// each source in a target's fan-in.
struct PixelScales {
  uint32_t planes = 1;         // bytes of a weight
  std::vector<double> scales;  // units per amplitude; empty: the layer cannot be summed so
};
PixelScales ChoosePixelScales(std::span<const float> weights, size_t targets,
                              std::span<const double> zeros);

// Settled units per unit of a level kernel that has its own `scales`, by parameter lane; null if it
// has none.
hwy::AlignedFreeUniquePtr<float[]> FloatScale(const CodeOf& code, std::span<const double> scales,
                                              const MembraneLayout& layout);

// Set `neurons`, `start` and, where pixels arrive, `pixel_scale` of the layer.
void QuantizeEventNeurons(const CodeOf& code, const format::Node& node, bool takes_pixels,
                          IntegerLayer& layer);
void QuantizeSettledNeurons(const CodeOf& code, const format::Node& node, bool takes_pixels,
                            IntegerLayer& layer);

}  // namespace cssrun::internal

#endif  // CSSRUN_RUNTIME_INTEGER_QUANTIZE_H_
