import { InvariantViolation } from "../../../src/assert.js";
import type { RaftCore } from "../../../src/raft/core.js";
import type { NodeId } from "../../../src/raft/types.js";
import type { Replica } from "../../../src/replica/replica.js";
import type { SequenceQueries } from "../../../src/sequence/machine/queries.js";
import type { DiskRow } from "../../../src/storage/disk.js";
import { StorageFailure } from "../../../src/storage/log-store.js";
import { MemoryDisk } from "../../../src/storage/memory-disk.js";
import { MemoryStateDisks } from "../../../src/storage/memory-state-disks.js";
import type { PeerAddress } from "../../../src/transport/transport.js";
import { DurableLog } from "../checkers/durable-log.js";
import { allRows, crashDisk, damageRow } from "./disk-damage.js";
import { NodeTime } from "./node-time.js";
import { type Origin, openStoreId, type Process, type ProcessOwner, startProcess } from "./process.js";
import type { CrashFate, InstallStep, Integrity, NodeStatus, World, WorldNode } from "./world.js";

/** One node: its disks and its clock outlive its processes. The process is the real code. */
export class SimulatedNode implements ProcessOwner {
  readonly id: NodeId;
  readonly time: NodeTime;
  readonly #world: World;
  logDisk = new MemoryDisk("log");
  stateDisks = new MemoryStateDisks("state");
  durable = new DurableLog();
  storeId = "";
  origin: Origin = { kind: "founder" };
  #process: Process | undefined;
  status: NodeStatus = "down";
  integrity: Integrity = "sound";
  checkpointIndex = 0;
  extraSyncMs = 0;
  isEnding = false;
  dieAt: WorldNode["dieAt"] = undefined;
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

  get address(): string {
    return `node-${this.id}:7070`;
  }

  get replica(): Replica | undefined {
    return this.#process?.replica;
  }

  get queries(): SequenceQueries | undefined {
    return this.#process?.queries;
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

  get stateRows(): readonly DiskRow[] {
    const disk = this.stateDisks.disk(this.durable.stateGeneration);
    return disk === undefined ? [] : allRows(disk);
  }

  async start(): Promise<void> {
    if (this.status !== "down") return;
    try {
      this.#process = startProcess(this.#world, this);
      this.isEnding = false;
      this.status = "running";
      const { lastIndex, base, stateGeneration } = this.durable;
      this.#world.trace?.note(
        this.name,
        `starts, log from ${base.index} to ${lastIndex}, checkpoint ${this.checkpointIndex} of state ${stateGeneration}`,
      );
      await this.#process.replica.start();
    } catch (error) {
      this.thrown(error);
    }
  }

  /** Gives the empty directory its store, before anybody is asked to let it in. @param storeId that it was promised */
  prepare(storeId?: string): void {
    this.storeId = openStoreId(this.#world, this, storeId);
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

  reaches(step: InstallStep): void {
    this.#world.trace?.note(this.name, `snapshot: ${step}`);
    const { dieAt } = this;
    if (dieAt?.step !== step) return;
    this.dieAt = undefined;
    const { life } = this.time;
    this.#world.later(0, () => {
      if (this.time.life !== life) return;
      this.crash(dieAt.fate);
      this.#world.later(dieAt.downMs, () => this.#world.start(this));
    });
  }

  crash(fate: CrashFate): void {
    const { diskRandom, network, clients, trace } = this.#world;
    if (this.status !== "running" && this.#process === undefined) {
      this.logDisk.crash("lost");
      this.stateDisks.crash("lost");
      return;
    }
    trace?.note(this.name, `crashes; writes in flight: log ${fate.log}, state ${fate.state}`);
    this.time.crash();
    const isTorn = crashDisk(this.logDisk, fate.log, diskRandom);
    if (isTorn && this.integrity === "sound") this.integrity = "logTorn";
    this.stateDisks.crash(fate.state);
    this.#process = undefined;
    if (this.status === "running") this.status = "down";
    network.vanish(this.id);
    clients.nodeCrashed(this.id);
  }

  /** The operator switches it off, and will not start it again. */
  switchOff(): void {
    if (this.status === "running") this.crash({ log: "lost", state: "lost" });
    this.status = "off";
  }

  damage(which: "log" | "state"): void {
    const disk = which === "log" ? this.logDisk : this.stateDisks.disk(this.durable.stateGeneration);
    const where = disk && damageRow(disk, this.#world.diskRandom);
    if (where === undefined) return;
    this.integrity = which === "log" ? "logDamaged" : "stateDamaged";
    this.#world.trace?.note(this.name, `${which} damaged: ${where}`);
  }

  wipe(): void {
    this.#world.trace?.note(this.name, "both directories are wiped");
    this.#empty();
    this.integrity = "wiped";
  }

  /** Begins anew, with an empty directory, as one that is to be let in: until then it stays off. */
  becomeJoiner(): void {
    this.#empty();
    this.integrity = "sound";
    this.refusal = undefined;
    this.status = "off";
  }

  /** The cluster has a seat for it. */
  letIn(contacts: readonly PeerAddress[]): void {
    this.origin = { kind: "joiner", contacts };
    this.status = "down";
  }

  #empty(): void {
    this.logDisk = new MemoryDisk("log");
    this.stateDisks = new MemoryStateDisks("state");
    this.durable = new DurableLog();
    this.storeId = "";
    this.checkpointIndex = 0;
    this.dieAt = undefined;
  }
}
