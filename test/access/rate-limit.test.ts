import t from "tap";
import { budgetKey, FixedWindowLimiter } from "../../src/access/rate-limit.js";

t.test("a window lets `limit` calls pass per caller and then starts anew for all", async (t) => {
  let time = 10_500;
  const limiter = new FixedWindowLimiter({ limit: 2, windowMs: 1000, now: () => time });
  t.same(limiter.spend("a"), { allowed: true, limit: 2, current: 1, remaining: 1, resetMs: 500 });
  t.match(limiter.spend("a"), { allowed: true, remaining: 0 });
  t.match(limiter.spend("a"), { allowed: false, remaining: 0, current: 3 });
  t.match(limiter.spend("b"), { allowed: true });
  time = 10_999;
  t.match(limiter.spend("a"), { allowed: false, resetMs: 1 });
  time = 11_000;
  t.match(limiter.spend("a"), { allowed: true, resetMs: 1000 });
});

t.test("more callers than it keeps share one budget", async (t) => {
  const limiter = new FixedWindowLimiter({ limit: 1, windowMs: 1000, now: () => 0 });
  for (let caller = 0; caller < 100_000; caller++) limiter.spend(`caller ${caller}`);
  t.match(limiter.spend("one more"), { allowed: true });
  t.match(limiter.spend("and one more"), { allowed: false });
  t.match(limiter.spend("caller 5"), { allowed: false, current: 2 });
});

t.test("a key's budget is the key's, any other call spends its address's", async (t) => {
  t.equal(budgetKey({ ok: true, principal: "key:12345678" }, "192.0.2.1"), "key:12345678");
  t.equal(budgetKey({ ok: true, principal: "anonymous" }, "192.0.2.1"), "address:192.0.2.1");
  t.equal(budgetKey({ ok: true, principal: "anonymous" }, "::ffff:192.0.2.1"), "address:192.0.2.1");
  const refusal = { code: "UNAUTHENTICATED", detail: "" } as const;
  t.equal(
    budgetKey({ ok: false, refusal }, "2001:db8::1"),
    budgetKey({ ok: false, refusal }, "2001:db8::2"),
    "addresses of one /64 are one caller",
  );
});
