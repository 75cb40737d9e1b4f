// Loaded before every test file (node --import), and before anything that imports node:test.
//
// Node's test runner learns which test a piece of code belongs to by an async hook that follows every promise, immediate and
// socket until it is collected. In a test of many promises that is most of the processor time: 300,000 awaits take 0.6 s with the
// hook and 0.02 s without. Here the runner gets the same knowledge from an AsyncLocalStorage, which Node carries along for free.
import asyncHooks, { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

type Init = NonNullable<asyncHooks.HookCallbacks["init"]>;

/** From this version on an AsyncLocalStorage needs no hook of its own. */
const firstMajor = 24;

async function replaceHook(): Promise<void> {
  const { createHook, executionAsyncId } = asyncHooks;
  const runInAsyncScope = AsyncResource.prototype.runInAsyncScope;
  /** The identifier of the test whose code runs. */
  const current = new AsyncLocalStorage<number>();
  let init: Init | undefined;
  Object.assign(asyncHooks, {
    createHook(callbacks: asyncHooks.HookCallbacks): asyncHooks.AsyncHook {
      init = callbacks.init;
      // Node numbers every promise for a hook that is enabled, an empty one included.
      const idle: asyncHooks.AsyncHook = { enable: () => idle, disable: () => idle };
      return idle;
    },
    executionAsyncId: () => current.getStore() ?? executionAsyncId(),
  });
  try {
    // The runner takes both functions when it is loaded.
    await import("node:test");
  } finally {
    Object.assign(asyncHooks, { createHook, executionAsyncId });
  }
  // A test is an AsyncResource, which runs its function in its own scope.
  AsyncResource.prototype.runInAsyncScope = function <This, Result>(
    this: AsyncResource,
    fn: (this: This, ...args: unknown[]) => Result,
    thisArg?: This,
    ...args: unknown[]
  ): Result {
    if (!("createSubtest" in this)) return Reflect.apply(runInAsyncScope, this, [fn, thisArg, ...args]) as Result;
    const id = this.asyncId();
    // The runner remembers that this test has this identifier.
    init?.(id, "Test", 0, this);
    const run = () => current.run(id, () => Reflect.apply(fn, thisArg as This, args));
    return runInAsyncScope.call(this, run) as Result;
  };
}

if (Number(process.versions.node.split(".")[0]) >= firstMajor) await replaceHook();
