import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import t from "tap";
import { parse } from "yaml";
import { localPorts } from "../../cluster/ports.js";
import { loadConfig, variableNames } from "../../src/config.js";

/** The top of the repository, three folders above dist/test/tooling. */
const root = fileURLToPath(new URL("../../../", import.meta.url));

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

interface ComposeNode {
  readonly depends_on?: readonly string[];
  readonly deploy?: { readonly replicas: number };
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly ports: readonly string[];
  readonly profiles?: readonly string[];
  readonly restart: string;
  readonly stop_grace_period: string;
  /** Undefined: what the image declares. */
  readonly volumes?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeNode>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** `${NAME:-default}` as Compose replaces it. */
function interpolate(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, preset: string) => env[name] || preset);
}

function compose(env: NodeJS.ProcessEnv): Compose {
  const replaced = (_: unknown, value: unknown): unknown =>
    typeof value === "string" ? interpolate(value, env) : value;
  return parse(read("docker-compose.yml"), replaced, { merge: true }) as Compose;
}

/** The lines of the Dockerfile that start with an instruction, its parameters behind it. */
function instructions(name: string): string[] {
  const lines = read("cluster/Dockerfile").replace(/\\\n/g, " ").split("\n");
  return lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length).trim());
}

function imageEnvironment(): Record<string, string> {
  const words = instructions("ENV").flatMap((line) => line.split(/\s+/));
  return Object.fromEntries(words.map((word) => word.split(/=(.*)/, 2) as [string, string]));
}

/** What a container of the service has in its environment. */
function environmentOf(node: ComposeNode): Record<string, string> {
  return { ...imageEnvironment(), ...node.environment };
}

const three = compose({});
const five = compose(parseEnv(read("cluster/five.env")) as NodeJS.ProcessEnv);

/** Without --scale. */
function startedBy(file: Compose, profile: string | undefined): [string, ComposeNode][] {
  return Object.entries(file.services).filter(
    ([, { profiles, deploy }]) =>
      deploy?.replicas !== 0 && (profiles === undefined || (profile !== undefined && profiles.includes(profile))),
  );
}

const clusters = [
  { title: "three nodes", nodes: startedBy(three, undefined), size: 3 },
  { title: "five nodes", nodes: startedBy(five, "five"), size: 5 },
];

for (const { title, nodes, size } of clusters) {
  t.test(`${title}: what Compose starts is exactly the founding members, each under its own name and id`, (t) => {
    t.equal(nodes.length, size);
    const members = nodes.map(([name], place) => ({ id: place + 1, address: `${name}:7070` }));
    for (const [place, [name, node]] of nodes.entries()) {
      const config = loadConfig(environmentOf(node));
      t.equal(config.nodeId, place + 1);
      t.strictSame(config.peers, members, `${name} knows all members`);
      t.equal(config.advertiseAddress, name, "the others reach it by its name");
      t.equal(config.host, "0.0.0.0", "a published port needs more than loopback");
      t.equal(config.peerPort, 7070);
      t.equal(config.dataDir, "/data");
    }
    t.end();
  });

  t.test(`${title}: every variable is one that a node reads`, (t) => {
    const known: readonly string[] = [...variableNames, "NODE_ENV"];
    for (const [name, node] of nodes) {
      const unknown = Object.keys(environmentOf(node)).filter((variable) => !known.includes(variable));
      t.strictSame(unknown, [], name);
    }
    t.end();
  });

  t.test(`${title}: node i is published where a local cluster has it, on loopback only`, (t) => {
    for (const [place, [, node]] of nodes.entries()) {
      const { rest, grpc } = localPorts(place + 1);
      const config = loadConfig(environmentOf(node));
      t.strictSame(node.ports, [`127.0.0.1:${rest}:${config.port}`, `127.0.0.1:${grpc}:${config.grpcPort}`]);
    }
    t.end();
  });

  t.test(`${title}: each node has a volume of its own, time to stop, and a check of its readiness`, (t) => {
    for (const [name, node] of nodes) {
      t.strictSame(node.volumes, [`${name}:/data`]);
      t.ok(name in three.volumes, "the volume is declared");
      t.match(node.stop_grace_period, /^[1-9]\d+s$/);
      t.equal(node.restart, "unless-stopped");
      const port = loadConfig(environmentOf(node)).port;
      t.match(node.healthcheck.test.join(" "), `http://127.0.0.1:${port}/ready'`);
    }
    t.end();
  });
}

const learner = three.services["learner"];
const container = () => ({ eth0: [{ address: "172.18.0.7", internal: false }] });

t.test(
  "--scale learner=N starts learners that ask any founder for a seat and give it up when they are stopped",
  (t) => {
    if (learner === undefined) throw new Error("there is a service of learners");
    t.equal(learner.deploy?.replicas, 0, "without --scale there is none");
    const config = loadConfig(environmentOf(learner), container);
    const founders = startedBy(three, undefined).map(([name]) => name);
    t.match(config, { nodeId: "auto", peers: [], voter: false, leave: true, host: "0.0.0.0", dataDir: "/data" });
    t.strictSame(
      config.join,
      founders.map((name) => `${name}:7070`),
      "the names are the services', found by DNS",
    );
    t.equal(config.advertiseAddress, "172.18.0.7", "the container's own address: its name means all of them");
    t.strictSame(learner.depends_on, founders, "they stop before those who take their seats back");
    t.equal(learner.volumes, undefined, "a named volume would be shared by all of them");
    t.match(learner.stop_grace_period, /^[1-9]\d+s$/);
    const known: readonly string[] = [...variableNames, "NODE_ENV"];
    t.strictSame(
      Object.keys(environmentOf(learner)).filter((variable) => !known.includes(variable)),
      [],
    );
    t.end();
  },
);

t.test("learners are published on ports of their own, on loopback, as many as there may be", (t) => {
  const ranges = (learner?.ports ?? []).map((port) =>
    /^127\.0\.0\.1:(\d+)-(\d+):(\d+)$/.exec(port)?.slice(1).map(Number),
  );
  const config = loadConfig(environmentOf(learner ?? (startedBy(three, undefined)[0]?.[1] as ComposeNode)), container);
  t.strictSame(
    ranges.map((range) => range?.[2]),
    [config.port, config.grpcPort],
  );
  const taken = [1, 2, 3, 4, 5].flatMap((id) => Object.values(localPorts(id)));
  for (const [first = 0, last = 0] of ranges.map((range) => range ?? [])) {
    t.equal(last - first, 9);
    t.notOk(taken.some((port) => port >= first && port <= last));
  }
  t.end();
});

t.test("README.md walks through scaling with the ports and variables of the Compose file", (t) => {
  const section = read("README.md").split("## More front doors")[1]?.split("\n## ")[0] ?? "";
  t.match(section, "--scale learner=2");
  for (const [name, value] of Object.entries(learner?.environment ?? {})) {
    if (["NODE_ID", "ADVERTISE_ADDRESS", "VOTER", "LEAVE"].includes(name)) t.match(section, `${name}=${value}`);
  }
  t.match(section, "8090");
  t.end();
});

t.test("no key is built in: without one, administrators are refused", (t) => {
  for (const [, node] of startedBy(five, "five")) {
    const config = loadConfig(environmentOf(node));
    t.strictSame([config.apiKeys, config.adminApiKeys], [[], []]);
  }
  t.end();
});

t.test("the image is built from what is in the repository and let through by .dockerignore", (t) => {
  const { context, dockerfile } = startedBy(three, undefined)[0]?.[1].build ?? { context: "", dockerfile: "" };
  t.ok(existsSync(join(root, context, dockerfile)));
  const ignore = read(".dockerignore").split("\n");
  t.ok(ignore.includes("*"), "everything is left out but what is named");
  const copied = instructions("COPY").filter((line) => !line.startsWith("--from"));
  const sources = copied.flatMap((line) => line.split(/\s+/).slice(0, -1));
  t.ok(sources.length > 10);
  for (const source of sources) {
    t.ok(existsSync(join(root, source)), `${source} exists`);
    t.ok(ignore.includes(`!${source}`), `${source} is let through`);
  }
  t.end();
});

t.test("the image runs `folio node` without privileges, stops by SIGTERM and keeps data in a volume", (t) => {
  const { engines, bin } = JSON.parse(read("package.json")) as {
    readonly engines: { readonly node: string };
    readonly bin: { readonly folio: string };
  };
  const images = instructions("FROM");
  t.equal(images.length, 2, "compilers stay in the first stage");
  for (const image of images) t.match(image, `node:${/\d+/.exec(engines.node)?.[0]}-bookworm-slim`);
  t.strictSame(instructions("ENTRYPOINT"), [JSON.stringify(["node", bin.folio]).replace(",", ", ")]);
  t.strictSame(instructions("CMD"), ['["node"]']);
  t.strictSame(instructions("USER"), ["node"]);
  t.strictSame(instructions("STOPSIGNAL"), ["SIGTERM"]);
  t.strictSame(instructions("VOLUME"), [imageEnvironment()["DATA_DIR"]]);
  t.match(instructions("HEALTHCHECK")[0], "/livez'");
  t.match(instructions("RUN").join("\n"), "npm ci --omit=dev");
  const { port, grpcPort, peerPort } = loadConfig({});
  t.strictSame(instructions("EXPOSE"), [`${port} ${grpcPort} ${peerPort}`]);
  t.end();
});

t.test("README.md says of every variable what it means, and of no other", (t) => {
  const table = read("README.md").split("| variable | default | meaning |")[1]?.split("\n\n")[0] ?? "";
  const named = table.split("\n").flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([A-Z_]+)`/g)]);
  t.strictSame(named.map(([, name]) => name).sort(), [...variableNames].sort());
  t.end();
});
