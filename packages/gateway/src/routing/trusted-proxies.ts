import { BlockList, isIP } from "node:net";
import type { ClientTls } from "@tercel/grpc";
import type {
  HttpExchange,
  HttpExchangeListener,
  HttpRequestHead,
  Payload,
  PreparedHead,
} from "@tercel/grpc/protocols";
import {
  addressOf,
  type ForwardedRequest,
  hasForwardedFields,
  readForwardedFields,
  withoutForwardedFields,
} from "../rules/forwarded-fields.ts";

/** Option value for connections over Unix sockets, which have no address. */
const unixSockets = "unix";

/** Proxies whose `Forwarded` and `X-Forwarded-*` headers are trusted. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #hasUnix: boolean;

  /**
   * @param proxies addresses, networks (`10.0.0.0/8`), and "unix" for every connection over a Unix socket
   * @throws TypeError for a value that is none of these
   */
  constructor(proxies: readonly string[]) {
    this.#hasUnix = proxies.includes(unixSockets);
    for (const proxy of proxies) if (proxy !== unixSockets) this.#add(proxy);
  }

  /** Returns the request with the client's address, scheme and authority. Forwarding headers from other peers are removed. */
  resolve(exchange: HttpExchange): HttpExchange {
    const { fields } = exchange.head;
    if (!hasForwardedFields(fields)) return exchange;
    const { peerAddress } = exchange;
    const isFromProxy = peerAddress === undefined ? this.#hasUnix : this.#trusts(addressOf(peerAddress) ?? "");
    const forwarded = isFromProxy
      ? readForwardedFields(fields, (address) => this.#trusts(address))
      : withoutForwardedFields(fields);
    return new ForwardedExchange(exchange, forwarded);
  }

  #trusts(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? "ipv6" : "ipv4");
  }

  #add(proxy: string): void {
    const [address = "", prefix, ...more] = proxy.split("/");
    const family = isIP(address);
    const bits = family === 6 ? 128 : 32;
    const length = prefix === undefined ? bits : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (family === 0 || more.length > 0 || !(length >= 0 && length <= bits)) {
      throw new TypeError(
        `createGateway: trustProxy has ${JSON.stringify(proxy)}; it has to be an address, a network such as 10.0.0.0/8, or "unix"`,
      );
    }
    this.#list.addSubnet(address, length, family === 6 ? "ipv6" : "ipv4");
  }
}

/** An exchange whose head and peer address come from forwarding headers. */
class ForwardedExchange implements HttpExchange {
  readonly head: HttpRequestHead;
  readonly peerAddress: string | undefined;
  readonly #inner: HttpExchange;

  constructor(inner: HttpExchange, { fields, peerAddress, scheme, authority }: ForwardedRequest) {
    const { head } = inner;
    this.#inner = inner;
    this.head = {
      ...{ ...head, fields, memo: undefined },
      ...{ scheme: scheme ?? head.scheme, authority: authority ?? head.authority },
    };
    this.peerAddress = peerAddress ?? inner.peerAddress;
  }

  get peerTls(): ClientTls | undefined {
    return this.#inner.peerTls;
  }

  get countsCalls(): boolean {
    return this.#inner.countsCalls;
  }

  get listener(): HttpExchangeListener | undefined {
    return this.#inner.listener;
  }

  set listener(listener: HttpExchangeListener | undefined) {
    this.#inner.listener = listener;
  }

  allowSlowBody(): void {
    this.#inner.allowSlowBody();
  }

  consume(bytes: number): void {
    this.#inner.consume(bytes);
  }

  lend(bytes: number): void {
    this.#inner.lend(bytes);
  }

  messageComplete(): void {
    this.#inner.messageComplete();
  }

  repay(bytes?: number): void {
    this.#inner.repay(bytes);
  }

  admit(expectedBytes: number, onAdmitted: () => void): boolean {
    return this.#inner.admit(expectedBytes, onAdmitted);
  }

  handlerBegan(): void {
    this.#inner.handlerBegan();
  }

  handlerEnded(): void {
    this.#inner.handlerEnded();
  }

  sendHead(status: number, fields: readonly string[]): void {
    this.#inner.sendHead(status, fields);
  }

  sendPreparedHead(head: PreparedHead, added: readonly string[]): void {
    this.#inner.sendPreparedHead(head, added);
  }

  sendData(bytes: Uint8Array): boolean {
    return this.#inner.sendData(bytes);
  }

  sendMessage(payload: Payload): boolean {
    return this.#inner.sendMessage(payload);
  }

  end(last?: Uint8Array): void {
    this.#inner.end(last);
  }

  reset(): void {
    this.#inner.reset();
  }
}
