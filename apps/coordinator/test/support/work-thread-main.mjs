/** What the tests of a work thread ask of it. */

// A thread runs what was built, which is not there where only the sources' imports are looked at.
const built = new URL("../../dist/threads/index.js", import.meta.url);
const { answerRequests } = await import(built.href);

answerRequests((workerData) => ({
  run(request) {
    if (request === "data") return workerData;
    if (request === "fail") throw new Error("it can't be done");
    if (request === "exit") process.exit(0);
    // Bounded: a thread that waits for ever would keep the test from telling why.
    return Atomics.wait(request.flag, 0, 0, 15_000) === "timed-out" ? "unseen" : "seen";
  },
}));
