/**
 * Stands in for `folio node` where only the launcher is tested: listens where it is told to, says when it is ready,
 * stops on SIGTERM. FAKE_NODE chooses how it misbehaves, FAKE_WAITS_FOR a port that somebody listens on before it is ready, FAKE_MEMBERS whom it counts as members (nobody knows, unless given).
 */
import { createServer } from "node:http";
import { connect } from "node:net";

const { env } = process;
const behaviour = env["FAKE_NODE"] ?? "";
const members = env["FAKE_MEMBERS"] ?? "";

process.stdout.write(`${JSON.stringify({ id: env["NODE_ID"], peers: env["PEERS"], folder: env["DATA_DIR"] })}\n`);

if (behaviour === "dies") {
  process.stderr.write("the disk is made of cheese\n");
  process.exit(3);
}

process.on("SIGTERM", () => {
  process.stdout.write("stopping in order\n");
  if (behaviour !== "stubborn") process.exit(0);
});

const waitsFor = env["FAKE_WAITS_FOR"] ?? "";
let isAlone = waitsFor !== "";

function knock(): void {
  const socket = connect(Number(waitsFor), env["HOST"] ?? "", () => {
    isAlone = false;
    socket.destroy();
  });
  socket.on("error", () => setTimeout(knock, 20));
}

if (isAlone) knock();

let polls = 0;
const server = createServer((request, response) => {
  if (request.url === "/api/v1/cluster" && members !== "") {
    const ready = behaviour !== "never ready";
    const nodes = members.split(",").map((id) => ({ id: Number(id), kind: "voter", reachable: true }));
    response.writeHead(200).end(JSON.stringify({ ready, healthy: ready, nodes }));
    return;
  }
  polls += 1;
  const ready = request.url === "/ready" && behaviour !== "never ready" && polls > 1 && !isAlone;
  response.writeHead(ready ? 200 : 503).end(ready ? "" : "no leader yet");
});
server.listen(Number(env["PORT"]), env["HOST"]);
