import { once } from "node:events";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Client, status } from "@grpc/grpc-js";
import t, { type Test } from "tap";
import { fileDescriptor } from "../../src/generated/sequentialid/sequential_id.descriptor.js";
import { GetNextRequest } from "../../src/generated/sequentialid/sequential_id.js";
import { errorOf, responseOf, sendBytes, startEdge } from "./edge.js";
import { drawn } from "./scripted-backend.js";

const SERVICE = "sequentialid.SequentialIDService";
const same = (buffer: Buffer): Buffer => buffer;

/** A message with one text field. */
function text(field: number, value: string): Buffer {
  return Buffer.from(new BinaryWriter().tag(field, WireType.LengthDelimited).string(value).finish());
}

/** The length-delimited values of one field, one level down. */
function valuesOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const values: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted && wireType === WireType.LengthDelimited) values.push(reader.bytes());
    else reader.skip(wireType, field);
  }
  return values;
}

/** One request of ServerReflectionInfo, one response. */
function reflect(raw: Client, version: "v1" | "v1alpha", request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const stream = raw.makeBidiStreamRequest(path, same, same);
    stream.once("data", resolve);
    stream.once("error", reject);
    stream.write(request);
    stream.end();
  });
}

t.test("reflection lists the public services and gives their files, in both versions", async (t) => {
  const { raw } = await startEdge(t);
  for (const version of ["v1", "v1alpha"] as const) {
    const listed = await reflect(raw, version, text(7, "*"));
    const [list] = valuesOf(listed, 6);
    const names = valuesOf(list ?? new Uint8Array(), 1).map((service) =>
      Buffer.from(valuesOf(service, 1)[0] ?? []).toString(),
    );
    t.same(names.sort(), ["grpc.health.v1.Health", SERVICE], version);
    const found = await reflect(raw, version, text(4, `${SERVICE}.GetNext`));
    const [file] = valuesOf(valuesOf(found, 4)[0] ?? new Uint8Array(), 1);
    const own = Buffer.from(fileDescriptor, "base64");
    t.same(valuesOf(file ?? new Uint8Array(), 1), valuesOf(own, 1), "the file's name");
    t.equal(valuesOf(file ?? new Uint8Array(), 4).length, valuesOf(own, 4).length, "all of its messages");
  }
});

async function healthOf(raw: Client, service: string): Promise<number> {
  const answer = await responseOf<Buffer>(sendBytes(raw, "/grpc.health.v1.Health/Check", text(1, service)));
  const reader = new BinaryReader(answer);
  reader.tag();
  return reader.uint32();
}

const SERVING = 1;
const NOT_SERVING = 2;

/** Health.Watch until it says so. */
async function watchFor(t: Test, raw: Client, wanted: number): Promise<void> {
  const stream = raw.makeServerStreamRequest("/grpc.health.v1.Health/Watch", same, same, text(1, SERVICE));
  stream.on("error", () => {});
  for (;;) {
    const [answer] = (await once(stream, "data")) as [Buffer];
    if (new BinaryReader(answer.subarray(1)).uint32() === wanted) break;
  }
  stream.cancel();
  t.pass(`the watcher was told ${wanted}`);
}

t.test("the standard health service follows the node's readiness, for both of its names", async (t) => {
  const { raw, backend } = await startEdge(t);
  t.equal(await healthOf(raw, ""), SERVING);
  t.equal(await healthOf(raw, SERVICE), SERVING);
  const unknown = await errorOf(sendBytes(raw, "/grpc.health.v1.Health/Check", text(1, "no.Such")));
  t.equal(unknown.code, status.NOT_FOUND);
  backend.view = { ...backend.view, ready: false };
  await watchFor(t, raw, NOT_SERVING);
  t.equal(await healthOf(raw, ""), NOT_SERVING);
  backend.view = { ...backend.view, ready: true };
  await watchFor(t, raw, SERVING);
  t.equal(await healthOf(raw, SERVICE), SERVING);
});

t.test("draining lets calls under way finish, takes no new ones, and is not held up by watchers", async (t) => {
  const { client, raw, backend, server } = await startEdge(t, { drainMs: 60_000 });
  let finish = (): void => {};
  const asked = new Promise<void>((resolve) => {
    backend.result = () => {
      resolve();
      return new Promise((done) => {
        finish = () => done(drawn);
      });
    };
  });
  const watcher = raw.makeServerStreamRequest("/grpc.health.v1.Health/Watch", same, same, text(1, SERVICE));
  const told: number[] = [];
  watcher.on("data", (answer: Buffer) => told.push(new BinaryReader(answer.subarray(1)).uint32()));
  const watchEnded = once(watcher, "end");
  await once(watcher, "data");
  const underWay = responseOf<{ counter: bigint }>((done) =>
    client.getNext(GetNextRequest.fromPartial({ prefix: "SG" }), done),
  );
  await asked;
  const draining = server.drain();
  await watchEnded;
  t.same(told, [SERVING, NOT_SERVING]);
  const late = await errorOf((done) =>
    raw.makeUnaryRequest("/grpc.health.v1.Health/Check", same, same, text(1, ""), done),
  );
  t.equal(late.code, status.UNAVAILABLE);
  finish();
  t.equal((await underWay).counter, 1n);
  await draining;
});

t.test("draining ends at its limit where a call does not", async (t) => {
  const { client, backend, server } = await startEdge(t, { drainMs: 1 });
  const asked = new Promise<void>((resolve) => {
    backend.result = () => {
      resolve();
      return new Promise(() => {});
    };
  });
  const hanging = errorOf((done) => client.getNext(GetNextRequest.fromPartial({ prefix: "SG" }), done));
  await asked;
  await server.drain();
  server.close();
  const { code } = await hanging;
  // The reset stream or the lost connection, whichever the client sees first.
  t.ok(code === status.CANCELLED || code === status.UNAVAILABLE, status[code]);
});

t.test("a port in use is an error that names the address", async (t) => {
  const { port } = await startEdge(t);
  const other = startEdge(t).then(({ server }) => server.listen("127.0.0.1", port));
  await t.rejects(other, { message: new RegExp(`^gRPC cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`) });
});

t.test("an IPv6 host is written as one", async (t) => {
  const { server } = await startEdge(t);
  const listening = await server.listen("::1", 0).then(
    () => true,
    (error: Error) => /^gRPC cannot listen on \[::1\]:0: /.test(error.message),
  );
  t.ok(listening, "it listens, or says why on this machine it cannot");
});
