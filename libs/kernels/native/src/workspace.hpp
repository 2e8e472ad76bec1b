// Scratch memory of a call: taken in order, given back all at once. It stays for the next call, so that a
// step does not ask the system for memory.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace ostinato {

class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() {
    for (Block& block : blocks_) std::free(block.p);
  }

  /** `count` floats, not set, on a cache line of their own. */
  float* floats(std::size_t count) {
    const std::size_t size = roundedUp(count * sizeof(float));
    while (current_ < blocks_.size() && blocks_[current_].used + size > blocks_[current_].size) current_++;
    if (current_ == blocks_.size()) grow(size);
    Block& block = blocks_[current_];
    float* found = reinterpret_cast<float*>(block.p + block.used);
    block.used += size;
    return found;
  }

  /** Everything taken is free again; several blocks become one that is large enough for all. */
  void reset() {
    if (blocks_.size() > 1) {
      std::size_t total = 0;
      for (Block& block : blocks_) {
        total += block.size;
        std::free(block.p);
      }
      blocks_.clear();
      grow(total);
    }
    for (Block& block : blocks_) block.used = 0;
    current_ = 0;
  }

 private:
  struct Block {
    char* p;
    std::size_t size;
    std::size_t used;
  };
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kLeast = std::size_t{1} << 20;

  static std::size_t roundedUp(std::size_t size) { return (size + kLine - 1) / kLine * kLine; }

  void grow(std::size_t size) {
    const std::size_t taken = size > kLeast ? size : kLeast;
    void* p = std::aligned_alloc(kLine, taken);
    if (p == nullptr) throw std::bad_alloc();
    blocks_.push_back({static_cast<char*>(p), taken, 0});
  }

  std::vector<Block> blocks_;
  std::size_t current_ = 0;
};

/** The calling thread's own, empty. */
inline Workspace& freshWorkspace() {
  static thread_local Workspace workspace;
  workspace.reset();
  return workspace;
}

/** The calling thread's second one, empty: for what its call's tasks, which take the first, read together. */
inline Workspace& freshSharedWorkspace() {
  static thread_local Workspace workspace;
  workspace.reset();
  return workspace;
}

}  // namespace ostinato
