import t from "tap";
import { reminding } from "../src/join-reminder.js";

t.test(
  "a node that waits outside says so again and again, with JOIN and the last reason, and then no more",
  async (t) => {
    const notices: string[] = [];
    const warnings: string[] = [];
    let letIn: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    const joining = {
      ask: () => Promise.reject(new Error("nobody is asked here")),
      addresses: ["10.0.0.1:7070", "10.0.0.2:7070"],
      address: "10.0.0.4:7070",
      dataDir: "unused",
      randomId: () => "0".repeat(32),
      notice: (message: string) => notices.push(message),
    };
    const warn = (message: string): void => {
      warnings.push(message);
      if (warnings.length === 2) letIn();
    };
    const result = await reminding(joining, { warn, intervalMs: 5 }, async ({ notice }) => {
      notice("nobody listens there");
      await waits;
      return "in";
    });
    t.equal(result, "in");
    t.same(notices, ["nobody listens there"]);
    for (const warning of warnings) {
      t.match(
        warning,
        /^Not in the cluster after \d+ s\. JOIN is 10\.0\.0\.1:7070,10\.0\.0\.2:7070\. nobody listens there$/,
      );
    }
    t.equal(warnings.length, 2);
  },
);
