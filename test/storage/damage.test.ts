import t from "tap";
import { damaged, unreadable } from "../../src/storage/damage.js";

function levelError(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

t.test("running out of file descriptors is no damage, and nobody is told to set the data aside", async (t) => {
  // As getSync throws it, without a code, and as everything else rejects with it.
  for (const code of [undefined, "LEVEL_IO_ERROR"]) {
    const error = levelError("IO error: data/state/000026.ldb: Too many open files", code);
    const failure = unreadable("data/state", "The record a cannot be read", error);
    t.equal(failure.code, "READ_FAILED");
    t.match(failure.message, /^The record a cannot be read \(in data\/state\): .*Too many open files\. The node ends/);
    t.notMatch(failure.message, /repair|restore/);
    t.equal(failure.cause, error);
  }
});

t.test("what LevelDB calls corrupt is damaged, and so is a file that is not there any more", async (t) => {
  const corrupt = levelError("Corruption: bad entry in block", "LEVEL_CORRUPTION");
  const missing = levelError("IO error: data/state/000026.ldb: No such file or directory");
  for (const error of [corrupt, missing]) {
    const failure = unreadable("data/state", "The record a cannot be read", error);
    t.equal(failure.code, "DAMAGED");
    t.match(failure.message, /folio repair --rejoin/);
  }
});

t.test("what was found out already stays what it is", async (t) => {
  const failure = damaged("data/state", "The record a fails its checksum");
  t.equal(unreadable("data/state", "The state cannot be read", failure), failure);
});
