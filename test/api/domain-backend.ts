import type { Test } from "tap";
import type { Backend } from "../../src/api/port.js";
import { encodeCommand } from "../../src/sequence/machine/command-codec.js";
import { SequenceQueries } from "../../src/sequence/machine/queries.js";
import { SequenceMachine } from "../../src/sequence/machine/sequence-machine.js";
import type { CommandResult } from "../../src/sequence/result.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import { ScriptedBackend } from "./rest-edge.js";

const NOW = Date.UTC(2026, 10, 20, 8, 30);

/** One node without a cluster: every command is an entry of its own, applied at once. */
export async function domainBackend(t: Test): Promise<Backend> {
  const state = openMemoryStateStore({ disk: new MemoryDisk(), nodeId: 1, storeId: "0".repeat(32) });
  t.teardown(() => state.close());
  const machine = new SequenceMachine(state);
  const queries = new SequenceQueries(state, machine, () => Promise.resolve());
  let index = 0;
  const cluster = new ScriptedBackend().cluster();
  return {
    propose: async (command) => {
      index += 1;
      const { result } = machine.apply(encodeCommand(command), { index, ordinal: 0, time: NOW });
      return result as CommandResult;
    },
    query: async (query) => ({
      answer: await queries.run(query, NOW),
      servedBy: 1,
      leaderId: 1,
      appliedIndex: index,
      lag: 0,
      clusterHealthy: true,
    }),
    cluster: () => cluster,
  };
}
