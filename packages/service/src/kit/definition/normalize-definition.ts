import type { ConnectRouter } from "@connectrpc/connect";
import { type Definition, defineService, type Kit, type Needs, type Parts } from "./definition.ts";

/** The smallest definition: what registers the handlers. */
export type Routes = (router: ConnectRouter, kit: Kit<unknown>) => void | Promise<void>;

/** @throws TypeError for what cannot be run */
export function normalizeDefinition<N extends Needs, Settings>(
  given: Definition<N, Settings> | Routes,
): Definition<N, Settings> {
  if (typeof given !== "function") return defineService(given);
  return { routes: (router: ConnectRouter, parts: Parts<N, Settings>) => given(router, parts) };
}
