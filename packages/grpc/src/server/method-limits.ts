import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { checkWholeNumber, nearestName, refuseUnknownOptions } from "../options/check-options.ts";
import { maxAnnouncedMessageBytes } from "../protocol/message-framing.ts";

/** A method (`package.Service/Method`) or all of a service (`package.Service`), by name or descriptor. */
export type MethodOrService = string | DescMethod | DescService;

/** Limits for some methods in place of the server's. */
export interface MethodLimits {
  /** Which methods: one or several. The name of a method that the server does not have is an error. */
  readonly of: MethodOrService | readonly MethodOrService[];
  /** Largest request message. Default: what the method's service has here, otherwise the server's limit. */
  readonly maxReceiveMessageBytes?: number;
  /** Largest response message. Default: likewise. */
  readonly maxSendMessageBytes?: number;
}

/** The limits that a method has in the end. */
export interface MessageLimits {
  readonly maxReceiveMessageBytes: number;
  readonly maxSendMessageBytes: number;
}

const where = "createServer: methodLimits";

/** What `methodLimits` says of each method. */
export class MethodLimitTable {
  private readonly byName = new Map<string, MethodLimits>();
  private readonly defaults: MessageLimits;

  /** @throws TypeError or RangeError for an entry that is none, or a second one of the same name */
  constructor(entries: readonly MethodLimits[], defaults: MessageLimits) {
    this.defaults = defaults;
    for (const entry of entries) {
      refuseUnknownOptions(where, entry, ["of", "maxReceiveMessageBytes", "maxSendMessageBytes"]);
      checkWholeNumber(where, "maxReceiveMessageBytes", entry.maxReceiveMessageBytes, 0, maxAnnouncedMessageBytes);
      checkWholeNumber(where, "maxSendMessageBytes", entry.maxSendMessageBytes, 0, maxAnnouncedMessageBytes);
      for (const one of [entry.of].flat() as MethodOrService[]) {
        const name = nameOf(one);
        if (this.byName.has(name)) throw new TypeError(`${where} has two entries of "${name}"`);
        this.byName.set(name, entry);
      }
    }
  }

  /** Number by number: the method's own entry, its service's, the server's. */
  of(method: DescMethod): MessageLimits {
    const { defaults } = this;
    const own = this.byName.get(nameOf(method));
    const shared = this.byName.get(nameOf(method.parent));
    return {
      maxReceiveMessageBytes:
        own?.maxReceiveMessageBytes ?? shared?.maxReceiveMessageBytes ?? defaults.maxReceiveMessageBytes,
      maxSendMessageBytes: own?.maxSendMessageBytes ?? shared?.maxSendMessageBytes ?? defaults.maxSendMessageBytes,
    };
  }

  /**
   * A limit of a method that does not exist would look as if it held.
   *
   * @throws TypeError that names it and the nearest one
   */
  refuseUnknownMethods(services: ReadonlySet<DescService>): void {
    const known = [...services].flatMap((service) => [nameOf(service), ...service.methods.map(nameOf)]);
    for (const name of this.byName.keys()) {
      if (known.includes(name)) continue;
      const nearest = nearestName(name, known);
      const hint = nearest === undefined ? `; there are ${known.join(", ")}` : `; did you mean "${nearest}"?`;
      throw new TypeError(`${where} names "${name}", which this server does not have${hint}`);
    }
  }
}

function nameOf(one: MethodOrService): string {
  if (typeof one === "string") return one;
  if (one?.kind === "service") return one.typeName;
  if (one?.kind === "rpc") return `${one.parent.typeName}/${one.name}`;
  throw new TypeError(`${where}: of has to be the name or the descriptor of a method or service`);
}
