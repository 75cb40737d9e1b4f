import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createFakeClock } from "@tercel/grpc/testing";
import { createInstance, type ServiceInstance } from "./instance.ts";
import { RegistrationKeeper } from "./keep-registered.ts";

/** Registrations with a registry whose responses the test controls. */
function setUp() {
  const clock = createFakeClock();
  const steps: string[] = [];
  const answers = {
    place: async () => ({ renewAfterMs: 1000 }),
    renew: async () => true,
    remove: async () => {},
  };
  const lease = {
    place(instance: ServiceInstance) {
      steps.push(`place ${instance.health}`);
      return answers.place();
    },
    renew() {
      steps.push("renew");
      return answers.renew();
    },
    remove() {
      steps.push("remove");
      return answers.remove();
    },
  };
  const log = { debug() {}, info() {}, warn: (message: string) => void steps.push(`warn: ${message}`), error() {} };
  const kept = new RegistrationKeeper({
    clock,
    log,
    backoff: (failures) => 100 * 2 ** failures,
    description: "the registry",
    registerTimeoutMs: 5000,
  });
  const instance = createInstance({ id: "a", name: "orders", address: "a", port: 1 });
  return { clock, steps, answers, register: () => kept.register(instance, lease), kept };
}

const away = async (): Promise<never> => {
  throw new ConnectError("away", Code.Unavailable);
};

test("renews at the interval that the registry returned", async () => {
  const { clock, steps, register, kept } = setUp();
  const one = await register();
  assert.equal(one.isConfirmed, true);
  await clock.advance(999);
  assert.deepEqual(steps, ["place serving"]);
  await clock.advance(1001);
  assert.deepEqual(steps, ["place serving", "renew", "renew"]);
  await kept.close();
  assert.equal(steps.at(-1), "remove");
  assert.equal(clock.pendingTimers, 0);
});

test("registers again when the registry has lost the instance", async () => {
  const { clock, steps, answers, register, kept } = setUp();
  await register();
  answers.renew = async () => false;
  await clock.advance(1000);
  assert.deepEqual(steps.slice(1), [
    "renew",
    "warn: the registry has lost an instance: registering it again",
    "place serving",
  ]);
  await kept.close();
});

test("retries with growing delays that never exceed the renewal interval", async () => {
  const { clock, steps, answers, register, kept } = setUp();
  const one = await register();
  answers.renew = away;
  await clock.advance(1000);
  assert.equal(one.isConfirmed, false);
  steps.length = 0;
  await clock.advance(100 + 200 + 400 + 800 + 1000 + 1000);
  assert.deepEqual(steps, Array(6).fill("renew"));
  answers.renew = async () => true;
  await clock.advance(1000);
  assert.equal(one.isConfirmed, true);
  await kept.close();
});

test("sends a change at once, and retries until the registry has it", async () => {
  const { clock, steps, answers, register, kept } = setUp();
  const one = await register();
  answers.place = away;
  one.setHealth("not_serving");
  await clock.advance(0);
  assert.equal(steps[1], "place not_serving");
  answers.place = async () => ({ renewAfterMs: 1000 });
  await clock.advance(100);
  assert.equal(steps.at(-1), "place not_serving");
  assert.equal(one.isConfirmed, true);
  assert.equal(one.instance.health, "not_serving");
  await kept.close();
});

test("gives up a registration after its timeout, with the last failure as the reason", async () => {
  const { clock, steps, answers, register } = setUp();
  answers.place = away;
  const failing = register();
  const rejected = assert.rejects(failing, (error) => {
    assert.equal(ConnectError.from(error).code, Code.Unavailable);
    assert.equal(ConnectError.from(error).rawMessage, "cannot register orders (a) with the registry within 5 s: away");
    return true;
  });
  await clock.advance(0);
  await clock.advance(5000);
  await rejected;
  // In case the last attempt succeeded in the registry.
  assert.equal(steps.at(-1), "remove");
  assert.equal(clock.pendingTimers, 0);
  answers.place = async () => ({ renewAfterMs: 1000 });
  await register();
});

test("a rejection is reported at once, because a retry would not help", async () => {
  const { clock, answers, register } = setUp();
  answers.place = async () => {
    throw new ConnectError("no", Code.PermissionDenied);
  };
  await assert.rejects(register(), /the registry refuses to register orders \(a\): no/);
  await clock.advance(0);
  assert.equal(clock.pendingTimers, 0);
});

test("a later rejection does not end a registration", async () => {
  const { clock, answers, register, kept } = setUp();
  const one = await register();
  answers.renew = async () => {
    throw new ConnectError("token expired", Code.Unauthenticated);
  };
  await clock.advance(1000);
  assert.equal(one.isConfirmed, false);
  answers.renew = async () => true;
  await clock.advance(100);
  assert.equal(one.isConfirmed, true);
  await kept.close();
});

test("deregistering before the first success rejects the registration", async () => {
  const { clock, answers, register, kept } = setUp();
  answers.place = away;
  const rejected = assert.rejects(register(), (error) => ConnectError.from(error).code === Code.Canceled);
  await clock.advance(0);
  await kept.close();
  await rejected;
  assert.equal(clock.pendingTimers, 0);
});

test("deregistering waits for the step in progress, which cannot register the instance again", async () => {
  const { steps, answers, register } = setUp();
  const one = await register();
  let finish: () => void = () => {};
  answers.place = () =>
    new Promise((resolve) => {
      finish = () => resolve({ renewAfterMs: 1000 });
    });
  one.setHealth("not_serving");
  await Promise.resolve();
  const ended = one.deregister();
  await new Promise(setImmediate);
  assert.equal(steps.at(-1), "place not_serving");
  finish();
  await ended;
  assert.equal(steps.at(-1), "remove");
});

test("an unreachable registry does not stop a process from closing", async () => {
  const { steps, answers, register, kept } = setUp();
  await register();
  answers.remove = away;
  await kept.close();
  assert.equal(steps.at(-1), "warn: cannot deregister an instance");
});
