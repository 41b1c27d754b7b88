import { Command, type HelpConfiguration, InvalidArgumentError, Option } from "commander";
import { type ControlRequest, ControlServer, tellLauncher } from "../../cluster/control.js";
import { agreeWithFounding, type Members, noteMembers } from "../../cluster/founding.js";
import { LaunchError, NoSuchNode } from "../../cluster/launch-error.js";
import { LocalCluster } from "../../cluster/launcher.js";
import type { Absence } from "../../cluster/majority.js";
import { describeExit, type NodeExit } from "../../cluster/node-process.js";
import { localPorts } from "../../cluster/ports.js";
import { loadSamples } from "../../cluster/samples.js";
import { FolioError } from "../client/error.js";
import { FolioRestClient } from "../client/rest-client.js";
import { variableNames } from "../config.js";
import { FolderFailure } from "../storage/durable-directory.js";
import { exitCode } from "./exit-code.js";
import { nodeId } from "./option-values.js";
import { refuseUnknown } from "./unknown-command.js";

interface ClusterOptions {
  readonly nodes: number;
  readonly dataDir: string;
  readonly portOffset: number;
}

const adminKey = "admin-demo";
const samplesDeadlineMs = 30_000;
/** What the launcher decides for each node; all else may be set in the environment of this command. */
const decidedHere: readonly string[] = [
  ...["NODE_ID", "HOST", "ADVERTISE_ADDRESS", "PORT", "GRPC_PORT", "PEER_PORT", "PEERS", "JOIN", "VOTER", "LEAVE"],
  ...["DATA_DIR", "ADMIN_API_KEYS"],
];

const CLUSTER_EXIT_CODES = `
Exit codes:
  0  done; of the cluster itself: stopped by a signal
  1  it could not be done, or could not go on: a sentence says why
  2  the command or a value is not valid`;

/** Of the options of `folio cluster` those that its commands go by. */
const SHOWS_DATA_DIR: HelpConfiguration = {
  showGlobalOptions: true,
  visibleGlobalOptions: (command) => command.parent?.options.filter(({ long }) => long === "--data-dir") ?? [],
};

/** `folio cluster`: a whole cluster on this machine, one process per node, until Ctrl-C. */
export function clusterCommand(): Command {
  return new Command("cluster")
    .description("run a local cluster, one process per node, with sample sequences; Ctrl-C stops it")
    .addOption(new Option("--nodes <count>", "how many nodes").choices(["3", "5"]).default(3).argParser(nodeCount))
    .option("--data-dir <folder>", "where the nodes keep their data and logs", "./data/cluster")
    .addOption(new Option("--port-offset <number>", "added to every port").default(0).argParser(portOffset))
    .addHelpText(
      "after",
      "\nNode i serves REST on 8079+i, gRPC on 9089+i and peers on 7069+i, all on 127.0.0.1. Other settings of a node " +
        "\n(LOG_LEVEL, API_KEYS, ELECTION_TIMEOUT_MS, ...) are taken from the environment. The administrator's key is " +
        `${adminKey}.\n${CLUSTER_EXIT_CODES}`,
    )
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .allowExcessArguments()
    .action(async (options: ClusterOptions, command: Command) => {
      refuseUnknown(command);
      process.exitCode = await runCluster(options);
    });
}

/** `folio cluster add`: tells the running `folio cluster` of the same data folder. */
function addCommand(): Command {
  return new Command("add")
    .description("let the local cluster that runs on --data-dir grow by a node, which becomes a voter")
    .configureHelp(SHOWS_DATA_DIR)
    .addHelpText("after", CLUSTER_EXIT_CODES)
    .action(async (_options: object, command: Command) => {
      process.stderr.write("A node is being added; within two minutes it has joined, or this says why not.\n");
      process.exitCode = await tell(command, { kind: "add" });
    });
}

/** `folio cluster remove ID` */
function removeCommand(): Command {
  return new Command("remove")
    .description("let the local cluster that runs on --data-dir shrink: stop a node in order and free its seat")
    .argument("<id>", "the node", nodeId)
    .configureHelp(SHOWS_DATA_DIR)
    .addHelpText(
      "after",
      "\nIt runs on where too few of the voters that would be left answer: first start or remove those that do not." +
        `\n${CLUSTER_EXIT_CODES}`,
    )
    .action(async (id: number, _options: object, command: Command) => {
      process.exitCode = await tell(command, { kind: "remove", id });
    });
}

async function tell(command: Command, wanted: ControlRequest): Promise<number> {
  const { dataDir } = command.optsWithGlobals<ClusterOptions>();
  try {
    say(await tellLauncher(dataDir, wanted));
    return 0;
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    process.stderr.write(`folio cluster: ${error.message}\n`);
    return error instanceof NoSuchNode ? exitCode.usage : exitCode.unexpected;
  }
}

function nodeCount(text: string): number {
  if (text === "3" || text === "5") return Number(text);
  throw new InvalidArgumentError("It must be 3 or 5.");
}

function portOffset(text: string): number {
  const offset = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (offset <= 50_000) return offset;
  throw new InvalidArgumentError("It must be a whole number from 0 to 50000.");
}

function nodeSettings(): NodeJS.ProcessEnv {
  const names = variableNames.filter((name) => !decidedHere.includes(name) && process.env[name] !== undefined);
  return { LOG_LEVEL: "info", ...Object.fromEntries(names.map((name) => [name, process.env[name]])) };
}

/** Resolves with the exit code once the cluster has stopped. */
async function runCluster(options: ClusterOptions): Promise<number> {
  try {
    const members = agreeWithFounding(options.dataDir, options);
    return await new ClusterRun(options, members).untilStopped();
  } catch (error) {
    const isUsage = error instanceof FolderFailure;
    if (!(error instanceof LaunchError || error instanceof FolioError || isUsage)) throw error;
    process.stderr.write(`folio cluster: ${error.message}\n`);
    return isUsage ? exitCode.usage : exitCode.unexpected;
  }
}

/** From the start of the nodes to the signal that stops them. */
class ClusterRun {
  readonly #options: ClusterOptions;
  readonly #cluster: LocalCluster;
  readonly #control: ControlServer;
  #phase: "starting" | "serving" | "stopping" = "starting";
  readonly #endedEarly: NodeExit[] = [];
  /** Settles `#stopped`. */
  #finish: (outcome: Promise<void>) => void = () => undefined;
  /** Resolves when the nodes have stopped after a signal; rejects when they have all ended by themselves. */
  readonly #stopped: Promise<void>;

  constructor(options: ClusterOptions, members: Members) {
    this.#options = options;
    this.#control = new ControlServer(options.dataDir, (wanted) => this.#told(wanted));
    this.#stopped = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#cluster = new LocalCluster({
      nodes: options.nodes,
      members,
      onMembers: (changed) => noteMembers(options.dataDir, options, changed),
      dataDir: options.dataDir,
      ports: (id) => localPorts(id, options.portOffset),
      env: { ...nodeSettings(), ADMIN_API_KEYS: adminKey },
      onLeftOut: (id) => say(leftOut(id, options.dataDir)),
      onWaiting: (id, why) => say(`Waiting for node ${id}: ${why}`),
      onUnexpectedExit: (exit) => this.#nodeEnded(exit),
    });
  }

  async untilStopped(): Promise<number> {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.#signalled());
    try {
      say(`Starting ${counted(this.#cluster.ids.length)}, data in ${this.#options.dataDir} ...`);
      await Promise.race([this.#serve(), this.#stopped]);
      await this.#stopped;
      say("Stopped. The data stay where they are.");
      return 0;
    } catch (error) {
      await this.#cluster.stop();
      if (this.#phase === "stopping") return 0;
      throw error;
    } finally {
      this.#control.close();
    }
  }

  async #serve(): Promise<void> {
    const absent = await this.#cluster.startMajority();
    if (this.#phase !== "starting") return;
    const serving = this.#cluster.ids.filter((id) => absent.every((absence) => absence.id !== id));
    await configureSamples(serving.map((id) => this.#cluster.rest(id)));
    if (this.#phase !== "starting") return;
    this.#phase = "serving";
    await this.#control.open();
    say(banner(this.#cluster, serving, this.#options));
    // Last: it must not scroll away.
    for (const absence of absent) say(this.#withoutIt(absence));
    for (const exit of this.#endedEarly) if (serving.includes(exit.id)) this.#nodeEnded(exit);
  }

  /** By `folio cluster add` or `remove`. */
  async #told(wanted: ControlRequest): Promise<string> {
    if (this.#phase !== "serving") throw new LaunchError("the cluster is being stopped");
    const done = wanted.kind === "add" ? await this.#add() : await this.#remove(wanted.id);
    say(done);
    return done;
  }

  async #add(): Promise<string> {
    const id = await this.#cluster.addNode();
    return `Node ${id} has joined and is a voter:\n${row(this.#cluster, id)}`;
  }

  async #remove(id: number): Promise<string> {
    const members = await this.#cluster.removeNode(id);
    return `Node ${id} was stopped and has no seat any more; members are ${members.join(", ")}.`;
  }

  #withoutIt({ id, why }: Absence): string {
    const place = `--data-dir ${this.#options.dataDir}`;
    const runs = this.#cluster.pid(id) !== undefined;
    return `The others go on without node ${id}${runs ? ", which runs and may still come" : ""}: ${why}

If its data are damaged or lost, let another node take its place; what is in its folder is kept:
  npx folio cluster remove ${id} ${place}
  npx folio cluster add ${place}
`;
  }

  #nodeEnded(exit: NodeExit): void {
    // Of a node that did not serve before the start itself tells.
    if (this.#phase === "starting") this.#endedEarly.push(exit);
    if (this.#phase !== "serving") return;
    say(`${describeExit(exit)}\nThe others go on; Ctrl-C stops them.`);
    const alive = this.#cluster.ids.some((id) => this.#cluster.pid(id) !== undefined);
    if (!alive) this.#finish(Promise.reject(new LaunchError("all nodes have ended")));
  }

  /** The first signal stops the nodes in order, a second one at once. */
  #signalled(): void {
    if (this.#phase === "stopping") {
      this.#cluster.killAll();
      return;
    }
    this.#phase = "stopping";
    say("\nStopping the nodes ...");
    this.#finish(this.#cluster.stop());
  }
}

async function configureSamples(servers: readonly string[]): Promise<void> {
  await loadSamples(new FolioRestClient({ servers, apiKey: adminKey, deadlineMs: samplesDeadlineMs }));
}

function counted(nodes: number): string {
  return nodes === 1 ? "1 node" : `${nodes} nodes`;
}

function leftOut(id: number, dataDir: string): string {
  return (
    `Node ${id} is no member of the cluster any more (folio recover, or folio members remove): it does not run, and is ` +
    `left out from now on; what is in its folder is kept. Let another one join with: npx folio cluster add --data-dir ${dataDir}`
  );
}

function row(cluster: LocalCluster, id: number): string {
  return `  node ${id}   REST ${cluster.rest(id)}   gRPC ${cluster.grpc(id)}   log ${cluster.logPath(id)}`;
}

function banner(cluster: LocalCluster, serving: readonly number[], { dataDir }: ClusterOptions): string {
  const rows = serving.map((id) => row(cluster, id));
  const [first, second = first] = serving.map((id) => cluster.rest(id));
  const members = cluster.ids.length;
  return `
Folio is up: ${serving.length < members ? `${serving.length} of ` : ""}${counted(members)}, one cluster. Ctrl-C stops it; the data in ${dataDir} stay.

${rows.join("\n")}

  API documentation   ${first}/swagger
  Keys                calls that draw need ${process.env["API_KEYS"] ? "a key of API_KEYS" : "none"}; administrators send X-API-Key: ${adminKey}

Try:
  curl ${first}/api/v1/next/SG
  curl -X POST ${second}/api/v1/batch -H 'Content-Type: application/json' -d '{"prefix":"INV","count":3}'
  npx folio members --server ${first}
  npx folio cluster add --data-dir ${dataDir}
`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
