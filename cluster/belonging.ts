import { setTimeout as pause } from "node:timers/promises";
import { type Asked, serves, toldBy } from "./readiness.js";

/** Whether a node that does not serve belongs to the cluster, by the word of the others that run. */
export type Belonging = "member" | "out" | "not known yet";

/** What one of the others has to say about it. */
type Word = "serves with it" | "serves without it" | "may serve without it" | "nothing";

const pollMs = 100;

/**
 * Nodes that serve decide. As long as none does it is open, unless all that run count the node as a member: whatever
 * they come to, it is not without it. Where nobody has anything to say it stays what it was, a member.
 */
export async function belongingOf(id: number, others: readonly Asked[]): Promise<Belonging> {
  const words = await Promise.all(others.map((other) => wordOf(other, id)));
  if (words.includes("serves with it")) return "member";
  if (words.includes("serves without it")) return "out";
  return words.includes("may serve without it") ? "not known yet" : "member";
}

async function wordOf(other: Asked, id: number): Promise<Word> {
  const told = await toldBy(other);
  // It serves and does not tell of its cluster: there is nothing to wait for.
  if (told === undefined) return (await serves(other.origin)()) === undefined ? "nothing" : "may serve without it";
  const counts = told.nodes.some((node) => node.id === id);
  if (told.ready) return counts ? "serves with it" : "serves without it";
  return counts ? "nothing" : "may serve without it";
}

/**
 * Asks until it is known.
 *
 * @param others who runs, asked anew each time
 * @param isOver asked before each further time; what is not known by then is taken for a member
 */
export async function isOut(
  id: number,
  { others, isOver }: { readonly others: () => readonly Asked[]; readonly isOver: () => boolean },
): Promise<boolean> {
  for (;;) {
    const belonging = await belongingOf(id, others());
    if (belonging !== "not known yet") return belonging === "out";
    if (isOver()) return false;
    await pause(pollMs);
  }
}
