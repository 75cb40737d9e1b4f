import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createRestartPolicy } from "./restart-policy.ts";
import { createSupervisedService, type ServiceSpec, type SupervisedService } from "./supervised-service.ts";

const stubPath = fileURLToPath(new URL("../../test/stub-service.ts", import.meta.url));
const running: SupervisedService[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

function supervise(args: ServiceSpec["args"], options: { entryPath?: string; killAfterMs?: number } = {}) {
  const lines: string[] = [];
  const lineSeen = new PassThrough({ objectMode: true });
  const addLine = (line: string) => {
    lines.push(line);
    lineSeen.emit("line");
  };
  const service = createSupervisedService(
    { name: "stub", entryPath: options.entryPath ?? stubPath, args },
    {
      policy: createRestartPolicy({ firstDelayMs: 1, maxDelayMs: 1 }),
      relayLine: addLine,
      ...(options.killAfterMs === undefined ? {} : { killAfterMs: options.killAfterMs }),
    },
  );
  running.push(service);
  const lineMatching = async (pattern: RegExp) => {
    for (;;) {
      const found = lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await once(lineSeen, "line");
    }
  };
  return { service, lines, lineMatching };
}

function pidOf(address: string): number {
  return Number(address.split(":")[1]);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a service starts, says where it listens, and stops when told", async () => {
  const { service, lines } = supervise(() => ["listen"]);
  const { address } = await service.start();
  assert.ok(isAlive(pidOf(address)));
  await service.stop();
  assert.ok(!isAlive(pidOf(address)));
  assert.ok(lines.includes("[stub] stopped"));
});

test("log records are relayed as they are and other text is marked with its service", async () => {
  const { service, lines } = supervise(() => ["listen"]);
  await service.start();
  await service.stop();
  assert.ok(lines.includes('{"message":"stub record"}'));
  assert.ok(lines.includes("[stub] plain text"));
});

test("a service that refuses to start is not tried again, and its reason is told", async () => {
  const { service } = supervise(() => ["refuse"]);
  await assert.rejects(service.start(), { message: "stub did not start: the port is taken" });
  await service.stop();
});

test("a service that ends before it listens is not tried again", async () => {
  const { service } = supervise(() => ["crash"]);
  await assert.rejects(service.start(), { message: "stub did not start: exit code 7" });
});

test("a program that is not there is a refusal", async () => {
  const { service } = supervise(() => [], { entryPath: `${stubPath}.missing` });
  await assert.rejects(service.start(), /stub did not start: [\s\S]*Cannot find module/);
});

test("a killed service is started again, and is told where it was", async () => {
  const launches: (string | undefined)[] = [];
  const restarted = Promise.withResolvers<void>();
  const { service, lineMatching } = supervise((address) => {
    launches.push(address);
    if (launches.length === 2) restarted.resolve();
    return ["listen"];
  });
  const { address } = await service.start();
  process.kill(pidOf(address), "SIGKILL");
  await restarted.promise;
  assert.deepEqual(launches, [undefined, address]);
  const record = JSON.parse(await lineMatching(/a service ended/));
  assert.deepEqual(
    { level: record.level, name: record.name, how: record.how, restartInMs: record.restartInMs },
    { level: "warn", name: "stub", how: "signal SIGKILL", restartInMs: 1 },
  );
});

test("a service whose restart fails is tried again and again", async () => {
  let launches = 0;
  const enough = Promise.withResolvers<void>();
  const { service } = supervise(() => {
    launches++;
    if (launches === 4) enough.resolve();
    return [launches === 1 ? "listen" : "refuse"];
  });
  process.kill(pidOf((await service.start()).address), "SIGKILL");
  await enough.promise;
  await service.stop();
  assert.equal(launches, 4);
});

test("a stop while a restart is waited for starts nothing any more", async () => {
  let launches = 0;
  const { service, lineMatching } = supervise(() => {
    launches++;
    return ["listen"];
  });
  process.kill(pidOf((await service.start()).address), "SIGKILL");
  await lineMatching(/a service ended/);
  await service.stop();
  assert.equal(launches, 1);
});

test("a service that has not come up yet can be stopped", async () => {
  const { service, lineMatching } = supervise(() => ["silent"]);
  const started = assert.rejects(service.start(), { message: "stub was stopped before it listened" });
  await lineMatching(/stub record/);
  await service.stop();
  await started;
});

test("a service that was stopped before its start never runs", async () => {
  const { service } = supervise(() => assert.fail("launched"));
  await service.stop();
  await assert.rejects(service.start(), { message: "stub was stopped before it listened" });
});

test("a service that ignores a stop is killed", async () => {
  const { service, lines } = supervise(() => ["hang"], { killAfterMs: 1 });
  const { address } = await service.start();
  await service.stop();
  assert.ok(!isAlive(pidOf(address)));
  assert.ok(lines.some((line) => line.includes('"message":"a service did not end and is killed"')));
});

test("two stops at a time are one", async () => {
  const { service, lines } = supervise(() => ["listen"]);
  await service.start();
  await Promise.all([service.stop(), service.stop()]);
  assert.equal(lines.filter((line) => line.startsWith("[stub] stopped")).length, 1);
});

test("a kill ends the process at once", async () => {
  const { service, lines } = supervise(() => ["listen"]);
  const { address } = await service.start();
  service.kill();
  await service.stop();
  assert.ok(!isAlive(pidOf(address)));
  assert.ok(!lines.some((line) => line.startsWith("[stub] stopped")));
});
