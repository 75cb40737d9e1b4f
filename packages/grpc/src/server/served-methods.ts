import type { RawMethod, RawMethods } from "../call/raw-call.ts";
import { checkWholeNumber, refuseUnknownOptions } from "../options/check-options.ts";
import { describeValue } from "../options/describe-value.ts";
import { maxAnnouncedMessageBytes } from "../protocol/message-framing.ts";
import { parseMethodPath } from "../protocol/method-path.ts";
import type { MethodHandler, ServedMethods } from "../transport/handler/method-handler.ts";
import { RawMethodHandler } from "../transport/handler/raw-method.ts";
import type { MessageLimits } from "./method-limits.ts";

const kinds: readonly string[] = ["unary", "server_streaming", "client_streaming", "bidi_streaming"];

/** The methods that an application routes, and after them those that it serves as bytes. */
export class RoutedAndRawMethods implements ServedMethods {
  readonly #routed: ServedMethods;
  readonly #raw: RawMethods;
  readonly #limits: MessageLimits;
  /** One for each method, which learns from its calls. */
  readonly #handlers = new WeakMap<RawMethod, MethodHandler>();

  constructor(routed: ServedMethods, raw: RawMethods, limits: MessageLimits) {
    this.#routed = routed;
    this.#raw = raw;
    this.#limits = limits;
  }

  get version(): number {
    return this.#raw.version ?? 0;
  }

  /** Throws what `RawMethods.find` throws, and for a method that is none. */
  find(path: string): MethodHandler | undefined {
    const routed = this.#routed.find(path);
    if (routed !== undefined || "error" in parseMethodPath(path)) return routed;
    const method = this.#raw.find(path);
    if (method === undefined) return undefined;
    let handler = this.#handlers.get(method);
    if (handler === undefined) {
      handler = this.#createHandler(method, path);
      this.#handlers.set(method, handler);
    }
    return handler;
  }

  #createHandler(method: RawMethod, path: string): MethodHandler {
    const where = `rawMethods: ${path}`;
    refuseUnknownOptions(where, method, ["kind", "handle", "maxReceiveMessageBytes", "maxSendMessageBytes"]);
    if (!kinds.includes(method.kind)) {
      throw new TypeError(`${where}: kind is ${describeValue(method.kind)}; it has to be one of ${kinds.join(", ")}`);
    }
    if (typeof method.handle !== "function") {
      throw new TypeError(`${where}: handle is ${describeValue(method.handle)}; it has to be a function`);
    }
    const { maxReceiveMessageBytes, maxSendMessageBytes } = method;
    checkWholeNumber(where, "maxReceiveMessageBytes", maxReceiveMessageBytes, 0, maxAnnouncedMessageBytes);
    checkWholeNumber(where, "maxSendMessageBytes", maxSendMessageBytes, 0, maxAnnouncedMessageBytes);
    return new RawMethodHandler(method, {
      maxReceiveMessageBytes: maxReceiveMessageBytes ?? this.#limits.maxReceiveMessageBytes,
      maxSendMessageBytes: maxSendMessageBytes ?? this.#limits.maxSendMessageBytes,
    });
  }
}
