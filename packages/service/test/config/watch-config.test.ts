// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested here
import assert from "node:assert/strict";
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createFakeClock } from "@tercel/grpc/testing";
import { recordingLog } from "@tercel/test-support/calls";
import { looseObject, optional, strictObject } from "valibot";
import {
  ConfigError,
  type ConfigUpdate,
  choice,
  port,
  text,
  watchConfig,
  watchServiceConfig,
} from "../../src/config/index.ts";
import { createConfigFolder, writeConfigFiles } from "./config-folder.ts";

const schema = strictObject({
  level: optional(choice(["info", "debug"], { reload: true }), "info"),
  port: optional(port(), 1),
  secret: optional(text({ secret: true, reload: true })),
});

/** Watches by signs that the test gives, on a clock that it moves. */
async function watchByHand(t: TestContext, files: Record<string, string>) {
  const folder = createConfigFolder(t, files);
  const clock = createFakeClock();
  const signs = new Set<() => void>();
  const { log, logged } = recordingLog();
  const watch = await watchConfig(
    schema,
    { folder, variables: {} },
    {
      clock,
      log,
      settleMs: 300,
      pollMs: 1000,
      watchFolder(_folder, onChange) {
        signs.add(onChange);
        return () => signs.delete(onChange);
      },
    },
  );
  t.after(() => watch.close());
  const updates: ConfigUpdate<unknown>[] = [];
  watch.onChange((update) => {
    updates.push(update);
  });
  return { folder, clock, watch, updates, logged, signs };
}

describe("watchConfig", () => {
  test("takes a change when the files have settled, and says what it was", async (t) => {
    const { folder, clock, watch, updates, signs } = await watchByHand(t, { "config.yaml": "level: info\n" });
    writeConfigFiles(folder, { "config.yaml": "level: debug\n" });
    for (const sign of signs) sign();
    await clock.advance(299);
    assert.equal(updates.length, 0);
    await clock.advance(1);
    await watch.reload();
    assert.deepEqual(
      updates.map(({ changes }) => changes),
      [[{ path: "level", before: "info", after: "debug", isLive: true }]],
    );
    assert.equal(watch.current.value.level, "debug");
    assert.deepEqual(watch.counts, { taken: 1, refused: 0 });
  });

  test("says which keys need a restart, and no more once they are as at the start", async (t) => {
    const { folder, watch, updates, logged } = await watchByHand(t, { "config.yaml": "port: 1\n" });
    const warnings = () => logged.filter(({ level }) => level === "warn").map(({ message }) => message);
    writeConfigFiles(folder, { "config.yaml": "port: 2\nlevel: debug\n" });
    await watch.reload();
    await watch.reload();
    assert.deepEqual(warnings(), ["changed keys need a restart: port"]);
    assert.deepEqual(
      updates[0]?.changes.map(({ path, isLive }) => [path, isLive]),
      [
        ["level", true],
        ["port", false],
      ],
    );
    writeConfigFiles(folder, { "config.yaml": "port: 1\n" });
    await watch.reload();
    assert.equal(warnings().length, 1);
  });

  test("keeps the old state while the new one is not valid, and reports and counts that once", async (t) => {
    const { folder, watch, updates, logged } = await watchByHand(t, { "config.yaml": "level: debug\n" });
    writeConfigFiles(folder, { "config.yaml": "level: debug\nport: abc\n" });
    assert.equal(await watch.reload(), false);
    assert.equal(await watch.reload(), false);
    assert.deepEqual(
      logged.filter(({ level }) => level === "error").map(({ fields }) => fields.problem),
      ['config.yaml:2:7: port is "abc"; expected a number from 0 to 65535'],
    );
    assert.deepEqual(
      [watch.current.value, updates.length, watch.counts],
      [{ level: "debug", port: 1 }, 0, { taken: 0, refused: 1 }],
    );
    writeConfigFiles(folder, { "config.yaml": "level: info\n" });
    assert.equal(await watch.reload(), true);
    assert.deepEqual([watch.current.value.level, watch.counts], ["info", { taken: 1, refused: 1 }]);
  });

  test("notices a secret's change and does not show it", async (t) => {
    const { folder, watch, updates, logged } = await watchByHand(t, {
      "config.yaml": 'secret: "${file:s}"\n',
      s: "one",
    });
    writeConfigFiles(folder, { s: "two" });
    await watch.reload();
    assert.deepEqual(updates[0]?.changes, [{ path: "secret", before: "•••", after: "•••", isLive: true }]);
    assert.doesNotMatch(JSON.stringify(logged), /one|two/);
  });

  test("takes an overlay that appears and goes", async (t) => {
    const { folder, watch } = await watchByHand(t, {});
    writeConfigFiles(folder, { "config/local.yaml": "port: 5\n" });
    await watch.reload();
    assert.equal(watch.current.value.port, 5);
    rmSync(join(folder, "config/local.yaml"));
    await watch.reload();
    assert.equal(watch.current.value.port, 1);
  });

  test("looks regularly without a sign, and not after it was closed", async (t) => {
    const { folder, clock, watch, updates, signs } = await watchByHand(t, { "config.yaml": "level: info\n" });
    const changed = new Promise<void>((resolve) => watch.onChange(() => resolve()));
    writeConfigFiles(folder, { "config.yaml": "level: debug\n" });
    await clock.advance(1000);
    await changed;
    watch.close();
    writeConfigFiles(folder, { "config.yaml": "level: info\n" });
    await clock.advance(10_000);
    assert.deepEqual([updates.length, clock.pendingTimers, signs.size, watch.current.value.level], [1, 0, 0, "debug"]);
  });

  test("goes on after a listener throws or rejects", async (t) => {
    const { folder, watch, updates, logged } = await watchByHand(t, { "config.yaml": "level: info\n" });
    watch.onChange(() => {
      throw new Error("a bug");
    });
    watch.onChange(async () => Promise.reject(new Error("another bug")));
    const stop = watch.onChange(() => assert.fail("was stopped"));
    stop();
    writeConfigFiles(folder, { "config.yaml": "level: debug\n" });
    await watch.reload();
    writeConfigFiles(folder, { "config.yaml": "level: info\n" });
    await watch.reload();
    await new Promise(setImmediate);
    assert.equal(updates.length, 2);
    assert.equal(logged.filter(({ message }) => message === "configuration listener failed").length, 4);
  });

  for (const [name, replace] of [
    ["written in place", (folder: string) => writeConfigFiles(folder, { "config.yaml": "level: debug\n" })],
    [
      "renamed over the old one",
      (folder: string) => {
        writeConfigFiles(folder, { next: "level: debug\n" });
        renameSync(join(folder, "next"), join(folder, "config.yaml"));
      },
    ],
  ] as const) {
    test(`notices a file that is ${name} by the system's signs`, async (t) => {
      const folder = createConfigFolder(t, { "config.yaml": "level: info\n" });
      await assertNoticed(t, folder, () => replace(folder));
    });
  }

  test("notices a symlink that is swapped as Kubernetes does, and a file that a symlink leads to", async (t) => {
    const folder = createConfigFolder(t, { "..1/config.yaml": "level: info\n", "..2/config.yaml": "level: debug\n" });
    symlinkSync("..1", join(folder, "..data"));
    symlinkSync("..data/config.yaml", join(folder, "config.yaml"));
    await assertNoticed(t, folder, () => {
      symlinkSync("..2", join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    });
    rmSync(join(folder, "..data"));
    symlinkSync("..1", join(folder, "..data"));
    await assertNoticed(t, folder, () => writeFileSync(join(folder, "..1/config.yaml"), "level: debug\n"));
  });

  async function assertNoticed(t: TestContext, folder: string, change: () => void): Promise<void> {
    // No regular look: only the system's own signs can say.
    const options = { pollMs: 0, settleMs: 1, log: recordingLog().log };
    const watch = await watchConfig(schema, { folder, variables: {} }, options);
    t.after(() => watch.close());
    assert.equal(watch.current.value.level, "info");
    const noticed = new Promise<void>((resolve) => {
      watch.onChange(({ config }) => {
        if (config.value.level === "debug") resolve();
      });
    });
    change();
    await noticed;
    watch.close();
  }

  test("rejects with the problems at the start, and for options that are wrong", async (t) => {
    const folder = createConfigFolder(t, { "config.yaml": "port: abc\n" });
    await assert.rejects(watchConfig(schema, { folder, variables: {} }), ConfigError);
    const wrong = { settelMs: 1 } as object;
    await assert.rejects(watchConfig(looseObject({}), { folder }, wrong), /did you mean "settleMs"/);
    await assert.rejects(watchConfig(looseObject({}), { folder }, { settleMs: -1 }), /settleMs is -1/);
  });
});

test("watchServiceConfig knows which keys of a service are live", async (t) => {
  const folder = createConfigFolder(t, { "config.yaml": "logging: {providers: {console: {level: info}}}\n" });
  const watch = await watchServiceConfig({ folder, variables: {} }, { pollMs: 0, log: recordingLog().log });
  t.after(() => watch.close());
  let changes: readonly (string | boolean)[][] = [];
  watch.onChange((update) => {
    changes = update.changes.map(({ path, isLive }) => [path, isLive]);
  });
  writeConfigFiles(folder, { "config.yaml": "logging: {providers: {console: {level: debug}}}\nservice: {port: 5}\n" });
  await watch.reload();
  assert.deepEqual(changes, [
    ["service.port", false],
    ["logging.providers.console.level", true],
  ]);
});
