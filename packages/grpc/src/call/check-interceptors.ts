import { describeValue } from "../options/describe-value.ts";

/**
 * Refuses interceptors that cannot be called: the first call would fail instead, or every call.
 *
 * @throws TypeError that names the entry and says what it has to be
 */
export function checkInterceptors(where: string, interceptors: unknown): void {
  if (interceptors === undefined) return;
  if (!Array.isArray(interceptors)) {
    throw new TypeError(`${where}: interceptors is ${describeValue(interceptors)}; it has to be an array of functions`);
  }
  for (const [index, one] of interceptors.entries()) {
    if (typeof one === "function") continue;
    // What owns something, such as a circuit breaker, is an object that has an interceptor.
    const hasOne = typeof one === "object" && one !== null && typeof one.interceptor === "function";
    const hint = hasOne ? `; did you mean its "interceptor"?` : "";
    throw new TypeError(`${where}: interceptors[${index}] is ${describeValue(one)}; it has to be a function${hint}`);
  }
}
