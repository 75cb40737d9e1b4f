import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ListUsersResponseSchema } from "../peers/tercel/gen/echo_pb.ts";
import { toUser, userRows } from "../peers/users.ts";
import { echoMessage, framed, listUsersRequest, listUsersResponse, streamRequest } from "./grpc-body.ts";

test("writes the compression flag and the length before a message", () => {
  assert.equal(framed(Buffer.from("abc")).toString("hex"), `0000000003${Buffer.from("abc").toString("hex")}`);
  assert.equal(framed(Buffer.alloc(0)).toString("hex"), "0000000000");
});

test("omits an empty field of an echo message", () => {
  assert.equal(echoMessage({ message: "hi" }).toString("hex"), "0a026869");
  assert.equal(echoMessage({ payload: Buffer.from([9]) }).toString("hex"), "120109");
  assert.equal(echoMessage({}).length, 0);
});

test("writes lengths on both sides of the limit of a one-byte varint", () => {
  assert.equal(
    echoMessage({ payload: Buffer.alloc(127) })
      .subarray(0, 2)
      .toString("hex"),
    "127f",
  );
  assert.equal(
    echoMessage({ payload: Buffer.alloc(128) })
      .subarray(0, 3)
      .toString("hex"),
    "128001",
  );
  assert.equal(echoMessage({ payload: Buffer.alloc(1 << 20) }).length, 1 + 3 + (1 << 20));
});

test("writes the two numbers of a stream request", () => {
  assert.equal(streamRequest({ count: 1000, payloadSize: 16 }).toString("hex"), "08e8071010");
});

test("writes the list of users like protobuf-es, in 3.4 kB", () => {
  const bytes = listUsersResponse();
  const { users, total } = fromBinary(ListUsersResponseSchema, bytes);
  assert.deepEqual(
    users.map(({ address, $typeName: _, ...user }) => {
      const { $typeName: __, ...fields } = address ?? assert.fail("an address is missing");
      return { ...user, address: fields };
    }),
    userRows().map(toUser),
  );
  assert.equal(total, users.length);
  assert.deepEqual(Buffer.from(toBinary(ListUsersResponseSchema, fromBinary(ListUsersResponseSchema, bytes))), bytes);
  assert.equal((bytes.length / 1000).toFixed(1), "3.4");
  assert.equal(listUsersRequest(20).toString("hex"), "0814");
});
