import { ClassicLevel } from "classic-level";

/** Loaded into a command before its own code: it dies, as by kill -9, when so many batches have been written. */
export const WRITES_VARIABLE = "FOLIO_TEST_WRITES";

let left = Number(process.env[WRITES_VARIABLE]);
const batchOf = ClassicLevel.prototype.batch;

Reflect.set(ClassicLevel.prototype, "batch", function batch(this: unknown, ...given: readonly unknown[]): unknown {
  const chained: unknown = Reflect.apply(batchOf, this, given);
  const write: unknown = Reflect.get(Object(chained), "write");
  if (given.length > 0 || typeof write !== "function") return chained;
  Reflect.set(Object(chained), "write", async (...options: readonly unknown[]) => {
    await Reflect.apply(write, chained, options);
    left -= 1;
    if (left <= 0) process.kill(process.pid, "SIGKILL");
  });
  return chained;
});
