import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { invalidArgument, notFound } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { UserService } from "../gen/user/user_pb.ts";
import { createCommonDetails } from "./common-details.ts";

const users = createClient(
  UserService,
  createRouterTransport(
    ({ service }) =>
      service(UserService, {
        getUser() {
          throw notFound({ message: "gone", reason: "USER_NOT_FOUND", domain: "shop" });
        },
        createUser() {
          throw invalidArgument({ field: "name", description: "is odd" });
        },
        deleteUser() {
          throw new ConnectError("plain", Code.Aborted);
        },
        updateUser: () => ({ user: { name: "Ada" } }),
        async *streamUsers() {
          yield { name: "Ada" };
          throw notFound({ message: "gone", reason: "USER_NOT_FOUND", domain: "shop" });
        },
      }),
    { router: { interceptors: [createCommonDetails()] } },
  ),
);

const typesOf = (error: ConnectError) => error.details.map((one) => ("type" in one ? one.type : one.desc.typeName));

test("adds the reason and the invalid fields as common.v1 details, and does not change errors without them", async () => {
  assert.deepEqual(typesOf(await assertStatus(users.getUser({}), Code.NotFound, "gone")), [
    "google.rpc.ErrorInfo",
    "common.v1.ErrorInfo",
  ]);
  assert.deepEqual(typesOf(await assertStatus(users.createUser({}), Code.InvalidArgument)), [
    "google.rpc.BadRequest",
    "common.v1.ValidationError",
  ]);
  assert.deepEqual(typesOf(await assertStatus(users.deleteUser({}), Code.Aborted, "plain")), []);
  assert.equal((await users.updateUser({})).user?.name, "Ada");
});

test("adds them to the error of a stream too, after its messages", async () => {
  const names: string[] = [];
  const reading = async () => {
    for await (const { name } of users.streamUsers({})) names.push(name);
  };
  const error = await assertStatus(reading(), Code.NotFound);
  assert.deepEqual(names, ["Ada"]);
  assert.deepEqual(typesOf(error), ["google.rpc.ErrorInfo", "common.v1.ErrorInfo"]);
});
