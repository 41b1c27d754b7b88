import type { RaftCore } from "../raft/core.js";
import type { Effects } from "../raft/state.js";
import type { LogCut, NodeId, OutgoingMessage, RaftMessage, Write } from "../raft/types.js";
import type { LogStore } from "../storage/log-store.js";
import type { Transport } from "../transport/transport.js";
import type { EntryCache } from "./entry-cache.js";
import type { Life } from "./life.js";
import type { Clock, ReplicaObserver } from "./ports.js";

/** What a leader says to a seat, and not to whoever runs under its id. */
const MEANT_FOR_THE_SEAT: ReadonlySet<RaftMessage["type"]> = new Set([
  "appendRequest",
  "installSnapshot",
  "timeoutNow",
]);

/** Carries the core's effects out: messages with their entries filled in, and one write at a time. */
export class CoreIo {
  readonly #entries: EntryCache;
  readonly #log: LogStore;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #observer: ReplicaObserver;
  readonly #mayHear: (peer: NodeId) => boolean;
  readonly #baseWritten: (base: LogCut) => void;
  readonly #written: () => void;
  readonly #life: Life;
  #isWriting = false;
  #retired: RaftCore | undefined;

  constructor(options: {
    readonly entries: EntryCache;
    readonly log: LogStore;
    readonly transport: Transport;
    readonly clock: Clock;
    readonly observer: ReplicaObserver;
    /** Whether what a leader says to the peer's seat may go out on its stream. */
    readonly mayHear: (peer: NodeId) => boolean;
    /** The log on disk begins elsewhere now; called before `written`. */
    readonly baseWritten: (base: LogCut) => void;
    /** A write has completed and the core knows it. */
    readonly written: () => void;
    readonly life: Life;
  }) {
    this.#entries = options.entries;
    this.#log = options.log;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#mayHear = options.mayHear;
    this.#baseWritten = options.baseWritten;
    this.#written = options.written;
    this.#life = options.life;
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Sends what may leave now, one frame per peer; returns what the host itself has to look at. */
  send(core: RaftCore, now: number): Pick<Effects, "transitions" | "reads" | "snapshotWanted"> {
    const effects = core.takeEffects(now);
    for (const entry of effects.appended) this.#entries.add(entry);
    const outgoing = new Map<NodeId, RaftMessage[]>();
    for (const message of effects.send) {
      const messages = outgoing.get(message.to);
      if (messages === undefined) outgoing.set(message.to, [this.#withEntries(message)]);
      else messages.push(this.#withEntries(message));
    }
    for (const [peer, messages] of outgoing) this.#transport.send(peer, this.#hearable(peer, messages));
    return effects;
  }

  /** Answers go to whoever asked: its seat may be news to this node. */
  #hearable(peer: NodeId, messages: readonly RaftMessage[]): readonly RaftMessage[] {
    return this.#mayHear(peer) ? messages : messages.filter(({ type }) => !MEANT_FOR_THE_SEAT.has(type));
  }

  #withEntries(message: OutgoingMessage): RaftMessage {
    if (message.type !== "appendRequest") return message;
    const { firstIndex, lastIndex, ...request } = message;
    return { ...request, entries: this.#entries.range(firstIndex, lastIndex) };
  }

  /** The core takes no more turns. What it has still to write goes to the disk behind the write in flight: others wait for it. */
  retire(core: RaftCore): void {
    this.#retired = core;
  }

  /** Begins the next write, if there is something to write and none is in flight. */
  write(core: RaftCore): void {
    if (this.#isWriting) return;
    const write = core.takeWrite();
    if (write === undefined) return;
    this.#isWriting = true;
    const startedAt = this.#clock.monotonic();
    this.#log.write(write.log, (failure) => {
      this.#isWriting = false;
      if (failure !== undefined) this.#life.fail(failure);
      else this.#life.guarded(() => this.#persisted(core, write, startedAt));
    });
  }

  #persisted(core: RaftCore, { ticket, log: { entries, base } }: Write, startedAt: number): void {
    const now = this.#clock.monotonic();
    core.persisted(ticket, now);
    let bytes = 0;
    for (const { body } of entries) if (body.kind === "command") bytes += body.payload.length;
    this.#observer.logWritten({ entries: entries.length, bytes, durationMs: now - startedAt });
    if (base !== undefined) this.#baseWritten(base);
    if (this.#retired !== undefined && !this.#life.isStopped) this.write(this.#retired);
    this.#written();
  }
}
