import { Code, ConnectError } from "@connectrpc/connect";

/** A ConnectError whose code is known to the compiler. */
export type StatusError<StatusCode extends Code> = ConnectError & { readonly code: StatusCode };

/** The right side of `instanceof`. */
export interface StatusErrorClass<StatusCode extends Code> {
  readonly code: StatusCode;
  [Symbol.hasInstance](value: unknown): value is StatusError<StatusCode>;
}

/**
 * A class of errors by their code. It recognises every ConnectError of the code, whatever created it and over whichever transport
 * it came, so there is nothing to convert and nothing to construct: `error instanceof NotFoundError`.
 */
function createStatusErrorClass<StatusCode extends Code>(code: StatusCode): StatusErrorClass<StatusCode> {
  return {
    code,
    [Symbol.hasInstance]: (value): value is StatusError<StatusCode> =>
      value instanceof ConnectError && value.code === code,
  };
}

export const CanceledError = createStatusErrorClass(Code.Canceled);
export const UnknownError = createStatusErrorClass(Code.Unknown);
export const InvalidArgumentError = createStatusErrorClass(Code.InvalidArgument);
export const DeadlineExceededError = createStatusErrorClass(Code.DeadlineExceeded);
export const NotFoundError = createStatusErrorClass(Code.NotFound);
export const AlreadyExistsError = createStatusErrorClass(Code.AlreadyExists);
export const PermissionDeniedError = createStatusErrorClass(Code.PermissionDenied);
export const ResourceExhaustedError = createStatusErrorClass(Code.ResourceExhausted);
export const FailedPreconditionError = createStatusErrorClass(Code.FailedPrecondition);
export const AbortedError = createStatusErrorClass(Code.Aborted);
export const OutOfRangeError = createStatusErrorClass(Code.OutOfRange);
export const UnimplementedError = createStatusErrorClass(Code.Unimplemented);
export const InternalError = createStatusErrorClass(Code.Internal);
export const UnavailableError = createStatusErrorClass(Code.Unavailable);
export const DataLossError = createStatusErrorClass(Code.DataLoss);
export const UnauthenticatedError = createStatusErrorClass(Code.Unauthenticated);
