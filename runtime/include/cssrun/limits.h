// What a network file may ask of the machine that loads it.
//
// A few hundred bytes can describe a network that fills any memory and runs for years. These
// limits are looked at before anything is allocated; they are far above real image networks.
#ifndef CSSRUN_LIMITS_H_
#define CSSRUN_LIMITS_H_

#include <cstdint>

namespace cssrun {

struct NetworkLimits {
  // Membranes and spike trains of all layers together; memory grows with them. The format itself
  // ends at 2^27.
  uint64_t neurons = uint64_t{1} << 26;
  // Connections between neurons of all layers together: a step adds as many weights at most.
  uint64_t synapses = uint64_t{1} << 37;
  // Each is looked at in each of T + L x depth steps.
  uint64_t layers = 4096;
  // T of the code. The format itself ends at 1024.
  uint32_t timesteps = 256;
};

}  // namespace cssrun

#endif  // CSSRUN_LIMITS_H_
