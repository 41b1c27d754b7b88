import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import t, { type Test } from "tap";
import { FaultyPort } from "../../bench/chaos/faulty-port.js";

const HOST = "127.0.0.1";

interface Pair {
  readonly port: FaultyPort;
  readonly caller: Socket;
  readonly callee: Socket;
}

/** A caller that has reached its callee through a faulty port. */
async function pairFor(t: Test): Promise<Pair> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on a port");
  const port = await FaultyPort.open(address.port, HOST);
  const caller = connect(port.number, HOST);
  const [callee] = (await once(server, "connection")) as [Socket];
  for (const socket of [caller, callee]) socket.setEncoding("utf8").on("error", () => {});
  t.teardown(async () => {
    caller.destroy();
    callee.destroy();
    await port.close();
    server.close();
  });
  return { port, caller, callee };
}

async function heard(socket: Socket): Promise<string> {
  const [text] = (await once(socket, "data")) as [string];
  return text;
}

t.test("an open port hands on what is sent, both ways, and the end of it", async (t) => {
  const { caller, callee } = await pairFor(t);
  caller.write("there");
  t.equal(await heard(callee), "there");
  callee.write("and back");
  t.equal(await heard(caller), "and back");
  caller.end();
  await once(callee, "end");
  t.ok(callee.readableEnded);
});

t.test("a deaf node is told later what it did not hear, and speaks meanwhile", async (t) => {
  const { port, caller, callee } = await pairFor(t);
  port.become("deaf");
  let text = "";
  callee.on("data", (piece: string) => {
    text += piece;
  });
  caller.write("one ");
  callee.write("mine");
  t.equal(await heard(caller), "mine");
  caller.write("two");
  t.equal(text, "");
  port.become("open");
  while (text.length < 7) await once(callee, "data");
  t.equal(text, "one two");
});

t.test("a mute node hears, and is heard later", async (t) => {
  const { port, caller, callee } = await pairFor(t);
  port.become("mute");
  callee.write("late");
  caller.write("mine");
  t.equal(await heard(callee), "mine");
  t.equal(caller.bytesRead, 0);
  port.become("open");
  t.equal(await heard(caller), "late");
});

t.test("a slow port keeps the order", async (t) => {
  const { port, caller, callee } = await pairFor(t);
  port.become("slow");
  let text = "";
  callee.on("data", (piece: string) => {
    text += piece;
  });
  for (const piece of ["a", "b", "c"]) caller.write(piece);
  while (text.length < 3) await once(callee, "data");
  t.equal(text, "abc");
});

t.test("a cut ends connections at both ends and refuses new ones until it is open again", async (t) => {
  const { port, caller, callee } = await pairFor(t);
  const ended = [once(caller, "close"), once(callee, "close")];
  port.become("cut");
  await Promise.all(ended);
  const refused = connect(port.number, HOST).on("error", () => {});
  await once(refused, "close");
  port.become("open");
  const again = connect(port.number, HOST);
  await once(again, "connect");
  t.ok(refused.destroyed);
  again.destroy();
});
