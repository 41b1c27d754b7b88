import { InvariantViolation } from "../../../src/assert.js";
import type { RaftCore } from "../../../src/raft/core.js";
import type { NodeId } from "../../../src/raft/types.js";
import type { ReplicaObserver } from "../../../src/replica/ports.js";
import { Replica } from "../../../src/replica/replica.js";
import { SequenceQueries } from "../../../src/sequence/machine/queries.js";
import { SequenceMachine } from "../../../src/sequence/machine/sequence-machine.js";
import { StorageFailure } from "../../../src/storage/log-store.js";
import { MemoryDisk } from "../../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../../src/storage/memory-log-store.js";
import { openMemoryStateStore } from "../../../src/storage/memory-state-store.js";
import type { PeerMessage } from "../../../src/transport/transport.js";
import { DurableLog } from "../checkers/durable-log.js";
import { type CrashOutcome, crashDisk, damageRow } from "./disk-damage.js";
import { NodeTime } from "./node-time.js";
import { checkRecovery, watchLog, watchMachine, watchState } from "./observation.js";
import type { Integrity, NodeStatus, World, WorldNode } from "./world.js";

/** One node: its disks and its clock outlive its processes. The process is the real code. */
export class SimulatedNode implements WorldNode {
  readonly id: NodeId;
  readonly time: NodeTime;
  readonly #world: World;
  logDisk = new MemoryDisk("log");
  stateDisk = new MemoryDisk("state");
  durable = new DurableLog();
  replica: Replica | undefined;
  queries: SequenceQueries | undefined;
  status: NodeStatus = "down";
  integrity: Integrity = "sound";
  /** Up to where the state's last checkpoint reaches. */
  checkpointIndex = 0;
  /** Slows every write of this node down. */
  extraSyncMs = 0;
  /** It was told to end in good order. */
  isEnding = false;
  /** How often it tried to hand leadership over, or was handed it. */
  handoverCount = 0;
  /** It goes on after a pause, and its leader's heartbeats wait to be read. */
  isResuming = false;
  /** Refuses to start until the simulation ends. */
  refusal: string | undefined;

  constructor(world: World, id: NodeId, clock: { readonly rate: number; readonly offsetMs: number }) {
    this.#world = world;
    this.id = id;
    this.time = new NodeTime(world.queue, world.calendar, clock);
  }

  get name(): string {
    return `n${this.id}`;
  }

  get core(): RaftCore | undefined {
    return this.replica?.core;
  }

  get appliedIndex(): number {
    return this.replica?.appliedIndex ?? 0;
  }

  get isLeader(): boolean {
    return this.replica?.isLeader === true;
  }

  async start(): Promise<void> {
    if (this.status !== "down") return;
    try {
      const replica = this.#open();
      this.isEnding = false;
      this.status = "running";
      this.#world.trace?.note(
        this.name,
        `starts, log to ${this.durable.lastIndex}, checkpoint ${this.checkpointIndex}`,
      );
      this.replica = replica;
      await replica.start();
    } catch (error) {
      this.thrown(error);
    }
  }

  #open(): Replica {
    const { plan, founders } = this.#world;
    const { id, time } = this;
    const defer = (callback: () => void) => {
      const { syncMs, jitterMs } = plan.disk;
      const delayMs = syncMs + this.#world.diskRandom.unit() * jitterMs + this.extraSyncMs;
      this.#world.queue.schedule(delayMs, "input", time, callback);
    };
    const randomId = () => this.#world.nodeRandom.id();
    const log = openMemoryLogStore({ disk: this.logDisk, nodeId: id, randomId, defer });
    checkRecovery(this.#world, this, log.recovery);
    watchLog(this.#world, this, log);
    const state = openMemoryStateStore({ disk: this.stateDisk, nodeId: id, storeId: log.storeId, defer });
    watchState(this.#world, this, state);
    const machine = new SequenceMachine(state);
    watchMachine(this.#world, this, machine);
    this.#sweepLater(machine);
    this.queries = new SequenceQueries(state, machine, () => Promise.resolve());
    const replica = new Replica(
      {
        nodeId: id,
        address: `node-${id}:7070`,
        restAddress: `node-${id}:8080`,
        grpcAddress: `node-${id}:9090`,
        version: "simulation",
        founders,
        electionTimeoutMs: plan.electionTimeoutMs,
        heartbeatMs: plan.heartbeatMs,
        maxClockSkewMs: 2000,
        requestDeadlineMs: 10_000,
      },
      {
        log,
        state,
        machines: [machine],
        transport: this.#world.network.transport(id, time, (messages) => {
          for (const message of messages) this.#sends(message);
        }),
        clock: time,
        timers: time,
        randomness: { uint32: () => this.#world.nodeRandom.uint32(), id: randomId },
        observer: this.#observer(),
        fatal: (failure) => this.thrown(failure),
      },
    );
    if (this.integrity === "logRolledBack") {
      this.#world.report("damage refused", `${this.name} started on a log that ends before its state's checkpoint`);
    }
    return replica;
  }

  /** Deletes expired idempotency keys now and then, as the node's upkeep does; what it cannot read it leaves. */
  #sweepLater(machine: SequenceMachine): void {
    const { sweep } = this.#world.plan;
    if (sweep === undefined) return;
    this.time.after(sweep.everyMs, () => {
      const again = () => this.#sweepLater(machine);
      machine.sweep(sweep.rowsMax).then(again, again);
    });
  }

  #sends(message: PeerMessage): void {
    this.#world.promises.check(this, message);
    if (this.isResuming && message.type === "voteRequest" && message.preVote) {
      this.#world.report(
        "input before timers",
        `${this.name} stands for election before it has read its leader's heartbeats`,
      );
    }
  }

  /** The process ends with this: as the real one would, before it does anything else. */
  thrown(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#world.trace?.note(this.name, `ENDS: ${text}`);
    if (error instanceof InvariantViolation) this.#world.report("product invariant", `${this.name}: ${text}`);
    else if (!(error instanceof StorageFailure)) {
      const stack = error instanceof Error ? error.stack : "";
      this.#world.report("unexpected exception", `${this.name}: ${text}\n${stack}`);
    }
    this.crash({ log: "lost", state: "lost" });
    if (!(error instanceof StorageFailure) || error.code === "WRITE_FAILED") return;
    this.status = "out";
    this.refusal = text;
    if (this.integrity === "sound") this.#world.report("damage refused", `${this.name} refuses a sound disk: ${text}`);
  }

  /** As kill -9 or a power loss. */
  crash(outcome: { readonly log: CrashOutcome; readonly state: "durable" | "lost" }): void {
    if (this.status !== "running" && this.replica === undefined) {
      this.logDisk.crash("lost");
      this.stateDisk.crash("lost");
      return;
    }
    this.#world.trace?.note(this.name, `crashes; writes in flight: log ${outcome.log}, state ${outcome.state}`);
    this.time.crash();
    const isTorn = crashDisk(this.logDisk, outcome.log, this.#world.diskRandom);
    if (isTorn && this.integrity === "sound") this.integrity = "logTorn";
    crashDisk(this.stateDisk, outcome.state, this.#world.diskRandom);
    this.replica = undefined;
    this.queries = undefined;
    if (this.status === "running") this.status = "down";
    this.#world.network.vanish(this.id);
    this.#world.clients.nodeCrashed(this.id);
  }

  /** Flips or cuts bytes of a stored row while the node is down. */
  damage(which: "log" | "state"): void {
    const where = damageRow(which === "log" ? this.logDisk : this.stateDisk, this.#world.diskRandom);
    if (where === undefined) return;
    this.integrity = which === "log" ? "logDamaged" : "stateDamaged";
    this.#world.trace?.note(this.name, `${which} damaged: ${where}`);
  }

  wipe(): void {
    this.#world.trace?.note(this.name, "both directories are wiped");
    this.logDisk = new MemoryDisk("log");
    this.stateDisk = new MemoryDisk("state");
    this.integrity = "wiped";
    this.checkpointIndex = 0;
  }

  #observer(): ReplicaObserver {
    const { trace } = this.#world;
    return {
      transition: (transition) => {
        if (transition.kind === "truncated" && this.isLeader) {
          this.#world.report("leader append-only", `leader ${this.name} truncated its log`);
        }
        if (transition.kind === "transferEnded") this.handoverCount++;
        if (transition.kind === "roleChanged" && transition.why === "leadership was handed over") this.handoverCount++;
        trace?.note(this.name, `* ${JSON.stringify(transition)}`);
      },
      entryPacked: ({ commands }) => trace?.note(this.name, `packs ${commands} commands`),
      logWritten: ({ entries }) =>
        trace?.note(this.name, `disk: ${entries} entries written, log to ${this.durable.lastIndex}`),
      entryApplied: ({ index, commands }) => {
        trace?.note(this.name, `applies ${index} (${commands} commands)`);
        this.#world.entryApplied(index);
      },
      checkpointWritten: () => trace?.note(this.name, `disk: checkpoint at ${this.checkpointIndex}`),
      logCut: ({ baseIndex }) => trace?.note(this.name, `disk: log cut at ${baseIndex}`),
      snapshotMoved: (moved) => trace?.note(this.name, `snapshot ${JSON.stringify(moved)}`),
      stateDiverged: ({ peer, index, what }) =>
        this.#world.report("state digests", `${this.name} differs from n${peer} at ${index} (${what})`),
      notice: (level, message) => trace?.note(this.name, `${level}: ${message}`),
    };
  }
}
