import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { ScriptedPeer } from "@tercel/http2/testing";
import type { Mask } from "@tercel/test-support/golden";
import manifest from "../../package.json" with { type: "json" };

const dataType = 0;
const headersType = 1;
const prefixBytes = 5;
const maxHexBytes = 200;

/**
 * The client's name has the version of this package in it: `{user-agent}` in recordings. `prefixes` are those that a test puts before it.
 */
export function userAgentMask(prefixes: readonly string[]): Mask {
  const userAgent = `grpc-tercel/${manifest.version}`;
  const encodings = ["", ...prefixes].map((prefix) => encodedValue(`${prefix}${userAgent}`));
  return {
    hide({ type, payload }) {
      const encoded = type === headersType ? encodings.find((one) => payload.includes(one)) : undefined;
      if (encoded === undefined) return undefined;
      const start = payload.indexOf(encoded);
      return { start, end: start + encoded.length, text: "user-agent" };
    },
    fieldValue: (name, value) => (name === "user-agent" ? value.replace(userAgent, "{user-agent}") : value),
  };
}

/** A literal with an indexed name is a byte for the name, and then the value as it is encoded wherever it comes first. */
function encodedValue(value: string): Buffer {
  const encoder = new ScriptedPeer({ send: () => {}, settle: undefined });
  return encoder.encodeHeaders(["user-agent", value]).subarray(1);
}

/** What gzip makes of a message differs between versions of zlib: recordings show its flag and what it was before. */
export const gzipMask: Mask = {
  hide({ type, payload }) {
    const isWhole = payload.length > prefixBytes && payload.readUInt32BE(1) === payload.length - prefixBytes;
    if (type !== dataType || !isWhole || payload[0] !== 1) return undefined;
    const message = inflated(payload.subarray(prefixBytes));
    if (message === undefined) return undefined;
    const sha256 = createHash("sha256").update(message).digest("hex");
    const text = message.length > maxHexBytes ? `${message.length} bytes, sha256 ${sha256}` : message.toString("hex");
    return { start: 1, end: payload.length, text: `length and gzip of ${text}` };
  },
};

/** Undefined for what only claims to be compressed. */
function inflated(bytes: Uint8Array): Buffer | undefined {
  try {
    return gunzipSync(bytes);
  } catch {
    return undefined;
  }
}
