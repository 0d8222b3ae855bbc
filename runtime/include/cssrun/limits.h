// Limits on what a network file may demand of the machine that loads it.
//
// A file of a few hundred bytes can describe a network that fills any memory and runs for years.
// The loader checks these limits before it allocates anything, and refuses the file with kBadModel.
// The defaults are far above real image networks.
#ifndef CSSRUN_LIMITS_H_
#define CSSRUN_LIMITS_H_

#include <cstdint>

namespace cssrun {

struct NetworkLimits {
  // Membranes plus spike trains of all layers; memory grows with them. The format itself allows no
  // more than this. A ResNet-20 for frames of 640x360 has 90 million.
  uint64_t neurons = uint64_t{1} << 27;
  // Connections between neurons of all layers. One step adds at most this many weights.
  uint64_t synapses = uint64_t{1} << 37;
  // Layers. Each takes some time at each of the T + L x depth steps, even without spikes.
  uint64_t layers = 4096;
  // Timesteps T of the code. The format itself allows up to 1024.
  uint32_t timesteps = 256;
};

}  // namespace cssrun

#endif  // CSSRUN_LIMITS_H_
