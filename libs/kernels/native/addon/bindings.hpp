// What the bindings of the addon share.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "ostinato/kernels.hpp"

namespace ostinato::addon {

/** The kernels of the instruction set that the calling thread has selected. */
const KernelTable& table();

inline std::size_t product(std::initializer_list<int> sizes) {
  std::size_t result = 1;
  for (int size : sizes) result *= static_cast<std::size_t>(size);
  return result;
}

/** Leaves and nodes as JavaScript gives them: [first, count] pairs one after the other. */
struct Tree {
  std::vector<LeafRows> leaves;
  std::vector<TreeNode> nodes;

  Tree(const Arguments& args, std::size_t leavesIndex, std::size_t nodesIndex, int numRows)
      : Tree({args.env(), args.at(leavesIndex)}, {args.env(), args.at(nodesIndex)}, numRows) {}

  Tree(const Arguments& ofLeaves, const Arguments& ofNodes, int numRows) {
    const std::size_t numLeaves = ofLeaves.lengthOf(0, "leaves") / 2;
    const std::int32_t* given = ofLeaves.integers(0, "leaves", 2 * numLeaves);
    for (std::size_t n = 0; n < numLeaves; n++) {
      const int first = given[2 * n], count = given[2 * n + 1];
      if (first < 0 || count < 0 || first > numRows || count > numRows - first) {
        throw std::invalid_argument("leaves[" + std::to_string(n) + "] is not within the rows");
      }
      leaves.push_back({first, count});
    }
    const std::size_t numNodes = ofNodes.lengthOf(0, "nodes") / 2;
    const std::int32_t* pairs = ofNodes.integers(0, "nodes", 2 * numNodes);
    for (std::size_t n = 0; n < numNodes; n++) {
      const int first = pairs[2 * n], count = pairs[2 * n + 1], all = static_cast<int>(numLeaves);
      const bool isPower = count > 0 && (count & (count - 1)) == 0;
      if (!isPower || first < 0 || first > all || count > all - first) {
        throw std::invalid_argument("nodes[" + std::to_string(n) + "] is no subtree of the leaves");
      }
      nodes.push_back({first, count});
    }
  }

  int numNodes() const { return static_cast<int>(nodes.size()); }

  /** One array for all nodes, [nodes, size]. */
  std::vector<float*> parts(float* all, std::size_t size) const {
    std::vector<float*> found;
    for (std::size_t n = 0; n < nodes.size(); n++) found.push_back(all == nullptr ? nullptr : all + n * size);
    return found;
  }
};

/** Calls the JavaScript function at `index`, if there is one; what it throws ends the kernel. */
inline OnTimeSteps timeStepsCallback(const Arguments& args, std::size_t index) {
  if (args.isNull(index)) return nullptr;
  const napi_env env = args.env();
  const napi_value callback = args.at(index);
  return [env, callback](int done) {
    napi_value receiver, count, result;
    if (napi_get_undefined(env, &receiver) != napi_ok || napi_create_int32(env, done, &count) != napi_ok) return false;
    return napi_call_function(env, receiver, callback, 1, &count, &result) == napi_ok;
  };
}

/** The functions of one file. */
struct BindingList {
  const Binding* first;
  std::size_t count;
};

BindingList cellBindings();
BindingList flatBindings();

}  // namespace ostinato::addon
