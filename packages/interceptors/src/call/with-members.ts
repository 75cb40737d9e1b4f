import type { Interceptor } from "@connectrpc/connect";

/** Adds members to an interceptor that has something to show or to close; getters stay getters. */
export function withMembers<Members extends object>(interceptor: Interceptor, members: Members): Interceptor & Members {
  return Object.defineProperties(interceptor, Object.getOwnPropertyDescriptors(members)) as Interceptor & Members;
}
