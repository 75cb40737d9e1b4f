import type { TestContext } from "node:test";

/** Whatever can be told to clean up afterwards: a test, or a suite. */
export type CleanupContext = Pick<TestContext, "after">;

const stacks = new WeakMap<CleanupContext, (() => unknown)[]>();

/**
 * Cleans up after a test, last made first gone: a folder that is removed while a daemon still writes to it would be made again. node:test
 * runs hooks in the order in which they were registered.
 */
export function afterwards(context: CleanupContext, work: () => unknown): void {
  const known = stacks.get(context);
  if (known !== undefined) {
    known.push(work);
    return;
  }
  const stack = [work];
  stacks.set(context, stack);
  context.after(() => runAll(stack.splice(0).reverse()));
}

/** The context of a suite, for what its tests share. */
export function createSuiteContext(): CleanupContext & { clean(): Promise<void> } {
  const works: (() => unknown)[] = [];
  return {
    after: (work) => void works.push(work as () => unknown),
    clean: () => runAll(works.splice(0).reverse()),
  };
}

/** All of them, even if one fails. */
async function runAll(works: readonly (() => unknown)[]): Promise<void> {
  const problems: unknown[] = [];
  for (const work of works) {
    try {
      await work();
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
}
