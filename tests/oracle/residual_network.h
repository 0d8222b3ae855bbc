// Draws deep random networks in settled codes.
#ifndef CSSRUN_TESTS_ORACLE_RESIDUAL_NETWORK_H_
#define CSSRUN_TESTS_ORACLE_RESIDUAL_NETWORK_H_

#include <cstdint>

#include "network_generated.h"

namespace cssrun::oracle {

// Draws a residual network of 20 layers in a settled code, built as ResNet-20: a convolution, three
// stages of three blocks of two convolutions, a readout. Between stages, maps halve and channels
// double; there the shortcut takes every other position and leaves new channels at zero. `seed`
// decides sizes, T from 3 to 6, direct input, and whether weights are 3-bit or rounded.
format::NetworkT ResidualNetwork(uint32_t seed);

}  // namespace cssrun::oracle

#endif  // CSSRUN_TESTS_ORACLE_RESIDUAL_NETWORK_H_
