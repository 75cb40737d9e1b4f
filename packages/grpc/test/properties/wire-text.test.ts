import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import {
  appendMetadata,
  appendStatusTrailers,
  appendTrailerMetadata,
  findMetadataError,
  formatTimeout,
  maxTimeoutMs,
  metadataToHeaders,
  parseContentType,
  parseMethodPath,
  parseTimeout,
  readStatusTrailers,
} from "../../src/protocol/index.ts";
import { decodeGrpcMessage, encodeGrpcMessage, maxEncodedMessageBytes } from "../../src/protocol/percent-encoding.ts";
import { propertyOptions } from "./property-options.ts";

/** Any UTF-16 units, halves of surrogate pairs and control characters included. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  unitsText(),
  fc.string({ unit: "binary", maxLength: 6000, size: "max" }),
);
const byteText = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const name = fc.oneof(
  fc.constantFrom("grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-timeout", "te", ":path", "__proto__"),
  fc.constantFrom("a", "trace-bin", "constructor", "x-y"),
  byteText,
);
const fieldList = fc.array(fc.tuple(name, byteText), { maxLength: 12 }).map((fields) => fields.flat());

function unitsText(): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units));
}

/** What HTTP/2 carries as a field value (RFC 9113 §8.2.1), and gRPC as ASCII-Value. */
function assertSendable(value: string): void {
  for (const unit of Buffer.from(value, "utf16le").filter((_, at) => at % 2 === 1)) assert.equal(unit, 0);
  for (let at = 0; at < value.length; at++) assert.ok(value.charCodeAt(at) >= 0x20 && value.charCodeAt(at) <= 0x7e);
  assert.equal(value, value.trim());
}

describe("text of any kind", () => {
  test("is a timeout or an error, never a throw", () => {
    const nearly = fc
      .tuple(fc.stringMatching(/^[0-9]{0,10}$/), fc.constantFrom("H", "M", "S", "m", "u", "n", "x", ""))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(anyText, nearly), (text) => {
        const parsed = parseTimeout(text);
        const isTimeout = /^[0-9]{1,8}[HMSmun]$/.test(text);
        assert.equal("timeoutMs" in parsed, isTimeout);
        if ("timeoutMs" in parsed) assert.ok(parsed.timeoutMs >= 0 && parsed.timeoutMs <= maxTimeoutMs);
      }),
      propertyOptions(5000),
    );
  });

  test("comes out of any number as a timeout that is never shorter", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.double({ min: 0, max: 1e14, noNaN: true })), (timeoutMs) => {
        const parsed = parseTimeout(formatTimeout(timeoutMs));
        assert.ok("timeoutMs" in parsed);
        // The text counts microseconds exactly; the product with 1000 does not.
        const least = Number.isNaN(timeoutMs) ? 0 : Math.min(Math.max(timeoutMs, 0), maxTimeoutMs);
        assert.ok(parsed.timeoutMs >= least * (1 - Number.EPSILON), `${timeoutMs} became ${parsed.timeoutMs}`);
      }),
      propertyOptions(5000),
    );
  });

  test("survives as a status message, as far as it fits", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const encoded = encodeGrpcMessage(text);
        assertSendable(encoded);
        assert.ok(encoded.length <= maxEncodedMessageBytes);
        const decoded = decodeGrpcMessage(encoded);
        const wellFormed = text.toWellFormed();
        assert.ok(wellFormed.startsWith(decoded), "not a beginning of what was sent");
        // No character takes more than four bytes of three characters each.
        if (text.length * 12 <= maxEncodedMessageBytes) assert.equal(decoded, wellFormed);
      }),
      propertyOptions(3000),
    );
  });

  test("is read as a status message without a throw", () => {
    const escapes = fc
      .array(fc.constantFrom("%", "%4", "%41", "%ff", "%zz", "a", "\u00e9", "%E2%82%AC"), { maxLength: 20 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(byteText, escapes), (text) => {
        assert.ok(decodeGrpcMessage(text).isWellFormed());
      }),
      propertyOptions(3000),
    );
  });

  test("is metadata that an application can read and send on, or is left out", () => {
    fc.assert(
      fc.property(fieldList, (fields) => {
        findMetadataError(fields);
        const headers = metadataToHeaders(fields);
        const sent: string[] = [];
        assert.equal(appendMetadata(sent, headers), undefined);
        for (let at = 0; at < sent.length; at += 2) {
          assert.match(sent[at] as string, /^[a-z0-9_.-]+$/);
          assertSendable(sent[at + 1] as string);
        }
        readStatusTrailers(fields, fields);
      }),
      propertyOptions(3000),
    );
  });

  test("given as metadata is sent or refused, and never breaks a status", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.oneof(name, anyText), anyText), { maxLength: 5 }),
        anyText,
        (metadata, message) => {
          const fields: string[] = ["before", "x"];
          const error = appendMetadata(fields, metadata as [string, string][]);
          if (error !== undefined) assert.equal(fields.length, 2);
          const trailers: string[] = [];
          const status = new ConnectError(message, 5);
          appendStatusTrailers(trailers, status);
          appendTrailerMetadata(trailers, metadata as [string, string][]);
          for (let at = 0; at < trailers.length; at += 2) assertSendable(trailers[at + 1] as string);
          const back = readStatusTrailers(trailers);
          assert.equal(back?.code, 5);
          assert.ok(message.toWellFormed().startsWith(back?.rawMessage as string));
        },
      ),
      propertyOptions(3000),
    );
  });

  test("is a path or a content type, or none, without a throw", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const path = parseMethodPath(text);
        if ("service" in path) assert.equal(`/${path.service}/${path.method}`, text);
        parseContentType(text);
        parseContentType(`application/grpc${text}`);
      }),
      propertyOptions(3000),
    );
  });
});
