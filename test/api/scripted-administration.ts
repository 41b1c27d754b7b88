import type { Administration, MembershipChange, MembershipOutcome } from "../../src/api/port.js";

/** Remembers what it was asked and says what the test wants. */
export class ScriptedAdministration implements Administration {
  readonly changes: MembershipChange[] = [];
  readonly deadlinesMs: (number | undefined)[] = [];
  outcome: (change: MembershipChange) => Promise<MembershipOutcome> = async (change) => ({
    kind: "done",
    leaderId: 3,
    members: [
      { id: 1, kind: "voter", address: "10.0.0.1:7070" },
      { id: change.id ?? 2, kind: "learner", address: "10.0.0.4:7070" },
    ],
  });
  chunks: () => AsyncIterable<Uint8Array> = () => listed([Buffer.from("back"), Buffer.from("up")]);

  changeMembers(change: MembershipChange, deadlineMs?: number): Promise<MembershipOutcome> {
    this.changes.push(change);
    this.deadlinesMs.push(deadlineMs);
    return this.outcome(change);
  }

  backup(): AsyncIterable<Uint8Array> {
    return this.chunks();
  }
}

async function* listed(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}
