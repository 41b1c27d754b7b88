import { Batch } from "../generated/folio/log/v1/log.js";
import { ReplicatedState } from "../machine/replicated-state.js";
import type { Configuration, LogIndex, NodeId, Position, Term } from "../raft/types.js";
import { SequenceMachine } from "../sequence/machine/sequence-machine.js";
import type { LogRecovery } from "../storage/log-store.js";
import { endOf, RecoveryRefused, type Stores } from "./stores.js";

/** What one node knows of its cluster, without asking anybody. */
export interface Survey {
  readonly nodeId: NodeId;
  readonly storeId: string;
  /** The newest configuration in the log, the one that is in force at this node. */
  readonly configuration: Configuration;
  readonly seat: "voter" | "learner" | "none";
  /** The newest term it knows. */
  readonly term: Term;
  /** Where its log begins: what is below is in the state. */
  readonly logBase: Position;
  /** Where its log ends. */
  readonly logEnd: Position;
  /** Up to where its state has applied the log. */
  readonly applied: Position;
  /** Of the newest applied entry, ms since the epoch; 0 before the first command. */
  readonly appliedTime: number;
  /** Of the newest entry in the log that has one, ms since the epoch; applied or not. */
  readonly newestTime: number;
}

const ENTRIES_PER_READ = 256;

/**
 * Reads the stores and changes nothing.
 * @throws RecoveryRefused when they never belonged to a cluster, or contradict each other
 */
export function survey({ log, state }: Stores, nodeId: NodeId): Survey {
  const { recovery, storeId } = log;
  const configuration = recovery.configurations.at(-1)?.configuration ?? recovery.baseConfiguration;
  if (configuration === undefined) {
    throw new RecoveryRefused("This directory never belonged to a cluster: there is nothing to recover.");
  }
  const { applied, time } = new ReplicatedState(state, [new SequenceMachine(state)]);
  const logEnd = endOf(recovery);
  assertWhole(recovery, applied);
  const own = configuration.members.find((member) => member.id === nodeId && member.storeId === storeId);
  return {
    nodeId,
    storeId,
    configuration,
    seat: own?.kind ?? "none",
    term: recovery.hardState.term,
    logBase: recovery.base,
    logEnd,
    applied,
    appliedTime: time,
    newestTime: newestTime({ log, state }, applied.index + 1, logEnd.index) ?? time,
  };
}

/** @throws RecoveryRefused */
function assertWhole(recovery: LogRecovery, applied: Position): void {
  const { base, terms } = recovery;
  const wayOut = "Recover another node, or restore a backup.";
  if (applied.index < base.index) {
    throw new RecoveryRefused(
      `The log begins behind entry ${base.index}, but the state has only applied entry ${applied.index}: the state that the log goes on ` +
        `from is lost here. ${wayOut}`,
    );
  }
  const term = applied.index === base.index ? base.term : terms[applied.index - base.index - 1];
  if (term === applied.term) return;
  throw new RecoveryRefused(
    `The state has applied entry ${applied.index} of term ${applied.term}, but the log holds entries ${base.index + 1} to ` +
      `${endOf(recovery).index} and not that one: entries are lost here. ${wayOut}`,
  );
}

/** The stamp of the newest command between two entries, looking from the end. */
function newestTime({ log }: Stores, first: LogIndex, last: LogIndex): number | undefined {
  for (let end = last; end >= first; end -= ENTRIES_PER_READ) {
    const entries = log.read(Math.max(first, end - ENTRIES_PER_READ + 1), end);
    for (const { body } of entries.reverse()) {
      if (body.kind === "command") return Batch.decode(body.payload).time;
    }
  }
  return undefined;
}

/** What may be lost when this node goes on alone, in sentences. */
export function possibleLoss(known: Survey): readonly string[] {
  const { configuration, logEnd, applied, newestTime: time } = known;
  const others = configuration.members.filter(({ id }) => id !== known.nodeId);
  const losses: string[] = [];
  const when = time === 0 ? "" : `, which is of ${new Date(time).toISOString()}`;
  if (others.length > 0) {
    losses.push(
      `What the others committed after entry ${logEnd.index}${when} is lost: numbers that were handed out since are not known here and will ` +
        "be handed out again, unless a safety distance skips them.",
    );
  }
  if (logEnd.index > applied.index) {
    losses.push(
      `Entries ${applied.index + 1} to ${logEnd.index} are in this node's log and may not have committed; they count from now on. Callers ` +
        "whose call failed or ended unknown may find that it was carried out.",
    );
  }
  if (known.seat === "learner") {
    losses.push("This node was a learner: it may be far behind what the voters had. Prefer a voter that survived.");
  }
  const names = others.map(({ id, address }) => `${id} (${address})`).join(", ");
  if (names !== "") {
    losses.push(
      `Members ${names} are out for good: a cluster of another id does not hear them. Start none of them on its old directory as long as ` +
        "callers may reach it; rejoin them empty.",
    );
  }
  return losses;
}
