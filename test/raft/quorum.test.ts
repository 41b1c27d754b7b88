import fc from "fast-check";
import t from "tap";
import { isVoter, majority, majorityReached, tally, voterIds } from "../../src/raft/quorum.js";
import { configurationOf } from "./core-cluster.js";

/** Every subset of the items: deliberately dumb. */
function subsetsOf<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length }, (_, bits) => items.filter((_, place) => (bits >> place) & 1));
}

const isMajority = (part: number, whole: number) => part > whole - part;

t.test("majority is the least size whose every two sets share a member", (t) => {
  for (let size = 1; size <= 7; size++) {
    const everybody = Array.from({ length: size }, (_, place) => place);
    const overlaps = (count: number) => {
      const sets = subsetsOf(everybody).filter((set) => set.length === count);
      return sets.every((one) => sets.every((other) => one.some((member) => other.includes(member))));
    };
    t.equal(overlaps(majority(size)), true);
    if (majority(size) > 1) t.equal(overlaps(majority(size) - 1), false);
  }
  t.end();
});

t.test("majorityReached is the greatest value that all of some majority have reached", (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }), (values) => {
      const reachedBy = subsetsOf(values)
        .filter((set) => isMajority(set.length, values.length))
        .map((set) => Math.min(...set));
      return majorityReached(values) === Math.max(...reachedBy);
    }),
  );
  t.equal(majorityReached([]), 0, "without voters nothing is agreed");
  t.end();
});

t.test("tally agrees with counting every way that the open answers may still fall", (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(true, false, undefined), { minLength: 1, maxLength: 7 }), (given) => {
      const voters = given.map((_, place) => place + 1);
      const answers = new Map<number, boolean>([[99, true]]);
      for (const [place, answer] of given.entries()) if (answer !== undefined) answers.set(place + 1, answer);
      const open = voters.filter((voter) => !answers.has(voter));
      const granted = voters.filter((voter) => answers.get(voter) === true).length;
      const endings = subsetsOf(open).map((yes) => isMajority(granted + yes.length, voters.length));
      // Won: granted is a majority already. Lost: no ending wins any more.
      const expected = isMajority(granted, voters.length) ? "won" : endings.some(Boolean) ? "open" : "lost";
      return tally(voters, answers) === expected;
    }),
  );
  t.equal(tally([], new Map()), "lost", "without voters nobody is elected");
  t.end();
});

t.test("learners are no voters", (t) => {
  const configuration = configurationOf(3, 2);
  t.same(voterIds(configuration), [1, 2, 3]);
  t.equal(isVoter(configuration, 3), true);
  t.equal(isVoter(configuration, 4), false);
  t.equal(isVoter(configuration, 9), false);
  t.end();
});
