export { currentRequestId, requestIdKey, runWithRequestId } from "../call/request-id.ts";
export {
  type ClientRequestIdOptions,
  createClientRequestId,
  createServerRequestId,
  type ServerRequestIdOptions,
} from "./request-id.ts";
