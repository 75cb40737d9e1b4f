import { type MethodOfCall, methodPath } from "./method-path.ts";

/** A full method or a whole service, as users write it in options. */
const nameForm = /^[A-Za-z_][\w.]*(\/[A-Za-z_]\w*)?$/;

/** What options say about single methods (`package.Service/Method`) and whole services (`package.Service`). */
export interface MethodTable<T> {
  /** The method's own entry, else its service's, else undefined. */
  find(call: MethodOfCall): T | undefined;
}

/** @throws TypeError for a name that no method or service can have */
export function createMethodTable<T>(
  where: string,
  option: string,
  entries: Readonly<Record<string, T>> = {},
): MethodTable<T> {
  const byName = new Map(Object.entries(entries));
  for (const name of byName.keys()) {
    if (nameForm.test(name)) continue;
    throw new TypeError(
      `${where}: ${option} names ${JSON.stringify(name)}; it has to be "package.Service/Method" or "package.Service"`,
    );
  }
  // By the descriptor: putting the path together costs more than all else that is done with it.
  const known = new WeakMap<object, { readonly entry: T | undefined }>();
  return {
    find(call) {
      if (byName.size === 0) return undefined;
      let found = known.get(call.method);
      if (found === undefined) {
        found = { entry: byName.get(methodPath(call)) ?? byName.get(call.service.typeName) };
        known.set(call.method, found);
      }
      return found.entry;
    },
  };
}
