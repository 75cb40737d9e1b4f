import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { encodeBinaryValue } from "./metadata-field.ts";
import { appendStatusTrailers, fitStatus, maxDetailsBytes, readStatusTrailers } from "./trailers.ts";

function trailersOf(error: ConnectError | undefined, dropped: string[] = []): string[] {
  const fields: string[] = [];
  appendStatusTrailers(fields, error, (name, reason) => dropped.push(`${name} ${reason}`));
  return fields;
}

function withStringDetail(length: number): ConnectError {
  return new ConnectError("m", Code.Aborted, undefined, [
    { desc: StringValueSchema, value: { value: "x".repeat(length) } },
  ]);
}

test("writes success as grpc-status 0 alone, and reads it back as no error", () => {
  assert.deepEqual(trailersOf(undefined), ["grpc-status", "0"]);
  assert.equal(readStatusTrailers(["grpc-status", "0"]), undefined);
});

test("writes code, encoded message and metadata of an error", () => {
  const error = new ConnectError("naïve", Code.NotFound, { "x-more": "1" });
  assert.deepEqual(trailersOf(error), ["grpc-status", "5", "grpc-message", "na%C3%AFve", "x-more", "1"]);
});

test("writes no empty grpc-message", () => {
  assert.deepEqual(trailersOf(new ConnectError("", Code.Canceled)), ["grpc-status", "1"]);
});

test("reads back what it writes, details included", () => {
  const sent = new ConnectError("gone ☺", Code.DataLoss, { "x-more": "1" }, [
    { desc: StringValueSchema, value: { value: "detail" } },
    { desc: DurationSchema, value: { seconds: 5n } },
  ]);
  const received = readStatusTrailers(trailersOf(sent), [":status", "200", "x-early", "2"]);
  assert.equal(received?.code, Code.DataLoss);
  assert.equal(received?.rawMessage, "gone ☺");
  assert.equal(received?.isWireError, true);
  assert.deepEqual(
    [...(received?.metadata ?? [])],
    [
      ["x-early", "2"],
      ["x-more", "1"],
    ],
  );
  assert.deepEqual(
    received?.findDetails(StringValueSchema).map(({ value }) => value),
    ["detail"],
  );
  assert.deepEqual(
    received?.findDetails(DurationSchema).map(({ seconds }) => seconds),
    [5n],
  );
});

test("passes details of a received error on, but not its metadata", () => {
  const received = readStatusTrailers(trailersOf(withStringDetail(3)).concat("x-secret", "1"));
  assert.ok(received);
  const relayed = trailersOf(received);
  assert.ok(!relayed.includes("x-secret"));
  assert.equal(readStatusTrailers(relayed)?.findDetails(StringValueSchema)[0]?.value, "xxx");
});

test("never writes an error as success, whatever its code", () => {
  assert.equal(trailersOf(new ConnectError("odd", 0 as Code))[1], "2");
  assert.equal(trailersOf(new ConnectError("odd", 99 as Code))[1], "2");
});

test("keeps details of the cap and drops longer ones with a report", () => {
  let longest = maxDetailsBytes;
  while (!trailersOf(withStringDetail(longest)).includes("grpc-status-details-bin")) longest--;
  const dropped: string[] = [];
  const fields = trailersOf(withStringDetail(longest), dropped);
  const sentBytes = fields[fields.indexOf("grpc-status-details-bin") + 1]?.length ?? 0;
  assert.ok(sentBytes <= maxDetailsBytes && sentBytes > maxDetailsBytes - 4, String(sentBytes));
  assert.deepEqual(dropped, []);
  assert.deepEqual(trailersOf(withStringDetail(longest + 1), dropped), ["grpc-status", "10", "grpc-message", "m"]);
  assert.deepEqual(dropped, ["grpc-status-details-bin illegal"]);
});

test("sends the status even when a detail does not fit its schema", () => {
  const error = new ConnectError("m", Code.Aborted, undefined, [
    { desc: StringValueSchema, value: { value: 7 } as never },
    { desc: DurationSchema, value: { seconds: "no number" } as never },
  ]);
  const dropped: string[] = [];
  assert.deepEqual(trailersOf(error, dropped), ["grpc-status", "10", "grpc-message", "m"]);
  assert.deepEqual(dropped, ["grpc-status-details-bin illegal"]);
});

test("leaves reserved and illegal metadata of an error out", () => {
  const error = new ConnectError("m", Code.Aborted, { "grpc-status": "0", "x-bad": "caf\u00e9", "x-good": "1" });
  const dropped: string[] = [];
  assert.deepEqual(trailersOf(error, dropped), ["grpc-status", "10", "grpc-message", "m", "x-good", "1"]);
  assert.deepEqual(dropped, ["grpc-status reserved", "x-bad illegal"]);
});

test("reports missing grpc-status as Internal and keeps the metadata", () => {
  const error = readStatusTrailers(["x", "1", "grpc-message", "hm"]);
  assert.equal(error?.code, Code.Internal);
  assert.match(error?.rawMessage ?? "", /missing grpc-status/);
  assert.equal(error?.metadata.get("x"), "1");
});

test("reports two different statuses as Internal and bears a repeated one", () => {
  assert.equal(readStatusTrailers(["grpc-status", "0", "grpc-status", "5"])?.code, Code.Internal);
  assert.equal(readStatusTrailers(["grpc-status", "5", "grpc-status", "0"])?.code, Code.Internal);
  assert.equal(readStatusTrailers(["grpc-status", "0", "grpc-status", "0"]), undefined);
});

test("reads codes beyond the known ones as Unknown", () => {
  for (const status of ["17", "", "x", "-1", "00"]) {
    const error = readStatusTrailers(["grpc-status", status, "grpc-message", "why"]);
    assert.equal(error?.code, Code.Unknown, status);
    assert.equal(error?.rawMessage, "why");
  }
});

test("believes grpc-status and ignores details of another code", () => {
  const status = create(StatusSchema, { code: Code.NotFound, message: "other", details: [{ typeUrl: "t/x.Y" }] });
  const details = encodeBinaryValue(toBinary(StatusSchema, status));
  const error = readStatusTrailers(["grpc-status", "13", "grpc-message", "mine", "grpc-status-details-bin", details]);
  assert.equal(error?.code, Code.Internal);
  assert.equal(error?.rawMessage, "mine");
  assert.deepEqual(error?.details, []);
  const agreeing = readStatusTrailers(["grpc-status", "5", "grpc-status-details-bin", details]);
  assert.deepEqual(
    agreeing?.details.map((detail) => "type" in detail && detail.type),
    ["x.Y"],
  );
});

test("keeps the status when details are unreadable", () => {
  for (const details of ["!", "ab-_", "/////w", "YQ,YQ", "CA"]) {
    const error = readStatusTrailers(["grpc-status", "5", "grpc-status-details-bin", details]);
    assert.equal(error?.code, Code.NotFound, details);
    assert.deepEqual(error?.details, []);
  }
});

test("makes a status fit the list that the peer takes: details go, then text, then metadata, and the status last", () => {
  const error = new ConnectError("é".repeat(100), Code.Aborted, { "x-more": "1" }, [
    { desc: StringValueSchema, value: { value: "x".repeat(100) } },
  ]);
  const fitted = (maxListBytes: number): string[] | undefined => {
    const fields = trailersOf(error);
    return fitStatus(fields, maxListBytes) ? fields : undefined;
  };
  const whole = trailersOf(error);
  const bytes = (fields: readonly string[]): number => fields.join("").length + 16 * fields.length;
  assert.deepEqual(fitted(bytes(whole)), whole);
  assert.deepEqual(fitted(Number.POSITIVE_INFINITY), whole);
  const withoutDetails = whole.filter((_, at) => at < 4 || at > 5);
  assert.deepEqual(fitted(bytes(whole) - 1), withoutDetails);
  assert.deepEqual(fitted(bytes(withoutDetails)), withoutDetails);
  for (let maxListBytes = bytes(withoutDetails) - 1; maxListBytes > 140; maxListBytes--) {
    const fields = fitted(maxListBytes);
    assert.ok(fields !== undefined && bytes(fields) <= maxListBytes);
    const message = fields[fields.indexOf("grpc-message") + 1] as string;
    assert.match(message, /^(%C3%A9)*$/, `within ${maxListBytes}`);
    assert.ok(bytes(fields) > maxListBytes - 6, "no more is cut than has to be");
  }
  assert.deepEqual(fitted(89), ["grpc-status", "10", "x-more", "1"]);
  assert.deepEqual(fitted(45), ["grpc-status", "10"]);
  assert.equal(fitted(44), undefined);
});
