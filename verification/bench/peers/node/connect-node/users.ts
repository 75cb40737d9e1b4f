import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { user } from "../../../gateway/values.ts";
import { UserSchema, UserService } from "./gen/api/user/v1/user_pb.ts";

const one = create(UserSchema, user);

/** The only method of the users service that is measured with Connect. */
export function routes(router: ConnectRouter): void {
  router.service(UserService, { getUser: () => one });
}
