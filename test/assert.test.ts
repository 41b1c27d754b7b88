import t from "tap";
import { InvariantViolation, invariant, unreachable } from "../src/assert.js";

t.test("an invariant that holds passes silently, and one that does not says what should have held", (t) => {
  invariant(true, "never shown");
  t.throws(() => invariant(false, "a term never goes back"), new InvariantViolation("a term never goes back"));
  t.throws(() => invariant(false, () => "built only when needed"), new InvariantViolation("built only when needed"));
  t.end();
});

t.test("a case that the compiler thought impossible is a broken invariant", (t) => {
  t.throws(() => unreachable({ kind: "new" } as never), InvariantViolation);
  t.end();
});
