import type { Interceptor } from "@connectrpc/connect";

/** Adds properties and methods to an interceptor; getters stay getters. */
export function withMembers<Members extends object>(interceptor: Interceptor, members: Members): Interceptor & Members {
  return Object.defineProperties(interceptor, Object.getOwnPropertyDescriptors(members)) as Interceptor & Members;
}
