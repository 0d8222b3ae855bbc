// Damages what a NIR file holds, so that most of it stays sound.
#ifndef CSSRUN_TESTS_FUZZ_MUTATE_TREE_H_
#define CSSRUN_TESTS_FUZZ_MUTATE_TREE_H_

#include <random>

#include "converter/nir/hdf5_tree.h"

namespace cssrun::fuzz {

// Changes one thing: a number, a shape, a text, an edge, or which data and groups there are.
void MutateTree(std::mt19937& random, converter::Hdf5Group& root);

}  // namespace cssrun::fuzz

#endif  // CSSRUN_TESTS_FUZZ_MUTATE_TREE_H_
