import assert from "node:assert/strict";
import { test } from "node:test";
import { ancestorsUpToNpm, areParents, onNpmEnd, type ProcessTable } from "./npm-end.ts";

/** Process 1, a terminal's shell (10), npm (20), npm's shell (30), a wrapper (40). */
function tableOf(parents: Readonly<Record<number, number>>, startedByNpm: readonly number[]): ProcessTable {
  return { parentOf: (pid) => parents[pid], isStartedByNpm: (pid) => startedByNpm.includes(pid) };
}
const parents = { 1: 0, 10: 1, 20: 10, 30: 20, 40: 30 };

test("watches the parent and its parents up to npm, and not what npm was started by", () => {
  assert.deepEqual(ancestorsUpToNpm(40, tableOf(parents, [30, 40])), [40, 30, 20]);
  assert.deepEqual(ancestorsUpToNpm(30, tableOf(parents, [30])), [30, 20]);
  assert.deepEqual(ancestorsUpToNpm(20, tableOf(parents, [])), [20]);
});

test("watches npm that was started by a script of npm, and so on to the first", () => {
  assert.deepEqual(ancestorsUpToNpm(40, tableOf(parents, [20, 30, 40])), [40, 30, 20, 10]);
});

test("watches the parent alone where nothing is known of other processes", () => {
  const unknown: ProcessTable = { parentOf: () => undefined, isStartedByNpm: () => true };
  assert.deepEqual(ancestorsUpToNpm(40, unknown), [40]);
  assert.equal(areParents([40], unknown), true);
});

test("ends at process 1, and does not follow a circle for ever", () => {
  assert.deepEqual(ancestorsUpToNpm(1, tableOf(parents, [1])), [1]);
  assert.equal(ancestorsUpToNpm(2, tableOf({ 2: 3, 3: 2 }, [2, 3])).length, 32);
});

test("notices that any of them has ended", () => {
  const ancestors = [40, 30, 20];
  assert.equal(areParents(ancestors, tableOf(parents, [])), true);
  // npm was killed, and its shell was left to process 1.
  assert.equal(areParents(ancestors, tableOf({ ...parents, 30: 1 }, [])), false);
  // The shell has ended.
  assert.equal(areParents(ancestors, tableOf({ 1: 0, 10: 1, 20: 10, 40: 1 }, [])), false);
});

test("does not call back while npm and all processes between run", (t) => {
  const before = process.env.npm_lifecycle_event;
  process.env.npm_lifecycle_event = "start";
  t.after(() => {
    if (before === undefined) delete process.env.npm_lifecycle_event;
    else process.env.npm_lifecycle_event = before;
  });
  t.mock.timers.enable({ apis: ["setInterval"] });
  const end = onNpmEnd(() => assert.fail("npm has not ended"));
  t.mock.timers.tick(5_000);
  end();
});
