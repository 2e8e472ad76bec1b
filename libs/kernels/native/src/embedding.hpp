// Rows of a table by id, and their gradient.
#pragma once

#include <vector>

#include "rows.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

inline void embeddingGather(const EmbeddingGather& call) {
  const std::size_t width = static_cast<std::size_t>(call.embeddingSize);
  const auto body = [&](std::size_t row) {
    std::copy_n(call.table + static_cast<std::size_t>(call.ids[row]) * width, width, call.rows + row * width);
  };
  forEachRow(call.numPositions, call.embeddingSize, body);
}

/** Where an id is found: a leaf of the node and a position of the batch. */
struct IdPlace {
  int leaf, position;
};

/** The places of a node's positions by id: those of id v are from starts[v] to before starts[v + 1]. */
struct PlacesOfIds {
  std::vector<IdPlace> places;
  std::vector<std::size_t> starts;

  PlacesOfIds(const EmbeddingGradient& call, const TreeNode& node)
      : starts(static_cast<std::size_t>(call.vocabularySize) + 1) {
    forEachPlace(call, node, [&](const IdPlace& place) { starts[idAt(call, place) + 1]++; });
    for (std::size_t id = 1; id < starts.size(); id++) starts[id] += starts[id - 1];
    places.resize(starts.back());
    std::vector<std::size_t> next(starts.begin(), starts.end() - 1);
    forEachPlace(call, node, [&](const IdPlace& place) { places[next[idAt(call, place)]++] = place; });
  }

 private:
  static std::size_t idAt(const EmbeddingGradient& call, const IdPlace& place) {
    return static_cast<std::size_t>(call.ids[place.position]);
  }

  /** In the order (leaf, time, row). */
  template <class Body>
  static void forEachPlace(const EmbeddingGradient& call, const TreeNode& node, const Body& body) {
    for (int leaf = 0; leaf < node.numLeaves; leaf++) {
      const LeafRows& rows = call.leaves[node.firstLeaf + leaf];
      for (int t = 0; t < call.numSteps; t++) {
        const int first = t * call.numRows + rows.firstRow;
        for (int n = 0; n < rows.numRows; n++) body({leaf, first + n});
      }
    }
  }
};

inline void addRow(const float* row, int width, float* sum) {
  for (int k = 0; k < width; k += kLanes) {
    const int lanes = width - k;
    storeUpTo(sum + k, add(loadUpTo(sum + k, lanes), loadUpTo(row + k, lanes)), lanes);
  }
}

/**
 * The gradient rows at some places of one id, at least one, along the tree of leaves `firstLeaf` on. A half
 * without the id would add zeros, which change no bit: no sum is −0, since each starts from 0.
 *
 * @param scratch a row for each level
 */
inline void sumOfPlaces(const EmbeddingGradient& call, const IdPlace* first, const IdPlace* end, int firstLeaf,
                        int numLeaves, float* sum, float* scratch) {
  const std::size_t width = static_cast<std::size_t>(call.embeddingSize);
  if (numLeaves == 1) {
    std::fill_n(sum, width, 0.0f);
    for (const IdPlace* place = first; place != end; place++) {
      addRow(call.gradient + static_cast<std::size_t>(place->position) * width, call.embeddingSize, sum);
    }
    return;
  }
  const int half = numLeaves / 2, secondLeaf = firstLeaf + half;
  const IdPlace* middle = std::partition_point(first, end, [&](const IdPlace& at) { return at.leaf < secondLeaf; });
  if (middle == first) return sumOfPlaces(call, first, end, secondLeaf, half, sum, scratch);
  sumOfPlaces(call, first, middle, firstLeaf, half, sum, scratch);
  if (middle == end) return;
  sumOfPlaces(call, middle, end, secondLeaf, half, scratch, scratch + width);
  addRow(scratch, call.embeddingSize, sum);
}

inline int levelsOf(int numLeaves) {
  int levels = 0;
  while (numLeaves > 1 << levels) levels++;
  return levels;
}

inline void embeddingGradient(const EmbeddingGradient& call) {
  const std::size_t width = static_cast<std::size_t>(call.embeddingSize);
  const int perTask = std::max(1, kValuesPerTask / std::max(1, call.embeddingSize));
  const int tasks = (call.vocabularySize + perTask - 1) / perTask;
  for (int n = 0; n < call.numNodes; n++) {
    const TreeNode& node = call.nodes[n];
    const PlacesOfIds found(call, node);
    const std::size_t scratchSize = static_cast<std::size_t>(levelsOf(node.numLeaves)) * width;
    float* scratch = freshWorkspace().floats(scratchSize * static_cast<std::size_t>(tasks));
    const auto task = [&](int index) {
      const int end = std::min(call.vocabularySize, (index + 1) * perTask);
      for (int id = index * perTask; id < end; id++) {
        float* row = call.tableGradients[n] + static_cast<std::size_t>(id) * width;
        const IdPlace* places = found.places.data();
        const std::size_t from = found.starts[static_cast<std::size_t>(id)];
        const std::size_t to = found.starts[static_cast<std::size_t>(id) + 1];
        if (from == to) {
          std::fill_n(row, width, 0.0f);
        } else {
          sumOfPlaces(call, places + from, places + to, 0, node.numLeaves, row,
                      scratch + scratchSize * static_cast<std::size_t>(index));
        }
      }
    };
    parallelFor(tasks, task);
  }
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato
