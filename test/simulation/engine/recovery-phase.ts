import type { DiskRow } from "../../../src/storage/disk.js";
import { quorumOf, votersOf } from "../checkers/stores.js";
import { COLD, FORCED, HOT, JUMPING, PERIODIC, STEPPED } from "../operations/prefixes.js";
import type { OperationStep } from "./plan.js";
import type { SimulatedNode } from "./simulated-node.js";
import { isSound, type Simulation } from "./simulation.js";

/** A command must commit within so many of the longest election timeouts once a quorum is healthy. */
const LIVENESS_TIMEOUTS = 10;
const TRANSFERS_AWAITED = 4;
/** Two elections, the opening entry, a session and a draw, each at two disks one after the other, and as many as were under way. */
const WRITES_AWAITED = 20;
const SLOW_CHANCE = 0.15;
/** A stop waits for writes that began on a slow disk. */
const ENDING_MS = 10_000;
const CALL_EVERY_MS = 60;
const FINAL_ID = 1_000_000;
const FINAL_CLIENT = 99;
/** Every series of these must draw in the end. */
const DRAWING = [HOT, FORCED, ...JUMPING, ...COLD, ...PERIODIC, ...STEPPED] as const;

/** What the last phases showed. */
export interface RecoveryFigures {
  /** From the healing of a quorum to an acknowledged draw, as a share of the time that it may take. */
  readonly livenessShare: number;
}

/**
 * The end of a run. First a quorum is healed and every other fault stays for ever: it must answer.
 * Then everything is healed that can be: it must converge, answer everything, and agree to the byte.
 */
export async function runRecovery(simulation: Simulation): Promise<RecoveryFigures> {
  const { quorum, slowMs } = healQuorum(simulation);
  const healedAtMs = simulation.queue.nowMs;
  const timeoutMs = 2 * simulation.plan.electionTimeoutMs;
  const calls = new FinalCalls(simulation);
  const limitMs = LIVENESS_TIMEOUTS * timeoutMs + delaysMs(simulation, slowMs);
  await drawUntilAnswered(simulation, calls, quorum, limitMs);
  const livenessShare = (simulation.queue.nowMs - healedAtMs) / limitMs;
  if (simulation.violation === undefined) await stayWithLeader(simulation, quorum, 2 * timeoutMs);
  if (simulation.violation !== undefined) return { livenessShare };

  healAll(simulation);
  await settle(simulation, 3 * LIVENESS_TIMEOUTS * timeoutMs + 2 * transfersMs(simulation));
  calls.drawFromAll();
  await answered(simulation, calls, LIVENESS_TIMEOUTS * timeoutMs);
  simulation.clients.stopRepeating();
  calls.readAll();
  await settle(simulation, LIVENESS_TIMEOUTS * timeoutMs);
  if (simulation.violation !== undefined) return { livenessShare };
  simulation.clients.checkEnded((id) => serving(simulation).some((node) => node.id === id));
  await compareStates(simulation, serving(simulation));
  return { livenessShare };
}

/**
 * A majority of the newest committed configuration is well and connected, whatever ails the others goes on for ever. A
 * change that stands in one of their logs and has not committed needs a majority of its own (section 4.1), and so
 * does one that a leader was asked for a moment ago. Now and then all its disks are slow and stay so: a vote is two
 * writes in a row, and may take longer than an election timeout.
 */
function healQuorum(simulation: Simulation): { readonly quorum: SimulatedNode[]; readonly slowMs: number } {
  const { faultRandom, trace } = simulation;
  simulation.isChaos = false;
  simulation.network.breakNoStreams();
  const slowMs = faultRandom.chance(SLOW_CHANCE) ? faultRandom.between(100, 700) : 0;
  // With more than a bare majority, some may be done with their votes while others still write theirs.
  const isEverybodyWell = slowMs > 0 && faultRandom.chance(0.5);
  const quorum = isEverybodyWell ? simulation.members().filter(isSound) : chooseQuorum(simulation);
  if (!isEverybodyWell && faultRandom.chance(0.5)) afflictOutsiders(simulation, quorum);
  trace?.note("world", `healed for good: ${quorum.map(({ name }) => name).join(" ")}; all else stays as it is`);
  for (const node of quorum) heal(simulation, node, quorum);
  // Where nobody hears them, calls would wait for the end of all faults.
  simulation.clients.callAgainAt(quorum.map(({ id }) => id).toSorted((one, other) => one - other));
  for (const node of quorum) node.extraSyncMs = slowMs;
  if (slowMs > 0) trace?.note("world", `their disks take ${slowMs.toFixed(0)} ms more`);
  return { quorum, slowMs };
}

/** What a draw may have to wait for beside elections. */
function delaysMs(simulation: Simulation, slowMs: number): number {
  // A leader whose disk stays slow may be needed for the majority that it knows: a draw waits for the write in flight, and its own.
  const slowestMs = Math.max(0, ...simulation.nodes.map(({ extraSyncMs }) => extraSyncMs));
  return transfersMs(simulation) + 2 * slowestMs + WRITES_AWAITED * slowMs;
}

/** How long the snapshots take, one after the other, that a node's voters may have to wait for. */
function transfersMs({ nodes, plan }: Simulation): number {
  const bytes = Math.max(0, ...nodes.map(({ stateRows }) => bytesOf(stateRows)));
  return (TRANSFERS_AWAITED * bytes * 1000) / plan.log.snapshotBytesPerSecond;
}

function bytesOf(rows: readonly DiskRow[]): number {
  return rows.reduce((sum, [key, row]) => sum + key.length + row.length, 0);
}

function chooseQuorum(simulation: Simulation): SimulatedNode[] {
  const { nodes, conceivableConfigurations: configurations, faultRandom } = simulation;
  // Nothing was ever founded: only all of them together can.
  if (configurations.length === 0) return nodes.filter(isSound);
  const start = faultRandom.integer(0, nodes.length - 1);
  const order = [...nodes.slice(start), ...nodes.slice(0, start)].filter(isSound);
  const quorum: SimulatedNode[] = [];
  for (const configuration of configurations) {
    const voters = votersOf(configuration);
    const holders = order.filter((node) =>
      voters.some(({ id, storeId }) => id === node.id && storeId === node.storeId),
    );
    const missing = quorumOf(voters.length) - quorum.filter((node) => holders.includes(node)).length;
    const others = holders.filter((node) => !quorum.includes(node));
    quorum.push(...others.slice(0, Math.max(0, missing)));
  }
  return quorum;
}

/** Those outside may in the end hear and be heard by anybody or not, one way or both: the worst is a leader that is only deaf. */
function afflictOutsiders({ nodes, network, faultRandom, trace }: Simulation, quorum: readonly SimulatedNode[]): void {
  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to || (quorum.includes(from) && quorum.includes(to)) || faultRandom.chance(0.5)) continue;
      network.weather(from.id, to.id).blocked = true;
      trace?.note("world", `blocked for good: ${from.name}->${to.name}`);
    }
  }
}

/** Everybody who may serve is well; who is no member is left to itself. */
function healAll(simulation: Simulation): void {
  const able = simulation.nodes.filter(
    ({ status, integrity }) => status !== "out" && status !== "off" && integrity !== "wiped",
  );
  simulation.network.loseNothing();
  simulation.clients.callAgainAt([]);
  simulation.trace?.note("world", `everything is healed: ${able.map(({ name }) => name).join(" ")}`);
  for (const node of able) heal(simulation, node, able);
}

/** The members that are up: who belongs to the cluster may change until the end. */
function serving(simulation: Simulation): SimulatedNode[] {
  return simulation.members().filter(({ status }) => status === "running");
}

function heal(simulation: Simulation, node: SimulatedNode, others: readonly SimulatedNode[]): void {
  for (const other of others) {
    if (other === node) continue;
    simulation.network.calmDown(node.id, other.id);
    simulation.network.calmDown(other.id, node.id);
  }
  node.extraSyncMs = 0;
  node.time.wallOffsetMs = 0;
  node.logDisk.failWrites(undefined);
  node.stateDisks.failWrites(undefined);
  node.dieAt = undefined;
  if (node.time.isPaused) simulation.resume(node);
  if (node.isEnding) node.crash({ log: "lost", state: "lost" });
  if (node.status === "down") simulation.awaited(node.start());
}

/** Calls of the last phases; they go on with ids of their own. */
class FinalCalls {
  readonly #simulation: Simulation;
  #nextId = FINAL_ID;
  readonly #draws: OperationStep[] = [];
  #missing = new Set<string>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Under a document: keys may be refused where too many are remembered. */
  draw(prefix: string, node: SimulatedNode): void {
    const settings = { count: 1, contiguous: true, documentRef: `final-${this.#nextId}`, documentDate: "" };
    const step = this.#step("draw", { prefix, node, attemptsMax: 200, settings });
    if (!this.#simulation.clients.prepares(step)) return;
    this.#draws.push(step);
    this.#simulation.clients.perform(step);
  }

  /** From now on every series is to draw, as soon as it can. */
  drawFromAll(): void {
    this.#missing = new Set(DRAWING);
    this.drawMissing();
  }

  /** Sequences that had to be configured first. */
  drawMissing(): void {
    for (const prefix of this.#missing) {
      const before = this.#draws.length;
      this.draw(prefix, this.#simulation.faultRandom.pick(serving(this.#simulation)));
      if (this.#draws.length > before) this.#missing.delete(prefix);
    }
  }

  /** How many of the draws have acted and were answered. */
  get answeredCount(): number {
    return this.#draws.filter(({ id }) => this.#simulation.clients.isAnswered(id)).length;
  }

  /** How many draws were made, or are still to be made. */
  get count(): number {
    return this.#draws.length + this.#missing.size;
  }

  readAll(): void {
    for (const prefix of DRAWING) {
      const node = this.#simulation.faultRandom.pick(serving(this.#simulation));
      this.#simulation.clients.perform(this.#step("status", { prefix, node, attemptsMax: 1, settings: {} }));
    }
  }

  #step(
    kind: OperationStep["kind"],
    call: { readonly prefix: string; readonly node: SimulatedNode } & Pick<OperationStep, "attemptsMax" | "settings">,
  ): OperationStep {
    const { node, ...rest } = call;
    const atMs = this.#simulation.queue.nowMs;
    return { ...rest, id: this.#nextId++, atMs, client: FINAL_CLIENT, node: node.id, kind, key: "", deadlineMs: 5000 };
  }
}

async function drawUntilAnswered(
  simulation: Simulation,
  calls: FinalCalls,
  quorum: readonly SimulatedNode[],
  limitMs: number,
): Promise<void> {
  const endMs = simulation.queue.nowMs + limitMs;
  while (simulation.violation === undefined && calls.answeredCount === 0) {
    const { nowMs } = simulation.queue;
    if (nowMs >= endMs) {
      const text = `a healthy quorum ${quorum.map(({ name }) => name).join(" ")} answered no draw within ${limitMs} ms`;
      simulation.report("liveness", text);
      return;
    }
    for (const node of quorum) if (calls.count < 40) calls.draw(HOT, node);
    await simulation.runUntil(Math.min(endMs, nowMs + CALL_EVERY_MS), () => simulation.clients.hasNewAnswer());
  }
}

/**
 * A leader of the healthy quorum is deposed by nobody, whatever those on the outside do. First what is
 * left of the time before settles: an outsider with a higher term is caught up with once (section 9.6).
 */
async function stayWithLeader(simulation: Simulation, quorum: readonly SimulatedNode[], forMs: number): Promise<void> {
  const { nodes } = simulation;
  await simulation.runUntil(simulation.queue.nowMs + forMs);
  const leader = quorum.find((node) => node.isLeader && node.core?.hasQuorum === true);
  const term = leader?.core?.term;
  if (leader === undefined || term === undefined || quorum.some((node) => node.core?.leader !== leader.id)) return;
  if (nodes.some((node) => (node.core?.term ?? 0) > term)) return;
  const handovers = countHandovers(nodes);
  await simulation.runUntil(simulation.queue.nowMs + forMs);
  if (simulation.violation !== undefined || (leader.isLeader && leader.core?.term === term)) return;
  // Its clock was wrong until just now: to hand over is its own will.
  if (countHandovers(nodes) !== handovers) return;
  simulation.report("undisturbed leader", `leader ${leader.name} of the healthy quorum lost term ${term}`);
}

function countHandovers(nodes: readonly SimulatedNode[]): number {
  return nodes.reduce((sum, { handoverCount }) => sum + handoverCount, 0);
}

async function answered(simulation: Simulation, calls: FinalCalls, limitMs: number): Promise<void> {
  const isDone = () => calls.answeredCount === calls.count;
  // Asked now and then: asking is not free.
  const endMs = simulation.queue.nowMs + limitMs;
  while (simulation.violation === undefined && !isDone()) {
    if (simulation.queue.nowMs >= endMs) {
      simulation.report(
        "liveness",
        `${calls.count - calls.answeredCount} draws of a healed cluster got no answer in ${limitMs} ms`,
      );
      return;
    }
    await simulation.runUntil(simulation.queue.nowMs + 20);
    calls.drawMissing();
  }
}

/** Until all have applied the same, all that was asked is answered, and nothing is on its way. */
async function settle(simulation: Simulation, limitMs: number): Promise<void> {
  const endMs = simulation.queue.nowMs + limitMs;
  const isSettled = () => {
    const living = serving(simulation);
    const first = living[0]?.core?.lastIndex;
    return (
      living.length > 0 &&
      living.every(
        (node) => node.core?.lastIndex === first && node.appliedIndex === first && node.replica?.waitingCount === 0,
      )
    );
  };
  while (simulation.violation === undefined) {
    await simulation.runUntil(simulation.queue.nowMs + 25);
    if (isSettled()) return;
    if (simulation.queue.nowMs < endMs) continue;
    const text = serving(simulation).map(({ name, core, appliedIndex, replica }) => {
      return `${name} ${core?.roleName} t${core?.term} last ${core?.lastIndex} commit ${core?.commitIndex} applied ${appliedIndex} waiting ${replica?.waitingCount}`;
    });
    simulation.report("convergence", `after ${limitMs} ms of health: ${text.join("; ")}`);
  }
}

/** Every node writes its last checkpoint; then the rows must be equal. */
async function compareStates(simulation: Simulation, nodes: readonly SimulatedNode[]): Promise<void> {
  // A write from before may take long, and whoever waits for it while the others have stopped elects another leader.
  const areWritten = () => nodes.every(({ checkpointIndex, appliedIndex }) => checkpointIndex === appliedIndex);
  await simulation.runUntil(simulation.queue.nowMs + ENDING_MS, areWritten);
  if (simulation.violation !== undefined) return;
  const indices = new Set(nodes.map(({ appliedIndex }) => appliedIndex));
  const [index] = indices;
  if (indices.size !== 1 || index === undefined) {
    simulation.report("same state everywhere", `applied indices differ at the end: ${[...indices].join(", ")}`);
    return;
  }
  const running = new Set(nodes);
  for (const node of nodes) {
    if (node.replica !== undefined) simulation.ending(node, node.replica.stop(), () => running.delete(node));
  }
  await simulation.runUntil(simulation.queue.nowMs + ENDING_MS, () => running.size === 0);
  if (simulation.violation !== undefined) return;
  if (running.size > 0 || nodes.some(({ checkpointIndex }) => checkpointIndex !== index)) {
    const names = [...running].map(({ name }) => name).join(" ");
    simulation.report("same state everywhere", `no last checkpoint of each to compare; still running: ${names}`);
    return;
  }
  const sound = nodes
    .filter(({ integrity }) => integrity !== "stateDamaged")
    .map(({ id, stateRows }) => ({ id, rows: stateRows }));
  simulation.stateRows.compare(sound);
  simulation.effects.memos.compareRows(sound);
}
