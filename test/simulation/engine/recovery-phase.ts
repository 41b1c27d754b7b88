import { majority } from "../../../src/raft/quorum.js";
import { COLD_COUNT, FORCED, HOT, JUMPING } from "../operations/operation-kind.js";
import { allRows } from "./disk-damage.js";
import type { OperationStep } from "./plan.js";
import type { SimulatedNode } from "./simulated-node.js";
import type { Simulation } from "./simulation.js";

/** A command must commit within so many of the longest election timeouts once a quorum is healthy. */
const LIVENESS_TIMEOUTS = 10;
const CALL_EVERY_MS = 60;
const FINAL_ID = 1_000_000;

/** What the last phases showed. */
export interface RecoveryFigures {
  /** From the healing of a quorum to an acknowledged draw, in longest election timeouts. */
  readonly livenessTimeouts: number;
}

/**
 * The end of a run. First a quorum is healed and every other fault stays for ever: it must answer.
 * Then everything is healed that can be: it must converge, answer everything, and agree to the byte.
 */
export async function runRecovery(simulation: Simulation): Promise<RecoveryFigures> {
  const quorum = healQuorum(simulation);
  const healedAtMs = simulation.queue.nowMs;
  const timeoutMs = 2 * simulation.plan.electionTimeoutMs;
  const calls = new FinalCalls(simulation);
  await drawUntilAnswered(simulation, calls, quorum, LIVENESS_TIMEOUTS * timeoutMs);
  const livenessTimeouts = (simulation.queue.nowMs - healedAtMs) / timeoutMs;
  if (simulation.violation === undefined) await stayWithLeader(simulation, quorum, 2 * timeoutMs);
  if (simulation.violation !== undefined) return { livenessTimeouts };

  const alive = healAll(simulation);
  await settle(simulation, alive, 3 * LIVENESS_TIMEOUTS * timeoutMs);
  for (const prefix of [
    HOT,
    FORCED,
    ...JUMPING,
    ...Array.from({ length: COLD_COUNT }, (_, place) => `COLD-${place + 1}`),
  ]) {
    calls.draw(prefix, simulation.faultRandom.pick(stillAlive(alive)));
  }
  await answered(simulation, calls, LIVENESS_TIMEOUTS * timeoutMs);
  simulation.clients.stopRepeating();
  calls.readAll(stillAlive(alive));
  await settle(simulation, alive, LIVENESS_TIMEOUTS * timeoutMs);
  if (simulation.violation !== undefined) return { livenessTimeouts };
  simulation.clients.checkEnded((id) => stillAlive(alive).some((node) => node.id === id));
  await compareStates(simulation, stillAlive(alive));
  return { livenessTimeouts };
}

/** A majority of sound nodes is well and connected; whatever ails the others goes on for ever. */
function healQuorum(simulation: Simulation): SimulatedNode[] {
  const { nodes, faultRandom, trace } = simulation;
  simulation.isChaos = false;
  const sound = nodes.filter((node) => node.status !== "out" && node.integrity === "sound");
  const start = faultRandom.integer(0, sound.length - 1);
  const size = majority(nodes.length);
  const quorum = Array.from({ length: size }, (_, place) => sound[(start + place) % sound.length] as SimulatedNode);
  if (faultRandom.chance(0.5)) afflictOutsiders(simulation, quorum);
  trace?.note("world", `healed for good: ${quorum.map(({ name }) => name).join(" ")}; all else stays as it is`);
  for (const node of quorum) heal(simulation, node, quorum);
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

function healAll(simulation: Simulation): SimulatedNode[] {
  const able = simulation.nodes.filter(({ status, integrity }) => status !== "out" && integrity !== "wiped");
  simulation.trace?.note("world", `everything is healed: ${able.map(({ name }) => name).join(" ")}`);
  for (const node of able) heal(simulation, node, able);
  return able;
}

function stillAlive(nodes: readonly SimulatedNode[]): SimulatedNode[] {
  return nodes.filter(({ status }) => status === "running");
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
  node.stateDisk.failWrites(undefined);
  if (node.time.isPaused) simulation.resume(node);
  if (node.isEnding) node.crash({ log: "lost", state: "lost" });
  if (node.status === "down") simulation.awaited(node.start());
}

/** Calls of the last phases; they go on with ids of their own. */
class FinalCalls {
  readonly #simulation: Simulation;
  #nextId = FINAL_ID;
  readonly #draws: OperationStep[] = [];

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  draw(prefix: string, node: SimulatedNode): void {
    const id = this.#nextId++;
    const step = this.#step(id, "draw", prefix, node, `final-${id}`);
    this.#draws.push(step);
    this.#simulation.clients.perform(step);
  }

  /** How many of the draws have acted and were answered. */
  get answeredCount(): number {
    return this.#draws.filter(({ key }) => this.#simulation.clients.isAnswered(key)).length;
  }

  get count(): number {
    return this.#draws.length;
  }

  readAll(nodes: readonly SimulatedNode[]): void {
    for (const prefix of this.#simulation.effects.series.prefixes) {
      const node = this.#simulation.faultRandom.pick(nodes);
      this.#simulation.clients.perform(this.#step(this.#nextId++, "status", prefix, node, ""));
    }
  }

  #step(id: number, kind: OperationStep["kind"], prefix: string, node: SimulatedNode, key: string): OperationStep {
    const atMs = this.#simulation.queue.nowMs;
    const settings = { count: 1 };
    return { id, atMs, client: 99, node: node.id, kind, prefix, key, deadlineMs: 5000, attemptsMax: 200, settings };
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
  }
}

/** Until all have applied the same, all that was asked is answered, and nothing is on its way. */
async function settle(simulation: Simulation, nodes: readonly SimulatedNode[], limitMs: number): Promise<void> {
  const endMs = simulation.queue.nowMs + limitMs;
  const isSettled = () => {
    const living = stillAlive(nodes);
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
    const text = stillAlive(nodes).map(({ name, core, appliedIndex, replica }) => {
      return `${name} ${core?.roleName} t${core?.term} last ${core?.lastIndex} commit ${core?.commitIndex} applied ${appliedIndex} waiting ${replica?.waitingCount}`;
    });
    simulation.report("convergence", `after ${limitMs} ms of health: ${text.join("; ")}`);
  }
}

/** Every node writes its last checkpoint; then the rows must be equal. */
async function compareStates(simulation: Simulation, nodes: readonly SimulatedNode[]): Promise<void> {
  const indices = new Set(nodes.map(({ appliedIndex }) => appliedIndex));
  const [index] = indices;
  if (indices.size !== 1 || index === undefined) {
    simulation.report("same state everywhere", `applied indices differ at the end: ${[...indices].join(", ")}`);
    return;
  }
  for (const { replica } of nodes) if (replica !== undefined) simulation.inBackground(replica.stop());
  const isFlushed = () => nodes.every(({ checkpointIndex }) => checkpointIndex === index);
  const held = await simulation.runUntil(simulation.queue.nowMs + 3000, isFlushed);
  if (simulation.violation !== undefined) return;
  if (!held) {
    simulation.report("same state everywhere", "a last checkpoint was not written: the states could not be compared");
    return;
  }
  const sound = nodes.filter(({ integrity }) => integrity !== "stateDamaged");
  simulation.stateRows.compare(sound.map(({ id, stateDisk }) => ({ id, rows: allRows(stateDisk) })));
}
