import { invariant } from "../assert.js";
import { encodeConfiguration, fromConfigurationRecord, toConfigurationRecord } from "../configuration-record.js";
import {
  Batch,
  Group,
  type RegisterSession,
  SessionCommand,
  StateHeader,
  type TaggedCommand,
} from "../generated/folio/log/v1/log.js";
import type { Configuration, Entry, LogIndex, Position } from "../raft/types.js";
import type { StateStore } from "../storage/state-store.js";
import { Journal, type JournalEntry, readJournal } from "./journal.js";
import type { Machine } from "./machine.js";
import { holdsSeat, type JournalPlace, SessionTable } from "./sessions.js";
import { digestOf, type StateDigest } from "./state-digest.js";

/** Commands of the session table itself; mounted machines have numbers from 1 on. */
export const SESSION_MACHINE_ID = 0;

const HEADER_KEY = "h/header";
const NOTHING = new Uint8Array(0);
const REGISTERED = Uint8Array.of(1);
const OPEN: Recollection = { kind: "open" };

/** What the node itself waits for in an entry: it finds its own tags and answers from its own apply. */
export interface OwnOutcomes {
  /** The node's open session; 0 before it has one. */
  readonly session: number;
  /** The nonce of the node's registration. */
  readonly nonce: string;
  registered(session: number): void;
  /** The request acted in this entry, with this result. */
  settled(request: number, result: unknown): void;
}

/** What the header row says, beside sessions and journal. */
interface Header {
  applied: Position;
  time: number;
  configuration: Configuration | undefined;
  configurationIndex: LogIndex;
}

/** What became of a tag, as the session table and the journal tell it. */
export type Recollection =
  /** It acted: with the very result that its apply returned. */
  | { readonly kind: "acted"; readonly result: unknown }
  /** Below the mark: whether it acted is no longer told apart; it never acts (again). */
  | { readonly kind: "finished" }
  /** It did not act, and still may. */
  | { readonly kind: "open" }
  /** The session was closed, or never was: it never acts again, and whether it did is not known. */
  | { readonly kind: "closed" };

/**
 * The replicated state of one node: applies committed entries in order, once each, to the session
 * table, the mounted machines and the journal. Deterministic: its only inputs are entries.
 */
export class ReplicatedState {
  readonly #state: StateStore;
  readonly #machines: ReadonlyMap<number, Machine>;
  #sessions: SessionTable;
  #journal: Journal;
  #header: Header;
  /** The block read last by `recall`: one block answers for many commands. */
  #recalled: JournalEntry | undefined;

  /** @throws InvariantViolation if two machines claim one number. */
  constructor(state: StateStore, machines: readonly Machine[]) {
    this.#state = state;
    this.#machines = new Map(machines.map((machine) => [machine.id, machine]));
    invariant(this.#machines.size === machines.length, "every mounted machine has a number of its own");
    invariant(!this.#machines.has(SESSION_MACHINE_ID), "number 0 is the session table's");
    ({ sessions: this.#sessions, journal: this.#journal, header: this.#header } = readStored(state));
  }

  /** The store's content was replaced: everything that was read from it is read again. */
  reload(): void {
    ({ sessions: this.#sessions, journal: this.#journal, header: this.#header } = readStored(this.#state));
    this.#recalled = undefined;
    for (const machine of this.#machines.values()) machine.reload();
  }

  /** The newest applied entry. */
  get applied(): Position {
    return this.#header.applied;
  }

  /** The effective time of the newest applied entry: ms since the epoch, never going back. */
  get time(): number {
    return this.#header.time;
  }

  /** The newest applied configuration; undefined before the first. */
  get configuration(): Configuration | undefined {
    return this.#header.configuration;
  }

  /** Of everything applied so far; equal on all nodes at one index. Costs a hash over a hundred bytes. */
  get digest(): StateDigest {
    const { applied, time, configuration, configurationIndex } = this.#header;
    return digestOf({
      applied,
      time,
      journalHead: this.#journal.headHash,
      configuration: configuration === undefined ? NOTHING : encodeConfiguration(configuration),
      configurationIndex,
      sessions: this.#sessions.size,
    });
  }

  /** What became of a tag, for a waiter whose entry was not applied here but came with a snapshot. */
  recall(session: number, request: number): Recollection {
    const admission = this.#sessions.admit(session, request);
    if (admission.kind === "execute") return OPEN;
    if (admission.kind !== "repeated") return admission;
    return { kind: "acted", result: this.#resultAt(admission.place) };
  }

  #resultAt({ index, ordinal }: JournalPlace): unknown {
    if (this.#recalled?.index !== index) this.#recalled = readJournal(this.#state, index);
    const command = this.#recalled?.commands[ordinal];
    invariant(this.#recalled !== undefined && command !== undefined, "what acted stands in the journal");
    const machine = this.#machines.get(command.machine);
    invariant(machine !== undefined, () => `machine ${command.machine} is mounted here as where the command acted`);
    return machine.outcomeOf(command.payload, command.record, { index, ordinal, time: this.#recalled.time });
  }

  isSessionOpen(session: number): boolean {
    return this.#sessions.isOpen(session);
  }

  /** Returns how many commands the entry held. */
  apply(entry: Entry, own: OwnOutcomes): number {
    const { applied } = this.#header;
    invariant(entry.index === applied.index + 1, () => `entry ${entry.index} is applied after ${applied.index}`);
    invariant(entry.term >= applied.term, "terms never go back in what is applied");
    let commands = 0;
    if (entry.body.kind === "command") commands = this.#applyBatch(entry.index, entry.body.payload, own);
    else if (entry.body.kind === "configuration") this.#applyConfiguration(entry.index, entry.body.configuration);
    this.#header.applied = { index: entry.index, term: entry.term };
    return commands;
  }

  /** Whoever left the cluster, or came back to its seat with another store, acts no more under an old session. */
  #applyConfiguration(index: LogIndex, configuration: Configuration): void {
    this.#header.configuration = configuration;
    this.#header.configurationIndex = index;
    this.#sessions.closeStrangers(configuration.members);
  }

  #applyBatch(index: LogIndex, payload: Uint8Array, own: OwnOutcomes): number {
    const batch = Batch.decode(payload);
    // A leader whose clock is behind its predecessor's stamps too low: time stands still, it never goes back.
    const time = Math.max(batch.time, this.#header.time);
    this.#header.time = time;
    const results: Uint8Array[] = [];
    for (const groupBytes of batch.groups) {
      const group = Group.decode(groupBytes);
      this.#sessions.raiseLowWater(group.session, group.lowWater);
      for (const command of group.commands) {
        results.push(this.#applyCommand({ index, ordinal: results.length, time }, group.session, command, own));
      }
    }
    this.#journal.append({ index, time, payload, results });
    return results.length;
  }

  #applyCommand(
    context: { readonly index: LogIndex; readonly ordinal: number; readonly time: number },
    session: number,
    command: TaggedCommand,
    own: OwnOutcomes,
  ): Uint8Array {
    if (command.machine === SESSION_MACHINE_ID) return this.#applySessionCommand(context.index, command.payload, own);
    if (this.#sessions.admit(session, command.request).kind !== "execute") return NOTHING;
    const machine = this.#machines.get(command.machine);
    invariant(machine !== undefined, () => `machine ${command.machine} is mounted here as on the node that proposed`);
    const { result, record } = machine.apply(command.payload, context);
    this.#sessions.acted(session, command.request, { index: context.index, ordinal: context.ordinal });
    if (session === own.session) own.settled(command.request, result);
    return record;
  }

  #applySessionCommand(index: LogIndex, payload: Uint8Array, own: OwnOutcomes): Uint8Array {
    const { body } = SessionCommand.decode(payload);
    invariant(body !== undefined, "a session command of a known kind");
    const registration: RegisterSession = body.value;
    const { configuration } = this.#header;
    // Before the first configuration nobody can be told from a stranger; no cluster has registrations there.
    if (configuration !== undefined && !holdsSeat(configuration.members, registration)) return NOTHING;
    const session = this.#sessions.register({ index, ...registration });
    if (registration.nonce === own.nonce) own.registered(session);
    return session === index ? REGISTERED : NOTHING;
  }

  /** Puts everything that is only in memory into the state store's overlay, for the next checkpoint. */
  flush(): void {
    for (const machine of this.#machines.values()) machine.flush();
    const { applied, time, configuration, configurationIndex } = this.#header;
    const header = StateHeader.encode({
      appliedIndex: applied.index,
      appliedTerm: applied.term,
      time,
      journalHead: this.#journal.headHash,
      configuration: configuration && toConfigurationRecord(configuration),
      configurationIndex,
      sessions: this.#sessions.stored(),
    });
    this.#state.put(HEADER_KEY, header.finish());
  }
}

/** What the header row holds; empty beginnings where there is none yet. */
function readStored(state: StateStore): { sessions: SessionTable; journal: Journal; header: Header } {
  const bytes = state.get(HEADER_KEY);
  const stored = bytes === undefined ? undefined : StateHeader.decode(bytes);
  return {
    sessions: new SessionTable(stored?.sessions ?? []),
    journal: new Journal(state, stored?.journalHead ?? NOTHING),
    header: {
      applied: { index: stored?.appliedIndex ?? 0, term: stored?.appliedTerm ?? 0 },
      time: stored?.time ?? 0,
      configuration: stored?.configuration && fromConfigurationRecord(stored.configuration),
      configurationIndex: stored?.configurationIndex ?? 0,
    },
  };
}
