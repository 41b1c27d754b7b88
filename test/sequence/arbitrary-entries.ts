import fc from "fast-check";
import type { Command } from "../../src/sequence/command.js";
import { batch, configure, DAY_MS, draw, NOWHERE, reset, seed } from "./world.js";

const change = fc.constantFrom(
  {},
  { padding: 8 },
  { template: "%s%d-%04d", resetRule: "yearly" },
  { template: "{SITE}-{YYYY}{MM}-{SEQ}", resetRule: "monthly", scope: "site" },
  { step: 3 },
  { maximum: 500 },
  { timeZone: "Etc/GMT-14", zoneTransitions: [{ from: 0, offsetSeconds: 50_400 }] },
  { isActive: false },
  { isActive: true },
);
const prefix = fc.constantFrom("A", "B", "C");
const scope = fc.constantFrom("", "HQ", "B/ä").map((site) => ({ ...NOWHERE, site }));
const key = fc.constantFrom("", "", "k1", "k/2");
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(prefix, scope, key, key)
      .map(([name, at, idempotencyKey, documentRef]) => draw(name, { scope: at, idempotencyKey, documentRef })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(prefix, scope, key, fc.integer({ min: 1, max: 50 }))
      .map(([name, at, idempotencyKey, count]) => batch(name, count, { scope: at, idempotencyKey })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(prefix, scope, fc.nat(300), fc.boolean())
      .map(([name, at, newValue, force]) => reset(name, newValue, { scope: at, force })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(prefix, change, fc.boolean())
      .map(([name, one, ifAbsent]) => configure(name, one, { ifAbsent })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ retentionMs: fc.constantFrom(1000, DAY_MS), keysMax: fc.constantFrom(3, 1000) }).map(seed),
  },
);

/** Commands that are refused for what they say, one way or another. */
const hopeless: fc.Arbitrary<Command> = fc.constantFrom<Command>(
  draw(".dot"),
  draw("A", { documentDate: "2026-02-30" }),
  batch("A", 0),
  reset("NOBODY", 1),
  reset("A", 1, { expectedVersion: 99 }),
  reset("A", 1, { period: "1999-13" }),
  configure("A", { template: "no counter" }),
  configure("A", {}, { expectedVersion: 0 }),
  seed({ retentionMs: 0 }),
);

export interface ArbitraryEntry {
  readonly commands: readonly Command[];
  /** Before the entry. */
  readonly waitMs: number;
}

/** One entry of a history in which most things happen. */
export const arbitraryEntry: fc.Arbitrary<ArbitraryEntry> = fc.record({
  commands: fc.array(fc.oneof({ weight: 12, arbitrary: command }, { weight: 1, arbitrary: hopeless }), {
    minLength: 1,
    maxLength: 4,
  }),
  waitMs: fc.constantFrom(0, 10, 1000, DAY_MS, 40 * DAY_MS),
});
