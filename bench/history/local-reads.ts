import { broken, type LocalRead, type Operation, type Verdict } from "./history.js";

/** Reads of one node's own state go with its applied index, and neither ever goes back. */
export function judgeLocalReads(operations: readonly Operation[]): Verdict | undefined {
  const newest = new Map<string, LocalRead>();
  const reads = operations.filter((operation): operation is LocalRead => operation.kind === "localRead");
  for (const read of reads.sort((a, b) => a.returned - b.returned)) {
    const before = newest.get(read.session);
    newest.set(read.session, read);
    if (before === undefined || before.returned > read.invoked) continue;
    const moved = read.epoch - before.epoch || read.current - before.current;
    if (read.appliedIndex < before.appliedIndex || moved < 0) {
      return broken("local reads monotonic", `local read ${read.id} shows less than ${before.id} did before it`);
    }
    if (read.appliedIndex === before.appliedIndex && moved !== 0) {
      return broken("local reads monotonic", `local read ${read.id} shows more than ${before.id} at the same index`);
    }
  }
  return undefined;
}
