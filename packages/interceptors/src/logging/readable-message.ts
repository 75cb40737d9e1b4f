import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { printable } from "@tercel/grpc/internal";
import { isSecretName } from "./secret-name.ts";

/** Replaces a secret value. */
export const redacted = "[redacted]";

export interface ReadableLimits {
  /** The maximum number of characters of a string; the rest is cut. */
  readonly maxChars: number;
  /** The maximum number of items of a list or map; the rest is counted. */
  readonly maxItems: number;
  /** The maximum depth of nested messages. */
  readonly maxDepth: number;
  /** The maximum number of fields and items in total. */
  readonly maxParts: number;
}

export const defaultReadableLimits: ReadableLimits = { maxChars: 256, maxItems: 16, maxDepth: 8, maxParts: 256 };

/**
 * Converts a message to a value that can be logged. Fields with `debug_redact` in the proto and fields with secret names are masked, at any
 * depth, in lists, and under keys of maps. For bytes and the content of google.protobuf.Any, only the length is shown, because their content
 * is unknown.
 */
export function readableMessage(
  desc: DescMessage,
  message: Message,
  isSecret: (name: string) => boolean = isSecretName,
  limits: ReadableLimits = defaultReadableLimits,
): unknown {
  return new Reader(isSecret, limits).message(reflect(desc, message), 0);
}

class Reader {
  private readonly isSecret: (name: string) => boolean;
  private readonly limits: ReadableLimits;
  private parts = 0;

  constructor(isSecret: (name: string) => boolean, limits: ReadableLimits) {
    this.isSecret = isSecret;
    this.limits = limits;
  }

  message(message: ReflectMessage, depth: number): unknown {
    if (depth >= this.limits.maxDepth) return "…";
    if (message.desc.typeName === "google.protobuf.Any") return anyText(message);
    const shown: Record<string, unknown> = Object.create(null);
    for (const field of message.fields) {
      if (!message.isSet(field)) continue;
      if (this.isFull()) {
        shown["…"] = true;
        break;
      }
      shown[field.name] = this.field(message, field, depth);
    }
    return shown;
  }

  private field(message: ReflectMessage, field: DescField, depth: number): unknown {
    if (field.proto.options?.debugRedact === true || this.isSecret(field.name)) return redacted;
    if (field.fieldKind === "list") {
      const items: unknown[] = [];
      const list = message.get(field);
      for (const item of list) {
        if (items.length >= this.limits.maxItems || this.isFull()) break;
        items.push(this.value(field.listKind === "message", item, depth));
      }
      if (list.size > items.length) items.push(`… ${list.size - items.length} more`);
      return items;
    }
    if (field.fieldKind === "map") {
      const entries: Record<string, unknown> = Object.create(null);
      const map = message.get(field);
      let count = 0;
      for (const [key, item] of map) {
        if (count >= this.limits.maxItems || this.isFull()) break;
        const name = String(key);
        count++;
        entries[printable(name, this.limits.maxChars)] = this.isSecret(name)
          ? redacted
          : this.value(field.mapKind === "message", item, depth);
      }
      if (map.size > count) entries["…"] = `${map.size - count} more`;
      return entries;
    }
    return this.value(field.fieldKind === "message", message.get(field), depth);
  }

  private value(isMessage: boolean, value: unknown, depth: number): unknown {
    if (isMessage) return this.message(value as ReflectMessage, depth + 1);
    if (typeof value === "string") return printable(value, this.limits.maxChars);
    if (typeof value === "bigint") return String(value);
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    return value;
  }

  private isFull(): boolean {
    return this.parts++ >= this.limits.maxParts;
  }
}

function anyText(message: ReflectMessage): string {
  const { typeUrl, value } = message.message as unknown as { typeUrl: string; value: Uint8Array };
  return `${printable(typeUrl, 128)}, ${value.length} bytes`;
}
