import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import closeWithGrace from "close-with-grace";
import { Command } from "commander";
import { loadConfig } from "../config.js";
import { ConfigError } from "../config-values.js";
import { ListenFailure } from "../failure.js";
import { Interrupted } from "../joining.js";
import { type RunningNode, startNode } from "../node.js";
import { claimNodeSeat } from "../node-seat.js";
import { FolderFailure } from "../storage/durable-directory.js";
import { StorageFailure } from "../storage/log-store.js";
import { createLogger } from "../telemetry/logger.js";
import { exitCode } from "./exit-code.js";

/** Calls under way are answered for this long after a signal; then the process ends anyhow. */
const GRACE_MS = 10_000;
const CLOSE_DEADLINE_MS = 20_000;

/** `folio node`: one node, configured by environment only, until SIGTERM or SIGINT. */
export function nodeCommand(version: string): Command {
  return new Command("node")
    .description("run one node, configured by environment variables; SIGTERM stops it in order")
    .addHelpText("after", HELP)
    .action(() => runNode(version));
}

const HELP = `
The variables, their defaults and what they mean are in README.md (Configuration). The first start of a
cluster needs all of PEERS:

  NODE_ID=1 PEERS=1=10.0.0.1:7070,2=10.0.0.2:7070,3=10.0.0.3:7070 HOST=10.0.0.1 folio node

Another node joins it while it runs, as a learner that becomes a voter unless VOTER=false:

  NODE_ID=4 JOIN=10.0.0.1:7070,10.0.0.2:7070 HOST=10.0.0.4 folio node

Exit codes:
  0  stopped by a signal
  1  it could not start, or had to end: the last line of its log says why
  2  the configuration is not valid`;

function isListenFailure(failure: Error): boolean {
  // REST says it in the words of the system, which name the address.
  return failure instanceof ListenFailure || (failure as NodeJS.ErrnoException).syscall === "listen";
}

/** What grpc-js would write to stderr comes as an error, too, to whoever asked; GRPC_VERBOSITY brings it back. */
function quietenGrpc(): void {
  if (process.env["GRPC_VERBOSITY"] === undefined) setLogVerbosity(logVerbosity.NONE);
}

async function runNode(version: string): Promise<void> {
  quietenGrpc();
  const config = configOrExit();
  const level = config.logLevel;
  let logger = createLogger({ level, nodeId: config.nodeId });
  const fatal = (failure: Error) => {
    const { message } = failure;
    if (isListenFailure(failure) || failure instanceof FolderFailure)
      logger.fatal(`this node cannot start: ${message}`);
    // What was found, where and the way out; whence it was noticed helps nobody.
    else if (failure instanceof StorageFailure) logger.fatal({ code: failure.code }, `this node ends: ${message}`);
    else logger.fatal({ err: failure }, "this node can no longer be trusted and ends");
    // At once: nothing may be acknowledged any more. pino writes to stdout synchronously by default.
    process.exit(exitCode.unexpected);
  };
  const stopping = new AbortController();
  const start = async (): Promise<RunningNode | undefined> => {
    try {
      const { nodeId, store } = await claimNodeSeat(config, logger, stopping.signal);
      logger = createLogger({ level, nodeId });
      const options = { config: { ...config, nodeId }, store, version, logger, fatal, stopping: stopping.signal };
      return await startNode(options);
    } catch (error) {
      if (error instanceof Interrupted) return undefined;
      throw error;
    }
  };
  const started = start();
  // From the first moment: a node may ask for long to be let in.
  closeWithGrace({ delay: CLOSE_DEADLINE_MS, logger: false }, async ({ err, signal }) => {
    if (err !== undefined) fatal(err);
    logger.info({ signal }, "stopping");
    stopping.abort();
    const node = await started;
    await node?.stop(GRACE_MS);
    logger.info("stopped");
  });
  try {
    await started;
  } catch (error) {
    fatal(error instanceof Error ? error : new Error(String(error)));
  }
}

function configOrExit() {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(exitCode.usage);
  }
}
