import type { TestContext } from "node:test";

const undoing = new WeakMap<TestContext, (() => unknown)[]>();

/** Undoes something at the end of a test, what was opened last first: a service leaves its registry before that is closed. */
export function onEnd(test: TestContext, undo: () => unknown): void {
  const known = undoing.get(test);
  if (known !== undefined) {
    known.push(undo);
    return;
  }
  const all = [undo];
  undoing.set(test, all);
  test.after(async () => {
    for (const one of all.toReversed()) await one();
  });
}
