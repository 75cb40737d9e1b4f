import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { it } from "node:test";
import { changesBetween, readProcessState } from "./process-state.ts";

it("finds what a test file has changed in its process: working directory, umask, variables, globals, listeners", (t) => {
  const before = readProcessState();
  assert.deepEqual(changesBetween(before, readProcessState()), []);

  const [folder, umask] = [process.cwd(), process.umask()];
  const listener = (): void => {};
  const globals = globalThis as Record<string, unknown>;
  t.after(() => {
    process.chdir(folder);
    process.umask(umask);
    delete process.env.TERCEL_CHANGED;
    delete globals.tercelChanged;
    process.off("SIGHUP", listener).off("exit", listener);
  });
  process.chdir(tmpdir());
  process.umask(0o77);
  process.env.TERCEL_CHANGED = "yes";
  globals.tercelChanged = true;
  process.on("SIGHUP", listener).on("exit", listener);
  const changes = changesBetween(before, readProcessState());
  const hangups = process.listenerCount("SIGHUP");
  assert.deepEqual(changes.slice(1), [
    `umask was ${umask} and is ${0o77}`,
    ...(hangups === 1 ? [] : [`listeners of process event SIGHUP was ${hangups - 1} and is ${hangups}`]),
    "environment variable TERCEL_CHANGED was absent and is yes",
    "global tercelChanged was absent and is defined",
    ...(hangups === 1 ? ["listeners of process event SIGHUP was absent and is 1"] : []),
  ]);
  assert.match(changes[0] ?? "", /^working directory was \S+ and is \S+$/);
});
