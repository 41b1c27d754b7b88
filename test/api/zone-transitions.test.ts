import t from "tap";
import { expandZone } from "../../src/api/zone-transitions.js";
import type { ZoneTransition } from "../../src/sequence/definition.js";

function offsetAt(transitions: readonly ZoneTransition[], time: number): number {
  return transitions.findLast((transition) => transition.from <= time)?.offsetSeconds ?? 0;
}

/** What Intl says by another way than the one under test. */
function platformOffset(timeZone: string, time: number): number {
  const shown = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" }).format(time);
  const [, sign = "+", hours = "0", minutes = "0", seconds = "0"] =
    /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(shown) ?? [];
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? -size : size;
}

t.test("UTC has no transitions, under each of its names and in any case", async (t) => {
  t.same(expandZone("UTC"), { timeZone: "UTC", zoneTransitions: [] });
  t.same(expandZone("utc").zoneTransitions, []);
  t.same(expandZone("Etc/UTC").zoneTransitions, []);
  t.same(expandZone("Africa/Abidjan").zoneTransitions, []);
});

t.test("transitions are exact to the second", async (t) => {
  const berlin = expandZone("Europe/Berlin").zoneTransitions;
  t.same(berlin[0], { from: 0, offsetSeconds: 3600 });
  t.same(
    berlin.find(({ from }) => from >= Date.UTC(2026, 0, 1)),
    { from: Date.UTC(2026, 2, 29, 1), offsetSeconds: 7200 },
  );
  t.same(berlin.at(-1), { from: Date.UTC(2100, 9, 31, 1), offsetSeconds: 3600 });
  t.same(expandZone("Africa/Monrovia").zoneTransitions, [
    { from: 0, offsetSeconds: -2670 },
    { from: Date.UTC(1972, 0, 7, 0, 44, 30), offsetSeconds: 0 },
  ]);
});

t.test("the closest pair of changes since 1970 is not missed", async (t) => {
  const noronha = expandZone("America/Noronha").zoneTransitions.filter(
    ({ from }) => from > Date.UTC(2000, 9, 1) && from < Date.UTC(2000, 10, 1),
  );
  t.equal(noronha.length, 2);
});

t.test("tables agree with the platform on both sides of every change, and ascend", async (t) => {
  for (const zone of [
    "America/New_York",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
  ]) {
    const { zoneTransitions } = expandZone(zone);
    for (const [place, { from }] of zoneTransitions.entries()) {
      const before = zoneTransitions[place - 1];
      if (before !== undefined && before.from >= from) t.fail(`${zone} ascends`);
      for (const time of [from, from - 1000]) {
        if (time < 0) continue;
        if (offsetAt(zoneTransitions, time) !== platformOffset(zone, time)) t.fail(`${zone} at ${time}`);
      }
    }
    t.ok(zoneTransitions.length > 0, zone);
  }
});

t.test("a zone that the platform does not know is an error on time_zone", async (t) => {
  for (const name of ["Mars/Olympus", "", "Berlin", "Europe/Berlin "]) {
    t.match(
      problemOf(() => expandZone(name)),
      { code: "VALIDATION_ERROR", errors: [{ field: "time_zone" }] },
      name,
    );
  }
});

function problemOf(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
