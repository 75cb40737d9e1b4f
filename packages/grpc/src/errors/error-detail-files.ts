import type { DescFile } from "@bufbuild/protobuf";
import { file_common_v1_errors } from "../gen/common/v1/errors_pb.ts";
import { file_google_rpc_error_details } from "../gen/google/rpc/error_details_pb.ts";

/**
 * The messages in which errors say more than a code and a text, for `createReflection({ files: errorDetailFiles })`: tools that
 * know a server by reflection only can show them then.
 */
export const errorDetailFiles: readonly DescFile[] = [file_google_rpc_error_details, file_common_v1_errors];
