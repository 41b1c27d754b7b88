import { Command } from "commander";
import { type ConnectionOptions, connect, talksToServer } from "./connection.js";
import { type Column, list, property, writeJson, writeLine, writeRows } from "./output.js";

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

/** `folio members` */
export function membersCommand(): Command {
  const command = new Command("members").description(
    "show the cluster's nodes: role, term, indices, and how many entries each is behind the leader",
  );
  return talksToServer(command, ["folio members", "folio members -o json | jq .leader_id"]).action(
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
