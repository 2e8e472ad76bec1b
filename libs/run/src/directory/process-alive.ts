/** What tells whether a process is there: signal 0. */
export interface SignalSender {
  kill(pid: number, signal: 0): unknown;
}

/** Whether a process of this machine, or of this container, has the id. */
export function isProcessAlive(pid: number, sender: SignalSender): boolean {
  try {
    sender.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
