#include "thread-pool.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace ostinato {
namespace {

/** Turns of waiting before a thread sleeps: the steps of a recurrence follow each other in microseconds. */
constexpr int kSpins = 20000;

inline void pauseCpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class ThreadPool {
 public:
  explicit ThreadPool(int helpers) {
    for (int n = 0; n < helpers; n++) threads_.emplace_back([this] { serve(); });
  }
  ~ThreadPool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
      round_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  void run(int count, const std::function<void(int)>& task) {
    task_ = &task;
    count_ = count;
    next_.store(0);
    busy_.store(static_cast<int>(threads_.size()));
    {
      std::lock_guard<std::mutex> lock(mutex_);
      round_.fetch_add(1);
    }
    if (asleep_.load() > 0) wake_.notify_all();
    work();
    while (busy_.load() > 0) pauseCpu();
  }

 private:
  void work() {
    for (int index = next_.fetch_add(1); index < count_; index = next_.fetch_add(1)) (*task_)(index);
  }

  void serve() {
    for (unsigned seen = 0;;) {
      for (int spin = 0; spin < kSpins && round_.load() == seen; spin++) pauseCpu();
      if (round_.load() == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        asleep_.fetch_add(1);
        wake_.wait(lock, [&] { return round_.load() != seen; });
        asleep_.fetch_sub(1);
      }
      seen = round_.load();
      if (ends_) return;
      work();
      busy_.fetch_sub(1);
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<unsigned> round_{0};
  std::atomic<int> next_{0}, busy_{0}, asleep_{0};
  std::atomic<bool> ends_{false};
  const std::function<void(int)>* task_ = nullptr;
  int count_ = 0;
};

/** One of each calling thread: two of them never share helpers. */
std::unique_ptr<ThreadPool>& pool() {
  static thread_local std::unique_ptr<ThreadPool> own;
  return own;
}

}  // namespace

void setNumThreads(int numThreads) {
  pool().reset();
  if (numThreads > 1) pool() = std::make_unique<ThreadPool>(numThreads - 1);
}

int numThreads() { return pool() ? pool()->size() : 1; }

void parallelFor(int count, const std::function<void(int)>& task) {
  if (pool() && count > 1) {
    pool()->run(count, task);
    return;
  }
  for (int index = 0; index < count; index++) task(index);
}

}  // namespace ostinato
