import t from "tap";
import { Backoff } from "../../src/transport/backoff.js";

t.test("delays double from the least to the greatest and stay there", async (t) => {
  const backoff = new Backoff({ minMs: 50, maxMs: 2_000, random: () => 1 });
  const delays = Array.from({ length: 8 }, () => backoff.nextDelayMs());
  t.strictSame(delays, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
  backoff.reset();
  t.equal(backoff.nextDelayMs(), 50);
});

t.test("chance takes away up to half of a delay", async (t) => {
  const delays = [0, 0.5, 0.999].map((value) =>
    new Backoff({ minMs: 100, maxMs: 100, random: () => value }).nextDelayMs(),
  );
  t.strictSame(delays, [50, 75, 99.95]);
});
