import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { recordingLog } from "@tercel/test-support/calls";
import { createServiceHealth, type Dependency } from "./service-health.ts";

function dependencyOf(name: string, required: boolean): Dependency & { problem: string | undefined } {
  const dependency = {
    name,
    required,
    problem: undefined as string | undefined,
    async check() {
      if (dependency.problem !== undefined) throw new Error(dependency.problem);
    },
    note: () => " (noted)",
  };
  return dependency;
}

test("the services and the server need what is required, the service itself and the process do not", async () => {
  const clock = createFakeClock();
  const database = dependencyOf("postgres at db:5432/users", true);
  const cache = dependencyOf("redis at cache:6379", false);
  const service = createServiceHealth([database, cache], { clock, log: recordingLog().log });
  service.serve(["users.v1.UserService"]);
  const { health } = service;
  const names = ["", "users.v1.UserService", "tercel.self", "tercel.live"];
  const statuses = () => names.map((name) => health.status(name));

  assert.deepEqual(statuses(), ["NOT_SERVING", "NOT_SERVING", "SERVING", "SERVING"]);
  assert.deepEqual(service.reasons(), ["postgres at db:5432/users: not checked yet"]);
  cache.problem = "connect ECONNREFUSED";
  await health.start();
  assert.deepEqual(statuses(), ["SERVING", "SERVING", "SERVING", "SERVING"]);
  assert.deepEqual(service.reasons(), []);
  assert.deepEqual(service.warnings(), ["redis at cache:6379: connect ECONNREFUSED (noted)"]);

  database.problem = "postgres at db:5432/users: connect ECONNREFUSED";
  await clock.advance(10_000);
  assert.deepEqual(statuses(), ["NOT_SERVING", "NOT_SERVING", "SERVING", "SERVING"]);
  assert.deepEqual(service.reasons(), ["postgres at db:5432/users: connect ECONNREFUSED (noted)"]);

  database.problem = undefined;
  await clock.advance(10_000);
  assert.equal(health.status(""), "SERVING");
  health.shutdown();
  assert.deepEqual(service.reasons(), ["service is stopping"]);
  assert.equal(clock.pendingTimers, 0);
});
