import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { nearestName } from "../options/check-options.ts";
import { describeValue } from "../options/describe-value.ts";

/**
 * Refuses an implementation that does not fit its service. A misspelt handler would otherwise leave its method unimplemented without a
 * word. Values that are not functions may be next to handlers, as their state. Of an object of a class only the handlers are looked at: its
 * other methods may serve the class itself.
 *
 * @throws TypeError that names the service, the handler, and the nearest method
 */
export function checkHandlers(service: DescService, implementation: unknown): void {
  checkKind("router.service", service, "service");
  const where = `router.service(${service.typeName})`;
  if (typeof implementation !== "object" || implementation === null) {
    throw new TypeError(
      `${where}: the implementation is ${describeValue(implementation)}; it has to be an object of handlers`,
    );
  }
  const known = service.methods.map(({ localName }) => localName);
  for (const name of known) {
    checkIsFunction(`${where}: the handler ${name}`, (implementation as Record<string, unknown>)[name], true);
  }
  if (!isPlain(implementation)) return;
  for (const name of Object.keys(implementation)) {
    if (known.includes(name) || typeof (implementation as Record<string, unknown>)[name] !== "function") continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? "." : `; did you mean "${nearest}"?`;
    throw new TypeError(`${where}: the service has no method "${name}"${hint} Its methods: ${known.join(", ")}.`);
  }
}

/** @throws TypeError when the handler of a single method cannot be called */
export function checkHandler(method: DescMethod, handler: unknown): void {
  checkKind("router.rpc", method, "rpc");
  checkIsFunction(`router.rpc(${method.parent.typeName}/${method.name}): the handler`, handler, false);
}

function checkKind(where: string, descriptor: { readonly kind?: unknown } | undefined, kind: string): void {
  if (descriptor?.kind === kind) return;
  throw new TypeError(
    `${where}: the first argument is ${describeValue(descriptor)}; it has to be the descriptor of a ${kind}`,
  );
}

function checkIsFunction(what: string, handler: unknown, isOptional: boolean): void {
  if (typeof handler === "function" || (isOptional && handler === undefined)) return;
  throw new TypeError(`${what} is ${describeValue(handler)}; it has to be a function`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
