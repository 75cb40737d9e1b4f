import type { ConnectRouter } from "@connectrpc/connect";
import { checkDefinition } from "./check-definition.ts";
import type { Definition, Kit, Needs, Parts } from "./definition.ts";

/** The minimal definition: a function that registers the handlers. */
export type Routes = (router: ConnectRouter, kit: Kit<unknown>) => void | Promise<void>;

/** Normalizes and validates a definition. @throws TypeError for an invalid one */
export function normalizeDefinition<N extends Needs, Settings>(
  given: Definition<N, Settings> | Routes,
): Definition<N, Settings> {
  if (typeof given !== "function") {
    checkDefinition(given);
    return given;
  }
  return { routes: (router: ConnectRouter, parts: Parts<N, Settings>) => given(router, parts) };
}
