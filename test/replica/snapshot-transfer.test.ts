import t from "tap";
import { type BuiltSnapshot, SnapshotTransfer } from "../../src/replica/snapshot-transfer.js";
import type { StorageFailure } from "../../src/storage/log-store.js";
import { StorageFailure as Failure } from "../../src/storage/log-store.js";
import type { SnapshotHeader } from "../../src/storage/snapshot-header.js";
import { SnapshotEncoder } from "../../src/storage/snapshot-stream.js";
import type { StateBuilder, StateRow } from "../../src/storage/state-store.js";
import type { SnapshotSink, Transport } from "../../src/transport/transport.js";

// What of a snapshot is let in.

const HEADER: SnapshotHeader = {
  clusterId: "c1",
  position: { index: 100, term: 3 },
  currentTerm: 4,
  configuration: { clusterId: "c1", members: [] },
  time: 0,
  nodeId: 2,
  version: "test",
};

/** A builder that answers at once and writes down what it is given. */
class ListBuilder implements StateBuilder {
  readonly generation = 1;
  readonly rows: StateRow[] = [];
  failure: StorageFailure | undefined;

  add(rows: readonly StateRow[], done: (failure: StorageFailure | undefined) => void): void {
    this.rows.push(...rows);
    done(this.failure);
  }

  finish(done: (failure: StorageFailure | undefined) => void): void {
    done(this.failure);
  }

  abandon(done: () => void): void {
    done();
  }
}

class Receiving {
  readonly builder = new ListBuilder();
  readonly outcomes: string[] = [];
  now = 0;
  isCancelled = false;
  taken = 0;
  sink!: SnapshotSink;
  readonly transfer: SnapshotTransfer;

  constructor(over: { readonly clusterId?: string; readonly least?: number; readonly ownIndex?: number } = {}) {
    const clock = { monotonic: () => this.now, wall: () => 0 };
    this.transfer = new SnapshotTransfer({
      from: 2,
      least: over.least ?? 90,
      builder: this.builder,
      clusterId: over.clusterId ?? "c1",
      isOvertaken: (index) => index <= (over.ownIndex ?? 50),
      clock,
      built: ({ header }: BuiltSnapshot) => this.outcomes.push(`built ${header.position.index}`),
      failed: (reason) => this.outcomes.push(reason),
    });
    const transport: Pick<Transport, "fetchSnapshot"> = {
      fetchSnapshot: (_from, _least, sink) => {
        this.sink = sink;
        return {
          cancel: () => {
            this.isCancelled = true;
          },
        };
      },
    };
    this.transfer.start(transport);
  }

  give(...chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) this.sink.chunk(chunk, () => this.taken++);
    return this;
  }
}

const ROWS = [
  { key: "a", value: Uint8Array.of(1) },
  { key: "b", value: Uint8Array.of(2) },
];

function chunks(header = HEADER): [Uint8Array, Uint8Array, Uint8Array] {
  const encoder = new SnapshotEncoder();
  return [encoder.header(header), encoder.rows(ROWS), encoder.end()];
}

t.test("a whole snapshot is built, and told once", async (t) => {
  const receiving = new Receiving().give(...chunks());
  receiving.sink.ended(undefined);
  receiving.sink.ended(undefined);
  t.same(receiving.outcomes, ["built 100"]);
  t.same(
    receiving.builder.rows.map(({ key }) => key),
    ["a", "b"],
  );
  t.equal(receiving.taken, 3);
  t.equal(receiving.isCancelled, false);
});

t.test("what is of another cluster, too old, or known already is not let in", async (t) => {
  const other = new Receiving({ clusterId: "c2" }).give(chunks()[0]);
  t.match(other.outcomes, [/it is of cluster c1, and this node belongs to c2/]);
  t.equal(other.isCancelled, true);
  const old = new Receiving({ least: 101 }).give(chunks()[0]);
  t.match(old.outcomes, [/it ends at entry 100, and 101 is needed/]);
  const known = new Receiving({ ownIndex: 100 }).give(...chunks());
  t.match(known.outcomes, [/caught up without it/]);
  t.equal(known.builder.rows.length, 0, "nothing is taken after that");
  const unnamed = new Receiving({ clusterId: "" }).give(chunks()[0]);
  t.same(unnamed.outcomes, [], "whoever knows no name yet learns it from whom it follows");
});

t.test("a damaged, reordered or cut snapshot is refused", async (t) => {
  const [header, rows, end] = chunks();
  const damaged = new Uint8Array(rows);
  damaged[damaged.length - 1] = 99;
  t.match(new Receiving().give(header, damaged).outcomes, [/fails its checksum/]);
  t.match(new Receiving().give(header, end).outcomes, [/chunk 2 is in its place/i]);
  const cut = new Receiving().give(header, rows);
  cut.sink.ended(undefined);
  t.match(cut.outcomes, [/broke off before its end/]);
  const lost = new Receiving().give(header, rows);
  lost.sink.ended(new Error("the connection broke"));
  t.match(lost.outcomes, ["the connection broke"]);
});

t.test("a disk that refuses ends it, at any point", async (t) => {
  const receiving = new Receiving();
  receiving.builder.failure = new Failure("WRITE_FAILED", "no space left");
  receiving.give(...chunks());
  t.same(receiving.outcomes, ["no space left"]);
  t.equal(receiving.isCancelled, true);
  const late = new Receiving().give(...chunks());
  late.builder.failure = new Failure("WRITE_FAILED", "no space left");
  late.sink.ended(undefined);
  t.same(late.outcomes, ["no space left"]);
});

t.test("silence of the sender ends it, slowness of this node does not", async (t) => {
  const receiving = new Receiving();
  receiving.now = 14_000;
  receiving.transfer.endIfStalled(receiving.now);
  t.same(receiving.outcomes, []);
  receiving.give(chunks()[0]);
  receiving.now = 28_000;
  receiving.transfer.endIfStalled(receiving.now);
  t.same(receiving.outcomes, []);
  receiving.now = 29_000;
  receiving.transfer.endIfStalled(receiving.now);
  t.match(receiving.outcomes, [/nothing was heard of it for too long/]);
  const busy = new Receiving();
  let finishAdding: () => void = () => undefined;
  busy.builder.add = (_rows, done) => {
    finishAdding = () => done(undefined);
  };
  const [header, rows] = chunks();
  busy.give(header, rows);
  busy.now = 60_000;
  busy.transfer.endIfStalled(busy.now);
  t.same(busy.outcomes, []);
  finishAdding();
  t.equal(busy.taken, 2);
});
