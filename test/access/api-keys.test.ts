import t from "tap";
import { ApiKeys } from "../../src/access/api-keys.js";

t.test("a key has a name that is stable and does not hold the key", async (t) => {
  const access = new ApiKeys({ clients: ["client-key", "other-key"], admins: ["admin-key"] });
  const names = ["client-key", "other-key", "admin-key"].map((key) => access.authorise(key, "client"));
  t.match(names, [
    { ok: true, principal: /^key:[0-9a-f]{8}$/ },
    { ok: true, principal: /^key:[0-9a-f]{8}$/ },
    { ok: true, principal: /^key:[0-9a-f]{8}$/ },
  ]);
  t.equal(new Set(names.map((name) => (name.ok ? name.principal : ""))).size, 3);
  t.same(new ApiKeys({ clients: [], admins: ["admin-key"] }).authorise("admin-key", "admin"), names[2]);
});

t.test("an administrator's key names its caller even where client calls are open", async (t) => {
  const access = new ApiKeys({ clients: [], admins: ["admin-key"] });
  t.match(access.authorise("admin-key", "client"), { ok: true, principal: /^key:/ });
  t.same(access.authorise("whatever", "client"), { ok: true, principal: "anonymous" });
  t.same(access.authorise(undefined, "client"), { ok: true, principal: "anonymous" });
});

t.test("without administrator keys, administrator calls are refused with a sentence that says why", async (t) => {
  const access = new ApiKeys({ clients: ["c"], admins: [] });
  t.match(access.authorise("c", "admin"), { ok: false, refusal: { code: "FORBIDDEN", detail: /ADMIN_API_KEYS/ } });
});

t.test("an empty, a near and an enormous key are unknown", async (t) => {
  const access = new ApiKeys({ clients: ["client-key"], admins: [] });
  for (const key of ["", "client-ke", "client-key ", "Client-key", "k".repeat(100_000)]) {
    t.match(access.authorise(key, "client"), { ok: false, refusal: { code: "UNAUTHENTICATED" } });
  }
});
