import type { HttpClient, HttpRequest, HttpResponse } from "./http-client.ts";

/**
 * Sends requests to one of several equal servers, and stays with it until it does not respond or says that something is wrong
 * on its side. Then the next one is asked, and after the last the first; the answer of the last that was asked is the answer.
 * A request may so reach two servers: it has to be one that may.
 */
export class FailoverClient {
  readonly #clients: readonly HttpClient[];
  #current = 0;

  /** @throws TypeError without a client */
  constructor(clients: readonly HttpClient[]) {
    if (clients.length === 0) throw new TypeError("no address is configured");
    this.#clients = clients;
  }

  /** Which of the clients is asked next. */
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

  /** Asks this one and no other. */
  at(index: number, request: HttpRequest): Promise<HttpResponse> {
    return (this.#clients[index] as HttpClient).request(request);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  /** Several requests may have failed at the same one. */
  #moveOnFrom(index: number): void {
    if (this.#current === index) this.#current = (index + 1) % this.#clients.length;
  }
}
