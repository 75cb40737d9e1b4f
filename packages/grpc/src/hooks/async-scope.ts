import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/**
 * A scope that is left as a whole: whatever is entered within it (`AsyncLocalStorage.enterWith`) holds for what runs in it and for all that
 * this leads to, and not for what comes after. `AsyncLocalStorage.run` gives the same for one storage, but makes two maps of all storages
 * each time, which is a tenth of a small call.
 *
 * Undefined where asynchronous contexts are not values yet (Node before 24): there what was entered would stay with the resource.
 */
export function createAsyncScope(): AsyncResource | undefined {
  return leavesWhatWasEntered() ? new AsyncResource("TercelCall") : undefined;
}

let isLeft: boolean | undefined;

function leavesWhatWasEntered(): boolean {
  isLeft ??= tryLeaving();
  return isLeft;
}

function tryLeaving(): boolean {
  const storage = new AsyncLocalStorage<boolean>();
  const resource = new AsyncResource("TercelTrial");
  resource.runInAsyncScope(() => storage.enterWith(true));
  return resource.runInAsyncScope(() => storage.getStore()) === undefined && storage.getStore() === undefined;
}
