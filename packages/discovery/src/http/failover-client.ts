import type { HttpClient, HttpRequest, HttpResponse } from "./http-client.ts";

/**
 * Sends requests to one of several equal servers until it does not respond or responds with a 5xx status. Then the next server gets
 * the request, and the first one comes after the last. If all fail, the result is that of the last server tried. A request can
 * reach several servers, so it must be safe to repeat.
 */
export class FailoverClient {
  readonly #clients: readonly HttpClient[];
  #current = 0;

  /** @throws TypeError without a client */
  constructor(clients: readonly HttpClient[]) {
    if (clients.length === 0) throw new TypeError("no address is configured");
    this.#clients = clients;
  }

  /** The index of the client that gets the next request. */
  get current(): number {
    return this.#current;
  }

  async request(request: HttpRequest): Promise<HttpResponse> {
    const { signal } = request;
    for (let left = this.#clients.length; ; left--) {
      const asked = this.#current;
      const isLast = left === 1;
      try {
        const response = await this.at(asked, request);
        if (response.status < 500) return response;
        this.#moveOnFrom(asked);
        if (isLast || signal?.aborted) return response;
      } catch (error) {
        if (signal?.aborted) throw error;
        this.#moveOnFrom(asked);
        if (isLast) throw error;
      }
    }
  }

  /** Sends a request to this client only. */
  at(index: number, request: HttpRequest): Promise<HttpResponse> {
    return (this.#clients[index] as HttpClient).request(request);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  /** Does nothing if another request has already moved on from this client. */
  #moveOnFrom(index: number): void {
    if (this.#current === index) this.#current = (index + 1) % this.#clients.length;
  }
}
