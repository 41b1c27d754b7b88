import { Command } from "commander";

/** A command that runs nodes or reads their files: its code is loaded only where the command line names it. */
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
  {
    name: "backup",
    description: "copy the state of a node to a file while draws go on",
    load: async () => (await import("./backup-command.js")).backupCommand(),
  },
  {
    name: "restore",
    description: "start a new cluster of one node from a backup",
    load: async () => (await import("./restore-command.js")).restoreCommand(),
  },
  {
    name: "recover",
    description: "after the loss of a quorum: go on with one surviving node",
    load: async () => (await import("./recover-command.js")).recoverCommand(),
  },
  {
    name: "repair",
    description: "let a node whose data are damaged or lost begin anew in its cluster",
    load: async () => (await import("./repair-command.js")).repairCommand(),
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
