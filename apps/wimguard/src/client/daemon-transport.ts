import { Code, ConnectError, type Transport } from "@connectrpc/connect";

export interface DaemonTransportOptions {
  /** Limit of unary calls. Streams last as long as their job. */
  readonly timeoutMs: number;
  /** Returns the token of a call. Default: the daemon needs none, as on its Unix socket. */
  readonly getToken: (() => string | Promise<string>) | undefined;
}

type HeadersGiven = Parameters<Transport["unary"]>[3];

/**
 * Sends a token with each call and limits unary calls. An interceptor would do this on `Headers`, which Node loads in the time that a short command
 * takes for everything else about its call.
 */
export function createDaemonTransport(
  channel: Transport,
  { timeoutMs: limitMs, getToken }: DaemonTransportOptions,
): Transport {
  async function authorized(headers: HeadersGiven): Promise<HeadersGiven> {
    if (getToken === undefined) return headers;
    const authorization = `Bearer ${await getToken()}`;
    if (headers === undefined) return { authorization };
    const all = new Headers(headers);
    if (!all.has("authorization")) all.set("authorization", authorization);
    return all;
  }

  return {
    async unary(method, signal, timeoutMs, headers, input, contextValues) {
      const limit = AbortSignal.timeout(limitMs);
      const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      try {
        return await channel.unary(method, either, timeoutMs, await authorized(headers), input, contextValues);
      } catch (error) {
        if (!limit.aborted || signal?.aborted === true) throw error;
        throw new ConnectError(`no response within ${limitMs} ms`, Code.DeadlineExceeded, undefined, undefined, error);
      }
    },
    async stream(method, signal, timeoutMs, headers, input, contextValues) {
      return channel.stream(method, signal, timeoutMs, await authorized(headers), input, contextValues);
    },
  };
}
