import { Command } from "commander";

/** A command that runs nodes: its code is loaded only where the command line names it. */
interface ProcessCommand {
  readonly name: string;
  readonly description: string;
  readonly load: (version: string) => Promise<Command>;
}

const processCommands: readonly ProcessCommand[] = [
  {
    name: "node",
    description: "run one node, configured by environment variables",
    load: async (version) => (await import("./node.js")).nodeCommand(version),
  },
  {
    name: "cluster",
    description: "run a local cluster, one process per node, with sample sequences",
    load: async () => (await import("./cluster.js")).clusterCommand(),
  },
];

/** Those that the command line names, ready to run; of the others as much as `folio --help` shows. */
export function loadProcessCommands(parameters: readonly string[], version: string): Promise<readonly Command[]> {
  return Promise.all(
    processCommands.map(({ name, description, load }) =>
      parameters.includes(name) ? load(version) : new Command(name).description(description),
    ),
  );
}
