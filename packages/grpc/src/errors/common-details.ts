import { ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, ValidationErrorSchema } from "../gen/common/v1/errors_pb.ts";
import { readErrorReason, readFieldViolations } from "./read-details.ts";

/**
 * The same error, saying its field violations and its reason a second time in the messages of common.v1, for callers that
 * know those and not google.rpc's.
 */
export function withCommonDetails(error: ConnectError): ConnectError {
  const copy = new ConnectError(error.rawMessage, error.code, error.metadata, undefined, error.cause);
  copy.details = [...error.details];
  const violations = readFieldViolations(error);
  if (violations.length > 0) {
    const fieldViolations = violations.map(({ field, description }) => ({ field, description }));
    copy.details.push({ desc: ValidationErrorSchema, value: { fieldViolations } });
  }
  const reason = readErrorReason(error);
  if (reason !== undefined) {
    const value = { reason: reason.reason, domain: reason.domain, metadata: Object.fromEntries(reason.metadata) };
    copy.details.push({ desc: ErrorInfoSchema, value });
  }
  return copy;
}
