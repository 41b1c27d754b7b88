import { invariant } from "../assert.js";
import { type CoreState, emptyPendingWrite, isPendingWriteEmpty } from "./state.js";
import type { NodeId, OutgoingMessage, Write } from "./types.js";

/** Everything that is not on disk and not on its way there, as one write. */
export function takeWrite(state: CoreState): Write | undefined {
  invariant(state.inFlight === undefined, "at most one write is in flight");
  const { pending } = state;
  if (isPendingWriteEmpty(pending)) return undefined;
  const { hardStateChanged, truncateFrom, base, entries, after } = pending;
  const ticket = state.nextTicket++;
  const lastIndex = entries.at(-1)?.index ?? state.writtenIndex;
  state.inFlight = {
    ticket,
    takenAt: state.now,
    hardStateChanged,
    movesBase: base !== undefined,
    lastIndex,
    after,
  };
  state.writtenIndex = lastIndex;
  state.pending = emptyPendingWrite();
  return {
    ticket,
    log: {
      ...(hardStateChanged ? { hardState: { term: state.term, votedFor: state.votedFor } } : {}),
      ...(truncateFrom === undefined ? {} : { truncateFrom }),
      ...(base === undefined ? {} : { base }),
      entries,
    },
  };
}

/**
 * A promise made in an earlier term is of no use to anyone any more; nor is a request for votes of
 * one who stands no more: the log that it speaks of may be gone.
 */
export function isStillTrue({ term, role }: CoreState, message: OutgoingMessage): boolean {
  return message.term === term && (message.type !== "voteRequest" || role.name === "candidate");
}

const ANSWERS: ReadonlySet<OutgoingMessage["type"]> = new Set(["voteReply", "appendReply", "readReply"]);

/** Answers to the peer that have not left yet never will: it asks again. */
export function forgetAnswers({ effects, pending, inFlight }: CoreState, peer: NodeId): void {
  for (const queue of [effects.send, pending.after, inFlight?.after ?? []]) {
    for (let place = queue.length - 1; place >= 0; place--) {
      const { to, type } = queue[place] as OutgoingMessage;
      if (to === peer && ANSWERS.has(type)) queue.splice(place, 1);
    }
  }
}
