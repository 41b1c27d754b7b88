import { Command } from "commander";
import type { RestCall } from "../client/rest-client.js";
import { type ConnectionOptions, connect, talksToServer } from "./connection.js";
import { exitCodeHelp } from "./exit-code.js";
import { nodeId } from "./option-values.js";
import { type Column, list, property, writeJson, writeLine, writeRows } from "./output.js";
import { refuseUnknown } from "./unknown-command.js";

const columns: readonly Column[] = [
  ["ID", "id"],
  ["ROLE", "role"],
  ["KIND", "kind"],
  ["REACHABLE", (node) => (property(node, "reachable") === true ? "yes" : "no")],
  ["TERM", "term"],
  ["LAST", "last_index"],
  ["COMMIT", "commit_index"],
  ["APPLIED", "applied_index"],
  ["MATCH", "match_index"],
  ["BEHIND", "lag"],
  ["PEER", "address"],
  ["REST", "rest_address"],
  ["GRPC", "grpc_address"],
];

/** `folio members [list|add|promote|remove|transfer]` */
export function membersCommand(): Command {
  return new Command("members")
    .description("show and change who belongs to the cluster (changes: administrators)")
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(addCommand())
    .addCommand(promoteCommand())
    .addCommand(removeCommand())
    .addCommand(transferCommand())
    .hook("preSubcommand", refuseUnknown)
    .addHelpText("after", exitCodeHelp);
}

function listCommand(): Command {
  const command = new Command("list").description(
    "show the cluster's nodes: role, term, indices, and how many entries each is behind the leader",
  );
  return talksToServer(command, ["folio members list", "folio members -o json | jq .leader_id"]).action(
    async (options: ConnectionOptions) => {
      const body = await connect(options).call({ method: "GET", path: "/cluster", repeatability: "read" });
      if (options.output === "json") writeJson(body);
      else writeMembers(body);
    },
  );
}

function writeMembers(body: unknown): void {
  const leader = property(body, "leader_id") ?? "none known";
  const health = property(body, "healthy") === true ? "healthy" : "not healthy";
  writeLine(`cluster ${property(body, "cluster_id")}: ${health}, leader ${leader}, term ${property(body, "term")}`);
  writeRows(list(body, "nodes"), columns);
  if (property(body, "ready") === true) return;
  writeLine(`node ${property(body, "node_id")} is not ready: ${property(body, "reason")}`);
}

function addCommand(): Command {
  const command = new Command("add")
    .description(
      "let a node in that runs with PEERS and belongs to no cluster; it becomes a learner (one started with JOIN asks by itself)",
    )
    .argument("<id>", "the node's NODE_ID", nodeId)
    .argument("<address>", "host:port of its peer listener")
    .option("--voter", "make it a voter once it has caught up");
  return talksToServer(command, ["folio members add 4 10.0.0.4:7070 --voter --api-key admin-demo"]).action(
    async (id: number, address: string, options: ConnectionOptions & { readonly voter?: true }) => {
      const body = { id, address, voter: options.voter === true };
      await change(options, { method: "POST", path: "/cluster/members", body });
    },
  );
}

function promoteCommand(): Command {
  const command = new Command("promote")
    .description("make a learner that has caught up a voter")
    .argument("<id>", "the learner", nodeId);
  return talksToServer(command, ["folio members promote 4 --api-key admin-demo"]).action(
    async (id: number, options: ConnectionOptions) => {
      await change(options, { method: "POST", path: `/cluster/members/${id}/promote` });
    },
  );
}

function removeCommand(): Command {
  const command = new Command("remove")
    .description("take a node's seat away, whether it runs or not; the leader's, too")
    .argument("<id>", "the node", nodeId);
  return talksToServer(command, ["folio members remove 4 --server 10.0.0.1:8080 --api-key admin-demo"]).action(
    async (id: number, options: ConnectionOptions) => {
      await change(options, { method: "DELETE", path: `/cluster/members/${id}` });
    },
  );
}

function transferCommand(): Command {
  const command = new Command("transfer")
    .description("hand leadership over, without an error for anybody")
    .argument("[id]", "the voter that shall lead; whoever is furthest if absent", nodeId);
  return talksToServer(command, ["folio members transfer 2 --api-key admin-demo"]).action(
    async (id: number | undefined, options: ConnectionOptions) => {
      await change(options, { method: "POST", path: "/cluster/leader", body: id === undefined ? {} : { id } });
    },
  );
}

async function change(options: ConnectionOptions, call: Pick<RestCall, "method" | "path" | "body">): Promise<void> {
  // Nothing makes a change of doubtful fate safe to repeat unseen: whoever asked for it looks first.
  const body = await connect(options).call({ ...call, repeatability: "once" });
  if (options.output === "json") {
    writeJson(body);
    return;
  }
  writeLine(String(property(body, "message")));
  writeRows(list(body, "members"), [
    ["ID", "id"],
    ["KIND", "kind"],
    ["PEER", "address"],
  ]);
}
